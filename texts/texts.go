package texts

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// dutch is the language of whoever has chosen none.
const dutch = "nl"

// fallback is the key of the sentence that stands for a text we do not have.
const fallback = "fallback"

// manyOptions is from how many options the last line gives a range.
const manyOptions = 7

// A Catalog is all texts in all languages. It is safe for concurrent use.
type Catalog struct {
	languages map[string]language
	words     map[string]string // normalised spelling → word, of all languages
}

// A language is the texts of one file by key.
type language map[string]*entry

// An Option is one of the answers to a question.
type Option struct {
	Label string   `yaml:"label"`
	Also  []string `yaml:"also"` // other words that mean it
}

// entry finds a text; an unknown language is Dutch.
func (c *Catalog) entry(lang, key string) *entry {
	texts, ok := c.languages[lang]
	if !ok {
		texts = c.languages[dutch]
	}
	return texts[key]
}

// Has says whether there is a text with this key (in both languages: Load sees to that).
func (c *Catalog) Has(key string) bool { return c.entry(dutch, key) != nil }

// Text is a text with its blanks filled in; of a question, only what is asked. A key that
// does not exist gives a neutral sentence with the phone number, never the key itself:
// a caller that must notice asks Has.
func (c *Catalog) Text(lang, key string, a Args) string {
	e := c.entry(lang, key)
	if e == nil {
		e = c.entry(lang, fallback)
	}
	text, err := fill(e.ask, a)
	if err != nil {
		return c.neutral(lang)
	}
	return text
}

// Day is a day in words: "woensdag 2 december".
func (c *Catalog) Day(lang string, day time.Time) string {
	name := c.Text(lang, "weekday."+strings.ToLower(day.Weekday().String()), Args{})
	month := c.Text(lang, "month."+strings.ToLower(day.Month().String()), Args{})
	return fmt.Sprintf("%s %d %s", name, day.Day(), month)
}

// neutral is the fallback without blanks; Load has seen that it can be made.
func (c *Catalog) neutral(lang string) string {
	text, _ := fill(c.entry(lang, fallback).ask, Args{})
	return text
}

// Options are the fixed options of a question; nil for one with a typed answer. Of "whom"
// they are the first and the last two: who was named before comes between them.
func (c *Catalog) Options(lang, key string) []Option {
	e := c.entry(lang, key)
	if e == nil {
		return nil
	}
	return e.options
}

// Question is a question as it is put in chat: what is asked, the options each on a line
// of its own, and last what to type. Without options it takes the fixed ones.
func (c *Catalog) Question(lang, key string, a Args, options []Option) string {
	e := c.entry(lang, key)
	if e == nil {
		return c.Text(lang, key, a)
	}
	if options == nil {
		options = e.options
	}
	var text strings.Builder
	text.WriteString(c.Text(lang, key, a) + "\n")
	for i, o := range options {
		fmt.Fprintf(&text, "%d. %s\n", i+1, strings.Join(strings.Fields(o.Label), " "))
	}
	text.WriteString(c.lastLine(lang, e, a, len(options)))
	return text.String()
}

// lastLine says what to type: the question's own words, or the numbers of the options.
func (c *Catalog) lastLine(lang string, e *entry, a Args, options int) string {
	if e.last != nil {
		if line, err := fill(e.last, a); err == nil {
			return line
		}
	}
	if options >= manyOptions {
		return c.Text(lang, "choose.many", Args{Number: int64(options)})
	}
	numbers := make([]string, options)
	for i := range numbers {
		numbers[i] = strconv.Itoa(i + 1)
	}
	return c.Text(lang, "choose", Args{Items: numbers})
}
