// Package texts holds every text a person sees, in Dutch and English: nl.yaml and en.yaml
// are the texts, one file per language with the same keys. Start at Load. An entry is a
// sentence or a question: what is asked, its options with the words that mean them, and
// the last line that says what to type. What people type is understood in choice.go and
// word.go; nothing is guessed.
//
// Texts are plain text: the caller makes HTML of them. Nothing here knows the rules.
package texts
