package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/e2e/client"
)

// shows is an event of the bot with a text.
func shows(id, text string, change ...func(*client.Event)) client.Event {
	content, err := json.Marshal(map[string]any{"msgtype": "m.text", "body": "Anneke de Berg: " + text})
	if err != nil {
		panic(err) // strings always marshal
	}
	e := client.Event{ID: id, Type: "m.room.message", Sender: "@bot:test", Content: content}
	for _, f := range change {
		f(&e)
	}
	return e
}

func reactions(keys ...string) func(*client.Event) {
	return func(e *client.Event) {
		for _, key := range keys {
			e.Reactions = append(e.Reactions, client.Reaction{Key: key})
		}
	}
}

func answering(id string) func(*client.Event) {
	return func(e *client.Event) { e.RelatesTo.ReplyTo.EventID = id }
}

// The checks themselves are checked: what they are there for, they find.
func TestTheChecksFindWhatIsWrong(t *testing.T) {
	text, reply := &message{n: 1, kind: "text"}, &message{n: 2, kind: "reply", answers: "vraag 1."}
	edit := &message{n: 3, kind: "edit", edited: "verbeterd vraag 3."}
	reaction, removal := &message{n: 4, kind: "reaction", keys: []string{"👍"}}, &message{n: 5, kind: "removal", gone: true}
	all := []*message{text, reply, edit, reaction, removal}
	for _, m := range all {
		m.side = side{word: "vraag"}
	}
	good := []client.Event{
		shows("$1", "vraag 1."), shows("$2", "vraag 2.", answering("$1")), shows("$3", "verbeterd vraag 3."), shows("$4", "vraag 4.", reactions("👍")),
	}
	replaced := func(i int, by ...client.Event) []client.Event {
		return append(append(append([]client.Event{}, good[:i]...), by...), good[i+1:]...)
	}
	for name, c := range map[string]struct {
		events                  []client.Event
		lost, doubled, disorder int
	}{
		"all is well":                 {good, 0, 0, 0},
		"nothing came":                {nil, 4, 0, 0},
		"one is missing":              {replaced(3), 1, 0, 0},
		"one came twice":              {replaced(0, good[0], shows("$1b", "vraag 1.")), 0, 1, 0},
		"two changed places":          {[]client.Event{good[1], good[0], good[2], good[3]}, 0, 0, 1},
		"the edit is missing":         {replaced(2, shows("$3", "vraag 3.")), 1, 0, 0},
		"the reply answers nothing":   {replaced(1, shows("$2", "vraag 2.")), 1, 0, 0},
		"the reaction is missing":     {replaced(3, shows("$4", "vraag 4.")), 1, 0, 0},
		"the reaction came twice":     {replaced(3, shows("$4", "vraag 4.", reactions("👍", "👍"))), 0, 1, 0},
		"what was removed is shown":   {append(replaced(3, good[3]), shows("$5", "vraag 5.")), 1, 0, 0},
		"someone else's do not count": {append(replaced(0, good[0]), shows("$6", "antwoord 1.")), 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(all, "vraag", 0, []client.Room{{Timeline: c.events}}, "@fatima:test")
			assert.Equal(t, []int{c.lost, c.doubled, c.disorder}, []int{got.Lost, got.Doubled, got.Disorder}, got.String())
		})
	}
}

func TestTheChecksOfTheHISFindWhatIsWrong(t *testing.T) {
	edit := &message{n: 1, kind: "edit", edited: "verbeterd vraag 1.", side: side{word: "vraag"}}
	photo := &message{n: 2, kind: "photo", file: []byte("x"), side: side{word: "vraag"}}
	removal := &message{n: 3, kind: "removal", gone: true, side: side{word: "vraag"}}
	for name, c := range map[string]struct {
		letters                 []string
		attachments             int
		lost, doubled, disorder int
	}{
		"all is well":               {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2."}, 1, 0, 0, 0},
		"a removed one was in time": {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2.", "vraag 3."}, 1, 0, 0, 0},
		"the whole conversation":    {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2.", closing + "\n\nvraag 1.\nvraag 2."}, 1, 0, 0, 0},
		"the edit is missing":       {[]string{"vraag 1.", "vraag 2."}, 1, 1, 0, 0},
		"one is there twice":        {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2.", "vraag 2."}, 1, 0, 1, 0},
		"the photo is missing":      {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2."}, 0, 1, 0, 0},
		"two changed places":        {[]string{"vraag 2.", "vraag 1.", "verbeterd vraag 1."}, 1, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bed{letters: map[string]string{}}
			b.his = t.TempDir()
			dir := filepath.Join(b.his, "4711", "1")
			require.NoError(t, os.MkdirAll(dir, 0o700))
			write := func(name, text string) {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
			}
			for i, letter := range c.letters {
				write(fmt.Sprintf("%04d-abc.txt", i+1), letter)
				write(fmt.Sprintf("%04d-abc.json", i+1), "{}")
			}
			for range c.attachments {
				write("0003-abc-bijlage-vraag-2.png", "x")
			}
			if c.attachments > 0 {
				write("0003-abc.json", "{}")
			}
			write("0009-abc.txt", "vraag 2.") // not complete: there is no Bundle
			got := b.inTheHIS([]*message{edit, photo, removal}, "vraag", 0)
			assert.Equal(t, []int{c.lost, c.doubled, c.disorder}, []int{got.Lost, got.Doubled, got.Disorder}, got.String())
		})
	}
}

func TestTheTableKeepsTheLastOfEachFault(t *testing.T) {
	dir := t.TempDir()
	file, doc := filepath.Join(dir, "results", "rows.jsonl"), filepath.Join(dir, "doc.md")
	require.NoError(t, os.WriteFile(doc, []byte("before\n"+begin+"\nold\n"+end+"\nafter\n"), 0o600))
	for _, r := range []row{
		{Fault: "clock", Setting: "b", Kills: 1},
		{Fault: "delay", Setting: "a", tally: tally{Messages: 5, Lost: 1}},
		{Fault: "delay", Setting: "a", Date: "2026-11-25", Seed: 7, Seconds: 61, tally: tally{Messages: 6}},
	} {
		require.NoError(t, r.record(file))
	}
	require.NoError(t, writeTable(file, doc))
	text, err := os.ReadFile(doc)
	require.NoError(t, err)
	assert.Regexp(t, `(?s)^before\n.*\| requests and transactions held up \| a \| 0 \| 0 \| 0 \| 6 \| 0 \| 0 \| 0 \|\n\| clock set back an hour, twice \| b \| .*`+
		`\| \*\*all\*\* \| \| 0 \| 1 \| 0 \| 6 \| 0 \| 0 \| 0 \|\n.*\nafter\n$`, string(text))
	assert.NotContains(t, string(text), "old")
}
