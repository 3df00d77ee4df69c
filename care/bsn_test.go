package care

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestTheElevenTest(t *testing.T) {
	for _, bsn := range testBSNs {
		assert.True(t, ValidBSN(bsn), bsn)
		for i := range bsn { // any one digit wrong is found out
			for d := byte('0'); d <= '9'; d++ {
				wrong := []byte(bsn)
				if wrong[i] == d {
					continue
				}
				wrong[i] = d
				assert.False(t, ValidBSN(string(wrong)), string(wrong))
			}
		}
	}
	for _, no := range []string{
		"", "0", "000000000", "123456789", "12345678", "1234567820", "1234.56.782", "12345678a", " 123456782", "１２３４５６７８２", "-12345678",
		strings.Repeat("1", 64<<10),
	} {
		assert.False(t, ValidBSN(no), "%.40q", no)
	}
}

// withBSN are ways to type the number that digits stand for.
var withBSN = map[string]string{
	"alone":                      "%s%s%s",
	"in dots":                    "%s.%s.%s",
	"in spaces":                  "%s %s %s",
	"in hyphens":                 "%s-%s-%s",
	"in spaces that do not wrap": "%s\u00a0%s\u202f%s",
	"in long dashes":             "%s–%s—%s",
	"with invisible characters":  "%s\u200b%s\u00ad%s",
	"in both directions":         "\u202d%s%s%s\u202c",
	"in a sentence":              "mijn bsn is %s%s%s, klopt dat?",
	"inside a word":              "bsn%s%s%sjan",
	"on a line of its own":       "hallo\n%s%s%s\ndag",
	"after another number":       "ik ben 45, %s%s%s",
	"in brackets":                "(%s%s%s)",
	"in markup":                  "<b>%s%s%s</b>",
	"in an address":              "https://example.org/?bsn=%s%s%s&x=1",
	"after a decoy":              "12345 %s.%s.%s",
}

func TestABSNIsFoundHoweverItIsTyped(t *testing.T) {
	for name, layout := range withBSN {
		for _, bsn := range testBSNs {
			text := fmt.Sprintf(layout, bsn[:4], bsn[4:6], bsn[6:])
			assert.True(t, ContainsBSN(text), "%s: %q", name, text)
		}
	}
	for _, bsn := range testBSNs {
		for _, zero := range []rune{'０', '٠', '०', '𝟎', '𝟘', '𝟢', '𝟬', '𝟶'} {
			other := strings.Map(func(d rune) rune { return zero + d - '0' }, bsn)
			assert.True(t, ContainsBSN(other), "%s", other)
		}
		assert.True(t, ContainsBSN(strings.Join(strings.Split(bsn, ""), " ")), "digit by digit")
	}
}

func TestWhatIsNoBSNIsLeftAlone(t *testing.T) {
	for _, text := range []string{
		"", "hallo", "0612345678", "+31612345678", "31-5-1980", "1011 AB 12", "123456789", "1234567820", "0123456782", "mijn bloeddruk is 120/80",
		"1234567\n82", "1234, 56, 782", "1234 - 56 - 782", "1234a56a782", "€ 12.345", "NL91ABNA0417164300", "12:34:56", "12345 6789 12",
		"\u200b", "½⅓¼", "①②③④⑤⑥⑦⑧②", strings.Repeat("a", 64<<10), strings.Repeat("1 a ", 16<<10),
	} {
		assert.False(t, ContainsBSN(text), "%.40q", text)
	}
}

func TestALongMessageTakesLittleWork(t *testing.T) {
	for unit, most := range map[string]float64{ // allocations: a row of digits is copied once, not once per digit
		"1": 100, "\u0661": 100, "\u200b1": 100, "a1": 100 << 10, "1 ": 700 << 10, "12345678 ": 100 << 10, "．": 100,
	} {
		text := strings.Repeat(unit, (64<<10)/len(unit))
		assert.LessOrEqual(t, testing.AllocsPerRun(1, func() { ContainsBSN(text) }), most, "%q", unit)
	}
}

func TestABSNIsFoundInAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := rapid.StringMatching(`[a-z ,;!]*[a-z,;!]`).Draw(t, "before"), rapid.StringMatching(`[a-z,;!][a-z ,;!]*`).Draw(t, "after")
		bsn := rapid.SampledFrom(testBSNs).Draw(t, "bsn")
		if text := before + bsn + after; !ContainsBSN(text) {
			t.Fatalf("not found in %q", text)
		}
	})
	rapid.Check(t, func(t *rapid.T) { ContainsBSN(rapid.String().Draw(t, "text")) })
}

func TestABSNIsRemovedWhereverItIsTyped(t *testing.T) {
	for _, q := range AllQuestions() {
		w := at(t, q)
		state, misses := w.c.Person.State, w.c.Person.Misses
		for _, bsn := range testBSNs {
			w.types("mijn nummer is "+bsn).stands(state, q)
			assert.Equal(t, []Effect{{Do: Remove}, say("bsn.removed"), ask(q)}, w.last, q)
			w.hears(Heard{Media: true, Text: "kaart " + bsn}).stands(state, q)
			assert.True(t, w.did(Remove) && !w.did(Hold), q)
		}
		assert.Equal(t, misses, w.c.Person.Misses, "no answer, so no mistake either")
	}
	for name, w := range map[string]*world{"awaiting": awaiting(t), "active": active(t), "open": talking(t)} {
		w.types(testBSNs[0])
		assert.Equal(t, []Effect{{Do: Remove}, say("bsn.removed")}, w.last, name)
	}
}

func TestAPhoneNumberMayLookLikeABSNOnlyWhereItIsAsked(t *testing.T) {
	var lookalike string // the digits after the country code pass the 11-test
	for n := range 11 {
		if candidate := fmt.Sprintf("6123456%02d", n); ValidBSN(candidate) {
			lookalike = candidate
		}
	}
	assert.NotEmpty(t, lookalike)
	for _, typed := range []string{"+31 " + lookalike, "0 " + lookalike, "+31-" + lookalike, " (+31) " + lookalike} {
		w := at(t, AskPhone).types(typed).stands(Registering, AskEmail)
		assert.Equal(t, "+31"+lookalike, w.c.Person.Answers.Phone, typed)
		assert.False(t, w.did(Remove))

		w = at(t, AskFirstName).types(typed).stands(Registering, AskFirstName)
		assert.True(t, w.did(Remove), "another question: %s", typed)
	}
	for _, typed := range []string{lookalike, "bsn " + lookalike, "111222333", "mijn bsn 111222333", "020 000145AA0", "+31 " + lookalike + " en bsn 111222333"} {
		w := at(t, AskPhone).types(typed).stands(Registering, AskPhone)
		assert.True(t, w.did(Remove), typed)
		assert.Empty(t, w.c.Person.Answers.Phone)
	}
}
