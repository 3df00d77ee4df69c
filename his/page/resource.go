package page

import "strings"

// resource is any resource, as it was sent.
type resource map[string]any

// at follows dotted names; a list is entered at its first member.
func (r resource) at(path string) any {
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

func (r resource) text(path string) string {
	s, _ := r.at(path).(string)
	return s
}

func (r resource) list(path string) (all []resource) {
	members, _ := r.at(path).([]any)
	for _, m := range members {
		if one, is := m.(map[string]any); is {
			all = append(all, one)
		}
	}
	return all
}
