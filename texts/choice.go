package texts

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// longest is the most bytes that can be an answer to a question with options.
const longest = 1000

// numberWords may stand before the number of an option.
var numberWords = []string{"optie", "option", "nummer", "number", "nr", "keuze", "choice", "antwoord", "answer"}

// Choice is which option someone meant, counted from 1; 0 is none. It takes the number in
// any script or as a button, the label, a synonym, or number and label together, however
// spaced, accented, capitalised or punctuated. It never guesses: a sentence with the
// answer in it, what fits two options and what ends in a question mark mean none.
func Choice(options []Option, typed string) int {
	if asks(typed) {
		return 0
	}
	answer := normal(typed)
	if n := number(answer); n > 0 {
		if n > len(options) {
			return 0
		}
		return n
	}
	meant := 0
	for i, o := range options {
		if answer == "" || !o.means(answer, i+1) {
			continue
		}
		if meant != 0 {
			return 0
		}
		meant = i + 1
	}
	return meant
}

// means compares a normalised answer with everything that means the nth option.
func (o Option) means(answer string, n int) bool {
	same := func(s string) bool {
		s = normal(s)
		return s != "" && (answer == s || answer == strconv.Itoa(n)+" "+s)
	}
	return same(o.Label) || slices.ContainsFunc(o.Also, same)
}

// number reads "1" and "optie 1"; 0 is none.
func number(answer string) int {
	if word, rest, ok := strings.Cut(answer, " "); ok && slices.Contains(numberWords, word) {
		answer = rest
	}
	if len(answer) > 3 {
		return 0
	}
	n, err := strconv.Atoi(answer)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// asks says that something is a question rather than an answer.
func asks(typed string) bool { return strings.ContainsAny(typed, "?？؟¿") }

// normal is what is left of a text when case, accents, punctuation, emoji, invisible
// characters and spacing no longer matter; "" when it is too long to be an answer.
func normal(typed string) string {
	if len(typed) > longest {
		return ""
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(typed) {
		switch {
		case unicode.Is(unicode.M, r), unicode.Is(unicode.Cf, r):
		case unicode.Is(unicode.Nd, r):
			b.WriteByte(digit(r))
		case unicode.IsLetter(r), unicode.IsNumber(r):
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// digit reads a decimal digit of any script: their tables run in tens from zero.
func digit(r rune) byte {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return byte('0' + (r-rune(t.Lo))%10)
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return byte('0' + (r-rune(t.Lo))%10)
		}
	}
	return '0'
}
