package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

const (
	devries = id.UserID("@devries:praktijk.example")
	yusuf   = id.UserID("@yusuf:praktijk.example")
)

// comes lets someone new on the list of staff be asked in, and come in.
func (w *world) comes(user id.UserID, talk id.RoomID) {
	w.Helper()
	w.writes(chef, w.roomFor(store.RoomBeheer, linde), "!medewerker+ "+string(user)+" huisarts Nieuw")
	w.passes(time.Second)
	w.moves(user, talk, user, event.MembershipJoin)
	w.passes(time.Second)
}

// recapped are the texts of the threads in which earlier messages are repeated.
func (w *world) recapped(room id.RoomID) (all []string) {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	for _, e := range w.matrix.room(room).events {
		m, ok := e.Content.Parsed.(*event.MessageEventContent)
		if ok && !e.gone && e.Sender == botID && m.RelatesTo != nil && m.RelatesTo.Type == event.RelThread {
			all = append(all, m.Body)
		}
	}
	return all
}

func TestWhoComesLateSeesWhatWasSaid(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Ik heb een plek op mijn arm")
	w.passes(time.Minute)
	w.writes(fatima, talk, "Hoe lang al?")
	w.reacts(anna, consulting, w.last(consulting), "👍")
	w.passes(time.Minute)
	w.moves(fatima, talk, fatima, event.MembershipJoin)
	assert.Empty(t, w.recapped(talk), "who was asked in before the first message can read it all")

	w.comes(devries, talk)
	said := w.recapped(talk)
	require.Len(t, said, 2, w.heard(talk))
	assert.Contains(t, said[0], "02-03-2026 11:0")
	assert.Contains(t, said[0], "Anneke de Berg: Ik heb een plek op mijn arm")
	assert.Contains(t, said[1], "Fatima: Hoe lang al?")
	assert.NotContains(t, w.heard(consulting), "Eerdere berichten")
	w.moves(devries, talk, devries, event.MembershipJoin)
	assert.Len(t, w.recapped(talk), 2, "once")
}

func TestTwoWhoComeTogetherShareOneRecap(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	w.passes(time.Minute)
	for _, user := range []id.UserID{devries, yusuf} {
		w.writes(chef, w.roomFor(store.RoomBeheer, linde), "!medewerker+ "+string(user)+" huisarts Nieuw")
	}
	w.passes(time.Minute)
	for _, user := range []id.UserID{devries, yusuf} {
		w.moves(user, talk, user, event.MembershipJoin)
	}
	w.passes(time.Second)
	assert.Len(t, w.recapped(talk), 1)
}

func TestWhoMayNotAnswerGetsNoRecap(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	w.passes(time.Minute)
	w.writes(chef, w.roomFor(store.RoomBeheer, linde), "!medewerker+ "+string(yusuf)+" servicedesk Yusuf")
	w.passes(time.Minute)
	w.moves(yusuf, talk, yusuf, event.MembershipJoin)
	w.moves("@stranger:elders.example", talk, "@stranger:elders.example", event.MembershipJoin)
	assert.Empty(t, w.recapped(talk))
	w.writes(yusuf, talk, "!terug")
	assert.Empty(t, w.recapped(talk))
}

func TestARecapOnCommandShowsEditsAndLeavesOutWhatIsGone(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.passes(time.Minute)
	gone := w.writes(anna, consulting, "Dit neem ik terug")
	w.passes(time.Minute)
	kept := w.writes(anna, consulting, "Drie dagen")
	w.happens(anna, consulting, event.EventMessage, map[string]any{
		"msgtype": "m.text", "body": "* Vier dagen", "m.new_content": map[string]any{"msgtype": "m.text", "body": "Vier dagen"},
		"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": string(kept)},
	})
	w.removes(anna, consulting, gone)
	w.passes(time.Minute)
	w.writes(fatima, talk, "!terug")
	w.passes(time.Second)
	all := strings.Join(w.recapped(talk), "\n")
	assert.Contains(t, all, "Drie dagen")
	assert.Contains(t, all, "aangepast")
	assert.Contains(t, all, "Vier dagen")
	assert.NotContains(t, all, "Dit neem ik terug")
	before := len(w.recapped(talk))
	w.writes(fatima, talk, "!terug")
	w.passes(time.Second)
	assert.Len(t, w.recapped(talk), 2*before, "asking again shows it again, and no recap is repeated")
}

func TestARecapGoesWithWhatItRepeats(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.Retention = 2 * time.Hour })
	consulting, talk := w.talking(anna, "De eerste")
	w.passes(time.Hour)
	second := w.writes(anna, consulting, "De tweede")
	w.passes(time.Minute)
	w.writes(fatima, talk, "!terug")
	w.passes(time.Minute)
	require.Len(t, w.recapped(talk), 2)
	w.removes(anna, consulting, second)
	w.passes(time.Minute)
	w.sweeps()
	assert.Len(t, w.recapped(talk), 1, "removed by its sender: the repetition goes too")
	w.passes(time.Hour)
	w.sweeps()
	assert.Empty(t, w.recapped(talk), "and no repetition outlives its message")
	c, _, err := w.Store.Conversation(t.Context(), w.person(anna).Current)
	require.NoError(t, err)
	assert.Equal(t, care.Open, c.State)
}
