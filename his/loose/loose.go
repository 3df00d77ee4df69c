// Package loose reads FHIR resources by the names of their elements, without types: for who
// only looks.
package loose

import "strings"

// Resource is any resource, as it was sent.
type Resource map[string]any

// At follows dotted names; a list is entered at its first member.
func (r Resource) At(path string) any {
	var here any = map[string]any(r)
	for name := range strings.SplitSeq(path, ".") {
		if list, is := here.([]any); is {
			if len(list) == 0 {
				return nil
			}
			here = list[0]
		}
		inside, is := here.(map[string]any)
		if !is {
			return nil
		}
		here = inside[name]
	}
	return here
}

// Text is the text at a path; "" when there is none.
func (r Resource) Text(path string) string {
	s, _ := r.At(path).(string)
	return s
}

// List is the objects at a path.
func (r Resource) List(path string) (all []Resource) {
	members, _ := r.At(path).([]any)
	for _, m := range members {
		if one, is := m.(map[string]any); is {
			all = append(all, one)
		}
	}
	return all
}
