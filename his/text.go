package his

import (
	"strings"
	"unicode"
)

// plain is what was written, without what FHIR strings and text files cannot hold:
// broken UTF-8 and control characters other than line breaks and tabs. Text of only
// white space is nothing.
func plain(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.IsControl(r) {
			return r
		}
		return -1
	}, s)
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return s
}

// line is a name on one line. Invisible characters go: they could turn a name's
// direction or hide a part of it.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, plain(s))
	return strings.Join(strings.Fields(s), " ")
}

// markdown is a line for a FHIR element that is markdown (Annotation.text): what looks
// like markup or HTML in a name is shown as it is, and does nothing.
func markdown(line string) string {
	return strings.NewReplacer(`\`, `\\`, "<", `\<`, ">", `\>`, "&", `\&`, "[", `\[`, "]", `\]`, "`", "\\`", "*", `\*`, "_", `\_`).Replace(line)
}
