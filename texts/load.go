package texts

import (
	"embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"
)

//go:embed nl.yaml en.yaml
var files embed.FS

// wordsKey is the part of a file that spells the words that always work.
const wordsKey = "words"

// An entry is one text as it is in the file: a sentence, or a question with its options.
type entry struct {
	ask     *template.Template
	last    *template.Template // nil = made from the number of options
	options []Option
}

// functions are what a template can use besides the language itself.
var functions = template.FuncMap{"list": list}

// list joins items as people write them: "1, 2 of 3".
func list(items []string, or string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " " + or + " " + items[last]
}

func parse(text string) (*template.Template, error) {
	return template.New("").Funcs(functions).Parse(strings.TrimSpace(text))
}

func fill(t *template.Template, a Args) (string, error) {
	var b strings.Builder
	if err := t.Execute(&b, a); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}

// UnmarshalYAML reads a sentence, or a question {ask, options, type}.
func (e *entry) UnmarshalYAML(node *yaml.Node) (err error) {
	var question struct {
		Ask     string   `yaml:"ask"`
		Options []Option `yaml:"options"`
		Type    string   `yaml:"type"`
	}
	if node.Kind == yaml.ScalarNode {
		err = node.Decode(&question.Ask)
	} else {
		err = node.Decode(&question)
	}
	if err != nil {
		return err
	}
	e.options = question.Options
	if question.Type != "" {
		if e.last, err = parse(question.Type); err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
	}
	if e.ask, err = parse(question.Ask); err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	return nil
}

// Load reads the texts and checks them: both languages have the same keys and as many
// options, every template can be filled in, no word and no option means two things.
func Load() (*Catalog, error) {
	c := &Catalog{languages: map[string]language{}, words: map[string]string{}}
	var all []error
	for _, lang := range []string{dutch, "en"} {
		data, err := files.ReadFile(lang + ".yaml")
		if err == nil {
			err = c.add(lang, data)
		}
		if err != nil {
			all = append(all, fmt.Errorf("texts %s: %w", lang, err))
		}
	}
	if err := errors.Join(all...); err != nil {
		return nil, err
	}
	return c, c.check()
}

func (c *Catalog) add(lang string, data []byte) error {
	var file map[string]yaml.Node
	if err := yaml.Unmarshal(data, &file); err != nil {
		return err
	}
	texts := language{}
	for _, key := range slices.Sorted(maps.Keys(file)) {
		node := file[key]
		if key == wordsKey {
			if err := c.addWords(&node); err != nil {
				return err
			}
			continue
		}
		e := &entry{}
		if err := node.Decode(e); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		texts[key] = e
	}
	c.languages[lang] = texts
	return nil
}

func (c *Catalog) addWords(node *yaml.Node) error {
	var words map[string][]string
	if err := node.Decode(&words); err != nil {
		return err
	}
	for word, spellings := range words {
		for _, s := range spellings {
			s = normal(s)
			if other, taken := c.words[s]; s == "" || taken && other != word {
				return fmt.Errorf("words: %q means %q and %q", s, word, other)
			}
			c.words[s] = word
		}
	}
	return nil
}
