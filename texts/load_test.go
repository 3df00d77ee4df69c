package texts

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func load(t testing.TB) *Catalog {
	t.Helper()
	c, err := Load()
	require.NoError(t, err)
	return c
}

// read makes a catalog of two small files, as Load does of the real ones.
func read(nl, en string) error {
	c := &Catalog{languages: map[string]language{}, words: map[string]string{}}
	const needed = "fallback: sorry\nchoose: x\nchoose.many: x\n"
	if err := c.add("nl", []byte(needed+nl)); err != nil {
		return err
	}
	if err := c.add("en", []byte(needed+en)); err != nil {
		return err
	}
	return c.check()
}

func TestTheTextsLoad(t *testing.T) { load(t) }

func TestWhatIsWrongInAFileIsNamed(t *testing.T) {
	for _, tt := range []struct{ name, nl, en, want string }{
		{"a key is missing in one language", "a: x", "", "texts en: a: is missing"},
		{"a key is missing in the other language", "", "b: x", "texts nl: b: is missing"},
		{"a key stands there twice", "a: x\na: y", "a: x", "already defined"},
		{"a blank does not exist", "a: '{{.Nobody}}'", "a: x", "Nobody"},
		{"a blank does not exist in the branch of a full text", "a: '{{if .Phone}}{{.Nobody}}{{end}}x'", "a: x", "Nobody"},
		{"a template is not closed", "a: '{{.Phone'", "a: x", "a: line"},
		{"a text is empty", "a: ''", "a: x", "texts nl: a: is empty"},
		{"a question has fewer options", "a: {ask: x, options: [{label: j}]}", "a: x", "has 0 options"},
		{
			"an answer means two options",
			"a: {ask: x, options: [{label: j}, {label: n, also: [J]}]}", "a: {ask: x, options: [{label: j}, {label: n}]}",
			`"j" does not mean option 1 only`,
		},
		{"a word means two things", "words: {help: [stop], stop: [Stop]}", "", "words"},
		{"a word is nothing but punctuation", "words: {help: ['!']}", "", "words"},
		{"a file is no list of texts", "- a", "", "yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.ErrorContains(t, read(tt.nl, tt.en), tt.want) })
	}
	assert.NoError(t, read("a: x", "a: y"))
}

func TestAMissingTextSaysSomethingNeutral(t *testing.T) {
	c := load(t)
	assert.False(t, c.Has("no.such.key"))
	assert.True(t, c.Has("help"))
	for _, lang := range []string{"nl", "en"} {
		text := c.Text(lang, "no.such.key", Args{Phone: "010 1234567"})
		assert.NotContains(t, text, "no.such.key")
		assert.Contains(t, text, "010 1234567")
		assert.NotEmpty(t, c.Text(lang, "no.such.key", Args{}))
		assert.Equal(t, text, c.Question(lang, "no.such.key", Args{Phone: "010 1234567"}, nil))
		assert.Nil(t, c.Options(lang, "no.such.key"))
	}
}

func TestAnUnknownLanguageIsDutch(t *testing.T) {
	c := load(t)
	for _, lang := range []string{"", "de", "NL", "../en"} {
		assert.Equal(t, c.Text("nl", "help", full), c.Text(lang, "help", full))
		assert.Equal(t, c.Options("nl", "terms"), c.Options(lang, "terms"))
	}
}

func TestWhatIsFilledInIsNeverATemplate(t *testing.T) {
	c := load(t)
	evil := "{{.Phone}}{{template \"x\"}}<b>{{end}}"
	assert.Contains(t, c.Text("nl", "account.awaiting", Args{FirstName: evil}), evil)
	assert.Contains(t, c.Question("nl", "whom", Args{}, []Option{{Label: evil}}), evil)
}

func TestTheCatalogCanBeReadAtTheSameTime(t *testing.T) {
	c := load(t)
	for range 8 {
		t.Run("reader", func(t *testing.T) {
			t.Parallel()
			for key := range c.languages["nl"] {
				c.Text("en", key, full)
				c.Word(key)
			}
		})
	}
}
