package care

import (
	"errors"
	"unicode/utf8"
)

// longestStaffName is how many characters of a name are shown above an answer.
const longestStaffName = 40

// ErrStaffName says what a name of staff may be.
var ErrStaffName = errors.New("a name has letters, spaces, hyphens, dots and apostrophes, at most 40 characters")

// StaffName is a name as patients see it, tidied: what people are called, in any script, and
// nothing that could pass for a Matrix id, a role or a number.
func StaffName(typed string) (name string, err error) {
	if !takeName(&name, typed) || utf8.RuneCountInString(name) > longestStaffName {
		return "", ErrStaffName
	}
	return name, nil
}
