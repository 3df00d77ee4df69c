package his

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// Edifact (ISO 9735) as Dutch GP systems read it: segments that end in ', elements parted by
// + and components by :, with ? before each of these where it is text.

// segment is a tag and its elements; an element has one or more components.
func segment(tag string, elements ...[]string) string {
	var out strings.Builder
	out.WriteString(tag)
	for _, components := range elements {
		out.WriteByte('+')
		for i, c := range components {
			if i > 0 {
				out.WriteByte(':')
			}
			out.WriteString(release.Replace(c))
		}
	}
	return out.String() + "'\r\n"
}

func element(components ...string) []string { return components }

var release = strings.NewReplacer("?", "??", "+", "?+", ":", "?:", "'", "?'")

// ascii writes what was said in the characters that every receiver has: accents go, what
// then is no ASCII (an emoji, another script) becomes a question mark.
func ascii(s string) string {
	plain, _, err := transform.String(transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn))), s)
	if err != nil {
		plain = s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || unicode.IsSpace(r):
			return ' '
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}, strings.NewReplacer("€", "EUR", "ß", "ss", "æ", "ae", "ø", "o", "’", "'", "‘", "'", "“", `"`, "”", `"`, "…", "...", "–", "-", "—", "-").Replace(plain))
}

// textWidth is the most that one TXT segment holds, in characters.
const textWidth = 70

// wrapped is a text in lines of at most textWidth, broken between words where that is possible.
func wrapped(s string) (lines []string) {
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		for len(line) > textWidth {
			at := strings.LastIndexByte(line[:textWidth+1], ' ')
			if at <= 0 {
				at = textWidth
			}
			lines = append(lines, strings.TrimRight(line[:at], " "))
			line = strings.TrimLeft(line[at:], " ")
		}
		lines = append(lines, line)
	}
	return lines
}

// medvri is a free message (MEDVRI) from one party to another. ref is never used for another.
func medvri(item Item, parties Edifact, ref string, files []string) string {
	c := item.Conversation
	about := c.Patient
	if c.Derde != nil && c.Derde.Patient != nil {
		about = *c.Derde.Patient
	}
	sent := item.Sent.In(local)
	body := []string{
		segment("UNH", element(ref), element("MEDVRI", "1")),
		segment("GGA", element(c.Practice.AGB, ascii(line(c.Practice.Name)))),
		segment("DET", element(sent.Format("06"), sent.Format("01"), sent.Format("02")), element(sent.Format("15"), sent.Format("04"))),
		segment("PID", birthElement(about), element(""), element(ascii(cmp.Or(line(about.LastName), line(about.Name))), ascii(line(about.FirstName))), element(""), element(about.BSN)),
	}
	for n, said := range wrapped(ascii(Readable(item, files))) {
		body = append(body, segment("TXT:"+fmt.Sprint(n+1), element(said)))
	}
	body = append(body, segment("UNT", element(fmt.Sprint(len(body)+1)), element(ref)))
	return segment("UNB", element("UNOA", "1"), element(ascii(parties.Sender)), element(ascii(parties.Receiver)),
		element(sent.Format("060102"), sent.Format("1504")), element(ref)) +
		strings.Join(body, "") + segment("UNZ", element("1"), element(ref))
}

func birthElement(p Patient) []string {
	if !datable(p.BirthDate) {
		return element("")
	}
	return element(p.BirthDate.Format("2006"), p.BirthDate.Format("01"), p.BirthDate.Format("02"))
}
