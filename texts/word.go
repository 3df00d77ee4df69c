package texts

import "strings"

// Word is the word that always works and that someone typed alone, in either language:
// "withdraw", "help", "back", "repeat", "stop", "dutch" or "english"; "" is none. A word
// inside a sentence is none, and so is a question ("intrekken?") about what cannot be undone.
func (c *Catalog) Word(typed string) string {
	word := c.words[normal(typed)]
	if (word == "withdraw" || word == "stop") && asks(typed) {
		return ""
	}
	return word
}

// buttons is how many options get a reaction to tap on.
const buttons = 5

// keycap makes a button of the digit before it.
const keycap = "\ufe0f\u20e3"

// Button is the reaction that means the nth option, with the variation selector that
// clients agree on; "" when there is none.
func Button(n int) string {
	if n < 1 || n > buttons {
		return ""
	}
	return string(rune('0'+n)) + keycap
}

// ButtonNumber is the option that a reaction means, with or without variation selector;
// 0 is none. Someone may pick a keycap above five, which has no button of its own.
func ButtonNumber(key string) int {
	key = strings.ReplaceAll(key, "\ufe0f", "")
	key = strings.TrimSuffix(key, "\u20e3")
	if len(key) != 1 || key[0] < '1' || key[0] > '9' {
		return 0
	}
	return int(key[0] - '0')
}
