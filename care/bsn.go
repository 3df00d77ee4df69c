package care

import "unicode"

// bsnLength is the number of digits of a burgerservicenummer.
const bsnLength = 9

// ValidBSN applies the 11-test: the digits weighted 9, 8, … 2, −1 add up to a multiple
// of eleven (Besluit burgerservicenummer). Separators are not accepted.
func ValidBSN(s string) bool {
	if len(s) != bsnLength || s == "000000000" {
		return false
	}
	sum := 0
	for i, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
		weight := bsnLength - i
		if weight == 1 {
			weight = -1
		}
		sum += weight * int(c-'0')
	}
	return sum%11 == 0
}

// ContainsBSN says whether a text has a number that passes the 11-test, also when it is
// typed in groups: 123456782, 1234.56.782, 1234 56 782.
func ContainsBSN(text string) bool {
	runs := digitRuns(text)
	for first := range runs {
		joined := ""
		for last := first; last < len(runs) && len(joined) < bsnLength; last++ {
			if last > first && !runs[last].near {
				break
			}
			joined += runs[last].digits
		}
		if ValidBSN(joined) {
			return true
		}
	}
	return false
}

// A digitRun is a row of digits; near says that only one separator is before it.
type digitRun struct {
	digits string
	near   bool
}

// separator says whether c is used inside a number to group its digits.
func separator(c rune) bool { return c == ' ' || c == '.' || c == '-' || c == '\u00a0' }

func digitRuns(text string) (runs []digitRun) {
	current, near, gap := "", false, ""
	flush := func() {
		if current != "" {
			runs = append(runs, digitRun{current, near})
			current, gap = "", ""
		}
	}
	for _, c := range text {
		if d, ok := digit(c); ok {
			if current == "" {
				near = len(runs) > 0 && gap != ""
			}
			current += string(d)
			continue
		}
		flush()
		if len(gap) == 0 && separator(c) {
			gap = string(c)
		} else {
			gap = ""
		}
	}
	flush()
	return runs
}

// digit reads decimal digits of every script as ASCII: full-width ones hide nothing.
func digit(c rune) (byte, bool) {
	if c >= '0' && c <= '9' {
		return byte(c), true
	}
	if !unicode.Is(unicode.Nd, c) {
		return 0, false
	}
	zero := c
	for unicode.Is(unicode.Nd, zero-1) && c-zero < 9 {
		zero--
	}
	return byte('0' + c - zero), true
}
