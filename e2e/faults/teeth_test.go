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

func inThread(root string) func(*client.Event) {
	return func(e *client.Event) { e.RelatesTo.Type, e.RelatesTo.EventID = "m.thread", root }
}

func named(file string) func(*client.Event) {
	return func(e *client.Event) {
		e.Content = json.RawMessage(fmt.Sprintf(`{"msgtype":"m.image","body":"Anneke de Berg","filename":%q}`, file))
	}
}

// The checks themselves are checked: what they are there for, they find.
func TestTheChecksFindWhatIsWrong(t *testing.T) {
	text, reply := &message{n: 1, kind: "text"}, &message{n: 2, kind: "reply", answers: "vraag 1."}
	edit := &message{n: 3, kind: "edit", edited: "verbeterd vraag 3."}
	reaction, removal := &message{n: 4, kind: "reaction", keys: []string{"👍"}}, &message{n: 5, kind: "removal", gone: true}
	taken, thread := &message{n: 6, kind: "reaction taken away", taken: "❤️"}, &message{n: 7, kind: "thread", thread: "vraag 1."}
	mention, sticker := &message{n: 8, kind: "mention", hidden: "@anna:test"}, &message{n: 9, kind: "sticker"}
	all := []*message{text, reply, edit, reaction, removal, taken, thread, mention, sticker}
	for _, m := range all {
		m.side = side{word: "vraag"}
	}
	good := []client.Event{
		shows("$1", "vraag 1."), shows("$2", "vraag 2.", answering("$1")), shows("$3", "verbeterd vraag 3."), shows("$4", "vraag 4.", reactions("👍")),
		shows("$6", "vraag 6."), shows("$7", "vraag 7.", inThread("$1")), shows("$8", "Anneke noem mij vraag 8."), shows("$9", "", named("vraag 9..png")),
	}
	replaced := func(i int, by ...client.Event) []client.Event {
		return append(append(append([]client.Event{}, good[:i]...), by...), good[i+1:]...)
	}
	for name, c := range map[string]struct {
		events                  []client.Event
		lost, doubled, disorder int
	}{
		"all is well":                 {good, 0, 0, 0},
		"nothing came":                {nil, 8, 0, 0},
		"one is missing":              {replaced(3), 1, 0, 0},
		"one came twice":              {replaced(0, good[0], shows("$1b", "vraag 1.")), 0, 1, 0},
		"two changed places":          {append([]client.Event{good[1], good[0]}, good[2:]...), 0, 0, 1},
		"the edit is missing":         {replaced(2, shows("$3", "vraag 3.")), 1, 0, 0},
		"the reply answers nothing":   {replaced(1, shows("$2", "vraag 2.")), 1, 0, 0},
		"the reaction is missing":     {replaced(3, shows("$4", "vraag 4.")), 1, 0, 0},
		"the reaction came twice":     {replaced(3, shows("$4", "vraag 4.", reactions("👍", "👍"))), 0, 1, 0},
		"what was removed is shown":   {replaced(3, good[3], shows("$5", "vraag 5.")), 1, 0, 0},
		"the reaction is still there": {replaced(4, shows("$6", "vraag 6.", reactions("❤️"))), 1, 0, 0},
		"the thread is none":          {replaced(5, shows("$7", "vraag 7.", answering("$1"))), 1, 0, 0},
		"it continues another":        {replaced(5, shows("$7", "vraag 7.", inThread("$2"))), 1, 0, 0},
		"an address came across":      {replaced(6, shows("$8", "@anna:test noem mij vraag 8.")), 1, 0, 0},
		"the sticker is missing":      {replaced(7), 1, 0, 0},
		"someone else's do not count": {replaced(0, good[0], shows("$10", "antwoord 1.")), 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(all, "vraag", 0, []client.Room{{Timeline: c.events}}, "@fatima:test")
			assert.Equal(t, []int{c.lost, c.doubled, c.disorder}, []int{got.Lost, got.Doubled, got.Disorder}, got.String())
		})
	}
}

func TestTheChecksOfTheHISFindWhatIsWrong(t *testing.T) {
	edit := &message{n: 1, kind: "edit", edited: "verbeterd vraag 1."}
	photo := &message{n: 2, kind: "photo", file: []byte("x"), filed: "vraag-2.png"}
	removal, never := &message{n: 3, kind: "removal", gone: true}, &message{n: 4, kind: "removal", gone: true, unfiled: true}
	all := []*message{edit, photo, removal, never}
	for _, m := range all {
		m.side = side{word: "vraag"}
	}
	gone := removed + "patiënt\n\nmark3"
	for name, c := range map[string]struct {
		letters                 []string
		files                   []string
		lost, doubled, disorder int
	}{
		"all is well":             {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2."}, []string{"vraag-2.png"}, 0, 0, 0},
		"a removed one was filed": {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2.", "vraag 3.", gone}, []string{"vraag-2.png"}, 0, 0, 0},
		"nobody says it was":      {[]string{"vraag 1.", "vraag 2.", "vraag 3.", "verbeterd vraag 1."}, []string{"vraag-2.png"}, 1, 0, 0},
		"one could not be filed":  {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2.", "vraag 4."}, []string{"vraag-2.png"}, 1, 0, 0},
		"the whole conversation":  {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2.", closing + "\n\nvraag 1.\nvraag 2."}, []string{"vraag-2.png"}, 0, 0, 0},
		"the edit is missing":     {[]string{"vraag 1.", "vraag 2."}, []string{"vraag-2.png"}, 1, 0, 0},
		"one is there twice":      {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2.", "vraag 1."}, []string{"vraag-2.png"}, 0, 1, 1},
		"the photo is missing":    {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2."}, nil, 1, 0, 0},
		"another came with it":    {[]string{"vraag 1.", "verbeterd vraag 1.", "vraag 2."}, []string{"vraag-1.png"}, 1, 0, 0},
		"two changed places":      {[]string{"vraag 2.", "vraag 1.", "verbeterd vraag 1."}, []string{"vraag-2.png"}, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := filedFor(t, c.letters, c.files)
			got := b.inTheHIS(all, "vraag", 0)
			assert.Equal(t, []int{c.lost, c.doubled, c.disorder}, []int{got.Lost, got.Doubled, got.Disorder}, got.String())
		})
	}
	filed := filedFor(t, []string{"vraag 2."}, []string{"vraag-2.png"}).readHIS()[0]
	assert.True(t, photo.isIn(filed))
	assert.False(t, (&message{file: []byte("y"), filed: photo.filed}).isIn(filed), "other bytes")
}

// filedFor is a folder with letters, of which the one with number 2 has files; and one more that is not complete.
func filedFor(t *testing.T, letters, files []string) *bed {
	t.Helper()
	b := &bed{letters: map[string]string{}, his: t.TempDir()}
	dir := filepath.Join(b.his, "4711", "1")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for i, letter := range letters {
		n := numberIn(letter, "vraag")
		base := fmt.Sprintf("%04d-mark%d", i+1, n)
		write(base+".txt", letter)
		write(base+".json", "{}")
		for _, name := range files {
			if n == 2 {
				write(base+"-bijlage-"+name, "x")
			}
		}
	}
	write("0009-mark9.txt", "vraag 2.") // there is no Bundle
	return b
}

func TestEveryKindIsDealtOnceBeforeAnyASecondTime(t *testing.T) {
	d, dealt := &deck{random: seeded(1)}, map[string]int{}
	for range 3 {
		for _, k := range d.deal(hand(3)) {
			dealt[k.name]++
		}
	}
	assert.True(t, d.isThrough())
	for _, k := range everyKind {
		assert.Contains(t, []int{1, 2}, dealt[k.name], k.name)
	}
	assert.Len(t, dealt, len(everyKind), "each has a name of its own")
	assert.False(t, (&deck{random: seeded(1)}).isThrough())
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
