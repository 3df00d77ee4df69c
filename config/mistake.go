package config

import (
	"fmt"
	"strings"
)

// Mistake is one setting that is wrong and what to do about it. It never holds the value of
// a secret.
type Mistake struct{ Setting, Remedy string }

// Mistakes is everything that is wrong with the settings, so that an operator can mend it in
// one go. Each setting is named once: with what was found first.
type Mistakes []Mistake

// Error lists the mistakes, one per line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.Setting + ": " + one.Remedy
	}
	return strings.Join(lines, "\n")
}

func (m *Mistakes) add(setting, remedy string, args ...any) {
	for _, one := range *m {
		if one.Setting == setting {
			return
		}
	}
	*m = append(*m, Mistake{setting, fmt.Sprintf(remedy, args...)})
}

// want notes a mistake unless the setting is all right.
func (m *Mistakes) want(ok bool, setting, remedy string, args ...any) {
	if !ok {
		m.add(setting, remedy, args...)
	}
}

// err is nil when nothing is wrong: an empty Mistakes in an error is not nil.
func (m Mistakes) err() error {
	if len(m) == 0 {
		return nil
	}
	return m
}
