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

const editedCommand = "Uw wijziging is niet uitgevoerd en niet doorgegeven. Een opdracht die u wijzigt"

// beheer is where staff decide about accounts.
func (w *world) beheer() id.RoomID { return w.roomFor(store.RoomBeheer, linde) }

// answered are the texts with which the bot answered an event.
func (w *world) answered(room id.RoomID, to id.EventID) (all []string) {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	for _, e := range w.matrix.room(room).events {
		m, ok := e.Content.Parsed.(*event.MessageEventContent)
		if ok && e.Sender == botID && m.RelatesTo.GetReplyTo() == to {
			all = append(all, m.Body)
		}
	}
	return all
}

func TestStaffHearThatAnEditedCommandIsNotCarriedOut(t *testing.T) {
	for name, where := range map[string]func(w *world, talk id.RoomID) id.RoomID{
		"conversation": func(_ *world, talk id.RoomID) id.RoomID { return talk },
		"Balie":        func(w *world, _ id.RoomID) id.RoomID { return w.balie() },
		"Beheer":       func(w *world, _ id.RoomID) id.RoomID { return w.beheer() },
	} {
		for _, now := range []string{"!naam Iemand Anders", "!naam Fatma", "Goedemiddag kanarie"} {
			t.Run(name+" "+now, func(t *testing.T) {
				w := newWorld(t)
				consulting, talk := w.talking(anna, "Een vraag")
				room := where(w, talk)
				typed := w.writes(fatima, room, "!naam Fatma")
				before := len(w.answered(room, typed))
				require.Equal(t, 1, before)
				seen, letters := w.heard(consulting), len(w.letters())
				w.edits(fatima, room, typed, now)
				told := w.answered(room, typed)
				require.Len(t, told, 2)
				assert.Contains(t, told[1], editedCommand)
				assert.Equal(t, seen, w.heard(consulting), "nothing crosses")
				assert.Len(t, w.letters(), letters, "nor is it filed")
				m, _, err := w.Store.Staff(t.Context(), string(fatima))
				require.NoError(t, err)
				assert.Equal(t, "Fatma", m.Name)
			})
		}
	}
}

// What the patient is told by a command is on its way: an edit of the command is no edit of that.
func TestAnEditOfACommandThatIsOnItsWayDoesNotCross(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.matrix.fails = func(call string, room id.RoomID) error {
		if room == consulting {
			return assert.AnError
		}
		return nil
	}
	typed := w.writes(fatima, talk, "!langskomen")
	w.edits(fatima, talk, typed, "Een kanarie voor collega's")
	w.matrix.fails = nil
	w.passes(time.Minute)
	assert.Contains(t, w.answered(talk, typed)[0], editedCommand)
	assert.NotContains(t, w.heard(consulting), "kanarie")
	assert.NotContains(t, strings.Join(w.letters(), ""), "kanarie")
	assert.Equal(t, 1, strings.Count(w.heard(consulting), "moeten wij zien"), "the command is carried out, once")
}

func TestACommandThatWaitsForTheHISIsCarriedOutOnceAsItWasTypedFirst(t *testing.T) {
	h := &findingHIS{}
	w, consulting, beheer := finding(t, h)
	w.passes(findLater)
	h.found, h.fails = append(h.found, annaInHIS()), assert.AnError
	typed := w.writes(chef, beheer, "!goedkeuren "+code(w.person(anna))+" P-4711 123456782")
	w.edits(chef, beheer, typed, "!goedkeuren "+code(w.person(anna))+" P-4712 111222333")
	assert.Len(t, w.answered(beheer, typed), 1, "at once")
	h.fails = nil
	w.passes(maxBackoff)
	assert.Equal(t, care.Identity{PatientNumber: "P-4711", BSN: "123456782"}, w.person(anna).Identity)
	for _, q := range h.asked {
		assert.NotEqual(t, "111222333", q.BSN)
	}
	w.edits(chef, beheer, typed, "!afwijzen "+code(w.person(anna)))
	assert.Equal(t, care.Active, w.person(anna).State)
	assert.Equal(t, 1, strings.Count(w.heard(beheer), "is goedgekeurd door Chef"))
	w.keepsNoBSN(consulting)
}

func TestAMessageThatIsEditedIntoACommandStaysAndThatIsSaid(t *testing.T) {
	for name, edit := range map[string]map[string]any{
		"plainly":                     {"body": "* !dossier P-1 123456782", "m.new_content": map[string]any{"msgtype": "m.text", "body": "!dossier P-1 123456782"}},
		"without new content":         {"body": "* !sluiten"},
		"with a quote, without":       {"body": "* > <@anna:elders.example> Hoi\n\n!sluiten"},
		"with a space before it":      {"body": " * !sluiten"},
		"by a client that quotes too": {"body": "* > <@anna:elders.example> Hoi\n\n!sluiten", "m.new_content": map[string]any{"msgtype": "m.text", "body": "> <@anna:elders.example> Hoi\n\n!sluiten"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			consulting, talk := w.talking(anna, "Een vraag")
			said := w.writes(fatima, talk, "Een antwoord")
			seen, letters := w.heard(consulting), len(w.letters())
			edit["msgtype"] = "m.text"
			edit["m.relates_to"] = map[string]any{"rel_type": "m.replace", "event_id": string(said)}
			w.happens(fatima, talk, event.EventMessage, edit)
			told := w.answered(talk, said)
			require.Len(t, told, 1)
			assert.Contains(t, told[0], "Uw wijziging is niet doorgegeven en niet uitgevoerd")
			assert.Equal(t, seen, w.heard(consulting))
			assert.Len(t, w.letters(), letters)
			c, _, err := w.Store.Conversation(t.Context(), w.person(anna).Current)
			require.NoError(t, err)
			assert.Equal(t, care.Open, c.State)
			assert.Equal(t, "P-4711", w.person(anna).Identity.PatientNumber)
		})
	}
}

func TestInAStaffRoomOnlyEditsAboutCommandsAreAnswered(t *testing.T) {
	w := newWorld(t)
	const mark = id.UserID("@mark:praktijk.example")
	w.staff(mark, "Mark", care.Huisarts)
	w.talking(anna, "Een vraag")
	said := w.writes(fatima, w.balie(), "Wie neemt de telefoon?")
	w.edits(fatima, w.balie(), said, "Wie neemt de telefoon op?")
	assert.Empty(t, w.answered(w.balie(), said), "staff talk among themselves")
	w.edits(fatima, w.balie(), said, "!naam Iemand")
	require.Len(t, w.answered(w.balie(), said), 1)
	assert.Contains(t, w.answered(w.balie(), said)[0], "Een opdracht telt alleen in een nieuw bericht.")

	typed := w.writes(fatima, w.balie(), "!naam Fatma")
	w.edits(mark, w.balie(), typed, "!naam Van Mark") // no client shows it
	assert.Len(t, w.answered(w.balie(), typed), 1)
	assert.NotContains(t, w.heard(w.balie()), editedCommand)
}

// A command may stand in a thread, and people may answer one: what it says stays among staff.
func TestRepliesToACommandDoNotShowItToThePatient(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	said := w.writes(fatima, talk, "Een antwoord")
	typed := w.happens(fatima, talk, event.EventMessage, related("!naam Kanarie", "m.thread", said, nil))
	require.Len(t, w.answered(talk, typed), 1)
	w.edits(fatima, talk, typed, "!naam Iemand")
	require.Len(t, w.answered(talk, typed), 2)
	w.happens(fatima, talk, event.EventMessage, replying("> <"+string(fatima)+"> !naam Kanarie\n\nTot ziens", typed))
	w.happens(fatima, talk, event.EventMessage, related("Tot morgen", "m.thread", typed, nil))
	assert.Contains(t, w.heard(consulting), "Tot ziens")
	assert.Contains(t, w.heard(consulting), "Tot morgen")
	assert.NotContains(t, w.heard(consulting), "!naam")
}

func TestWhatAnEditIsAboutIsAskedUntilTheHomeserverSays(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	typed := w.writes(fatima, talk, "!naam Fatma")
	w.matrix.unread = map[id.EventID]error{typed: assert.AnError}
	w.edits(fatima, talk, typed, "Een kanarie")
	assert.Len(t, w.answered(talk, typed), 1)
	w.matrix.unread = nil
	w.passes(time.Minute)
	w.passes(time.Minute)
	require.Len(t, w.answered(talk, typed), 2)
	assert.Contains(t, w.answered(talk, typed)[1], editedCommand)

	w.matrix.noKey[typed] = true
	w.edits(fatima, talk, typed, "Een kanarie")
	assert.Contains(t, w.heard(talk), "want het bericht zelf is niet bij de patiënt gekomen")
	assert.NotContains(t, w.heard(consulting), "kanarie")
}
