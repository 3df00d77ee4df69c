package care

import (
	"strings"
	"unicode"
)

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

// separator says whether c is used inside a number to group its digits: a dot, or a space
// or hyphen of any width.
func separator(c rune) bool {
	return strings.ContainsRune("./,_\t", c) || unicode.In(c, unicode.Zs, unicode.Pd)
}

// digitRuns finds the rows of digits in a text. Invisible characters, which come along
// when a number is pasted, do not break a row.
func digitRuns(text string) (runs []digitRun) {
	var current strings.Builder
	gap, near := 0, false // gap counts what came after the last row
	flush := func() {
		if current.Len() > 0 {
			runs = append(runs, digitRun{current.String(), near})
			current.Reset()
			gap = 0
		}
	}
	for _, c := range text {
		d, isDigit := digit(c)
		switch {
		case unicode.In(c, unicode.Cf, unicode.Mn):
		case isDigit:
			if current.Len() == 0 {
				near = len(runs) > 0 && gap == 1
			}
			current.WriteByte(d)
		case separator(c):
			flush()
			gap++
		default:
			flush()
			gap = 2 // not near
		}
	}
	flush()
	return runs
}

// digit reads decimal digits of every script as ASCII: full-width ones hide nothing. In
// Unicode's table they stand in tens, from zero.
func digit(c rune) (byte, bool) {
	if c >= '0' && c <= '9' {
		return byte(c), true
	}
	for _, r := range unicode.Nd.R16 {
		if rune(r.Lo) <= c && c <= rune(r.Hi) {
			return byte('0' + (c-rune(r.Lo))%10), true
		}
	}
	for _, r := range unicode.Nd.R32 {
		if rune(r.Lo) <= c && c <= rune(r.Hi) {
			return byte('0' + (c-rune(r.Lo))%10), true
		}
	}
	return 0, false
}
