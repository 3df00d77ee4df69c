package texts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/spreekkamer/spreekkamer/care"
)

var yesNo = []Option{{Label: "Ja", Also: []string{"Ja, dat mag", "één keer wel"}}, {Label: "Nee", Also: []string{"liever niet"}}}

// hostile are inputs that mean nothing, however they look.
var hostile = []string{
	"", " ", "\n\t", "\u200b", "\u200b\u200d\ufeff", "\u202e\u202c", "\x00", "\xff\xfe", "👍", "❤️", "🇳🇱", "!", "...", "#", "️⃣",
	strings.Repeat("1", 64<<10), strings.Repeat("ja ", 32<<10), strings.Repeat("\u0301", 32<<10), strings.Repeat("👩‍👩‍👧‍👦", 3000),
	strings.Repeat("ﷺ", 20000), strings.Repeat("intrekken ", 6000), strings.Repeat("{{", 10000),
	"9999999999999999999999", "-9223372036854775808", "1e1", "0x1", "½", "ⅷ", "NaN",
}

func TestChoiceUnderstandsWhatPeopleType(t *testing.T) {
	for _, tt := range []struct {
		name, typed string
		want        int
	}{
		{"the number", "1", 1},
		{"the other number", "2", 2},
		{"a full stop after it", "1.", 1},
		{"a bracket after it", "2)", 2},
		{"spaces around it", "  2 \n", 2},
		{"a word before it", "Optie 1", 1},
		{"an English word before it", "option 2", 2},
		{"a circled number", "①", 1},
		{"a keycap", "1️⃣", 1},
		{"a keycap without its variation selector", "2⃣", 2},
		{"a full-width number", "２", 2},
		{"an Arabic number", "٢", 2},
		{"a Devanagari number", "१", 1},
		{"a mathematical number", "𝟚", 2},
		{"a number with an invisible character", "\u200b1\u200f", 1},
		{"the label", "Ja", 1},
		{"the label in capitals", "NEE", 2},
		{"the label with an exclamation mark", "ja!", 1},
		{"the label, quoted", "“Nee”", 2},
		{"the label with an emoji", "ja 👍", 1},
		{"the label in full-width letters", "ＪＡ", 1},
		{"the label right to left", "\u202eja\u202c", 1},
		{"a synonym", "liever niet", 2},
		{"a synonym without its comma", "ja dat mag", 1},
		{"a synonym without its accents", "een keer wel", 1},
		{"a synonym with accents of its own", "Líevér  níet", 2},
		{"number and label", "1. Ja", 1},
		{"number and synonym", "2: liever niet", 2},

		{"number and another label", "1 nee", 0},
		{"a number that is no option", "3", 0},
		{"nought", "0", 0},
		{"two numbers", "1 2", 0},
		{"both numbers", "1 of 2", 0},
		{"a number with a fraction", "1,5", 0},
		{"the answer in a sentence", "ja maar ik heb een vraag", 0},
		{"a no in a sentence", "nee hoor wel ja", 0},
		{"the answer inside a word", "januari", 0},
		{"both labels", "ja nee", 0},
		{"a question about the answer", "ja?", 0},
		{"a question about the number", "1?", 0},
		{"a question in Arabic", "1؟", 0},
		{"a letter that looks like it, in another script", "јa", 0},
		{"something else", "wat bedoelt u", 0},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, Choice(yesNo, tt.typed)) })
	}
}

func TestNothingHostileIsAChoiceOrAWord(t *testing.T) {
	c := load(t)
	for _, typed := range hostile {
		assert.Zero(t, Choice(yesNo, typed), "%.40q", typed)
		assert.Zero(t, Choice(nil, typed), "%.40q", typed)
		assert.Empty(t, c.Word(typed), "%.40q", typed)
		assert.Zero(t, ButtonNumber(typed), "%.40q", typed)
	}
}

func TestNamesAsOptionsAreNeverGuessed(t *testing.T) {
	people := []Option{{Label: "Over mijzelf"}, {Label: "Sofie de Vries"}, {Label: "sofie de vries"}, {Label: "李"}, {Label: "👶"}, {Label: "العربية"}}
	assert.Zero(t, Choice(people, "Sofie de Vries"), "two have this name")
	assert.Equal(t, 3, Choice(people, "3. Sofie de Vries"), "the number says which")
	assert.Equal(t, 4, Choice(people, "李"))
	assert.Zero(t, Choice(people, "👶"), "a name without letters is nothing")
	assert.Zero(t, Choice(people, ""))
	assert.Equal(t, 6, Choice(people, "العربية"))
	assert.Zero(t, Choice(people, "Sofie"))
}

func TestWordsWorkInBothLanguages(t *testing.T) {
	c := load(t)
	for typed, want := range map[string]string{
		"intrekken": "withdraw", "Withdraw": "withdraw", "INTREKKEN!": "withdraw", " intrekken. ": "withdraw",
		"hulp": "help", "help": "help", "help?": "help", "Help!!!": "help",
		"terug": "back", "back": "back", "opnieuw": "repeat", "again": "repeat",
		"stop": "stop", "stoppen": "stop", "STOP.": "stop", "engels": "english", "English": "english", "nederlands": "dutch", "dutch": "dutch",
		"st\u200bop": "stop", "ｓｔｏｐ": "stop",

		"intrekken?": "", "stop?": "", "ik wil stoppen": "", "niet intrekken": "", "helpen": "", "stopper": "",
		"kunt u mij terug bellen": "", "ja": "", "1": "", "help mij intrekken": "",
	} {
		assert.Equal(t, want, c.Word(typed), "%q", typed)
	}
}

func TestEveryWordOfCareCanBeTyped(t *testing.T) {
	spelled := map[string]bool{}
	for _, word := range load(t).words {
		spelled[word] = true
	}
	for _, w := range []care.Word{
		care.WordWithdraw, care.WordHelp, care.WordBack, care.WordRepeat, care.WordStop, care.WordDutch, care.WordEnglish, care.WordRecord,
	} {
		assert.True(t, spelled[string(w)], w)
		delete(spelled, string(w))
	}
	assert.Empty(t, spelled, "words that care does not know")
}

func TestAButtonIsItsNumber(t *testing.T) {
	for n := -1; n <= 12; n++ {
		if n < 1 || n > 5 {
			assert.Empty(t, Button(n))
			continue
		}
		assert.Equal(t, n, ButtonNumber(Button(n)))
		assert.Contains(t, Button(n), "\ufe0f", "clients compare the exact key")
		assert.Equal(t, n, ButtonNumber(strings.ReplaceAll(Button(n), "\ufe0f", "")))
	}
	for key, want := range map[string]int{"1": 1, "7️⃣": 7, "0️⃣": 0, "🔟": 0, "👍": 0, "11️⃣": 0, "1️⃣1️⃣": 0, "#️⃣": 0, "*️⃣": 0, "a": 0} {
		assert.Equal(t, want, ButtonNumber(key), "%q", key)
	}
}

func TestChoiceAndWordTakeAnything(t *testing.T) {
	c := load(t)
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.String().Draw(t, "typed")
		if n := Choice(yesNo, typed); n < 0 || n > len(yesNo) {
			t.Fatalf("%q: option %d does not exist", typed, n)
		}
		c.Word(typed)
		if n := ButtonNumber(typed); n < 0 || n > 9 {
			t.Fatalf("%q: button %d does not exist", typed, n)
		}
		if again := normal(normal(typed)); again != normal(typed) {
			t.Fatalf("%q: normal is not stable: %q", typed, again)
		}
	})
}
