package leaks

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spreekkamer/spreekkamer/e2e/client"
)

const bot = "@bot:lindelaan.test"

func says(id, content string, change ...func(*client.Event)) client.Event {
	e := client.Event{ID: id, Sender: bot, Content: json.RawMessage(content)}
	for _, f := range change {
		f(&e)
	}
	return e
}

func event(letter string) string { return "$" + strings.Repeat(letter, 43) }

// What is in the wrong place is found, whichever part of whichever version of an event it is in.
func TestWhatStandsAtTheWrongSideIsFound(t *testing.T) {
	was := func(text string) func(*client.Event) {
		return func(e *client.Event) { e.Was = json.RawMessage(text) }
	}
	state := func(key string) func(*client.Event) { return func(e *client.Event) { e.StateKey = &key } }
	for name, c := range map[string]struct {
		atStaff, atPatient client.Event
		leaks              int
	}{
		"nothing":                        {says(event("s"), `{"body":"Anneke: hoi"}`), says(event("p"), `{"body":"Fatima: hoi"}`), 0},
		"their own":                      {says(event("s"), `{"body":"@fatima:lindelaan.test !balie:x"}`), says(event("p"), `{"body":"@anneke:elders.test elders.test"}`), 0},
		"a patient's address":            {says(event("s"), `{"m.mentions":["@anneke:elders.test"]}`), says(event("p"), `{}`), 3},
		"the name of an account":         {says(event("s"), `{"body":"anneke zegt hoi"}`), says(event("p"), `{}`), 1},
		"a patient's homeserver":         {says(event("s"), `{"url":"mxc://elders.test/x"}`), says(event("p"), `{}`), 1},
		"a colleague who is not here":    {says(event("s"), `{}`), says(event("p"), `{"via":"@joost"}`), 1},
		"a room of staff":                {says(event("s"), `{}`), says(event("p"), `{"room":"!balie:x"}`), 1},
		"a room of the patient":          {says(event("s"), `{"room":"!spreekkamer:x"}`), says(event("p"), `{}`), 1},
		"an event":                       {says(event("s"), `{}`), says(event("p"), `{"event_id":"`+event("s")+`"}`), 1},
		"an event of one's own":          {says(event("s"), `{"event_id":"`+event("s")+`"}`), says(event("p"), `{}`), 0},
		"a file":                         {says(event("s"), `{"url":"mxc://lindelaan.test/one"}`), says(event("p"), `{"url":"mxc://lindelaan.test/one"}`), 1},
		"what was removed since":         {says(event("s"), `{}`, was(`{"room":"!spreekkamer:x"}`)), says(event("p"), `{}`), 1},
		"state":                          {says(event("s"), `{}`), says(event("p"), `{}`, state("!balie:x")), 1},
		"what may be nowhere":            {says(event("s"), `{"body":"DCIM"}`), says(event("p"), `{}`), 1},
		"what people write is their own": {says(event("s"), `{"body":"!spreekkamer:x"}`, func(e *client.Event) { e.Sender = "@fatima:lindelaan.test" }), says(event("p"), `{}`), 0},
	} {
		t.Run(name, func(t *testing.T) {
			found, _ := search([]party{
				{"staff", "lindelaan.test", []string{"@fatima:lindelaan.test", "@joost"}, []client.Room{{ID: "!balie:x", Timeline: []client.Event{c.atStaff}}}},
				{"the patient", "elders.test", []string{"@anneke:elders.test"}, []client.Room{{ID: "!spreekkamer:x", Timeline: []client.Event{c.atPatient}}}},
			}, bot, []string{"DCIM"})
			assert.Len(t, found, c.leaks)
		})
	}
}
