package bridge

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

func TestStaffChooseTheNameThatPatientsSee(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	beheer := w.roomFor(store.RoomBeheer, linde)
	w.writes(fatima, talk, "!naam")
	assert.Contains(t, w.heard(talk), "!naam NAAM")
	w.writes(fatima, talk, "!naam @fatima:praktijk.example")
	assert.Contains(t, w.heard(talk), "Een naam heeft letters")
	w.writes(fatima, talk, "!naam Fatima el Idrissi")
	assert.Contains(t, w.heard(talk), `Patiënten zien u vanaf nu als "Fatima el Idrissi, doktersassistent".`)
	assert.Contains(t, w.heard(beheer), `"Fatima el Idrissi, doktersassistent"`)
	w.writes(fatima, talk, "Een antwoord")
	assert.Contains(t, w.heard(consulting), "Fatima el Idrissi, doktersassistent: Een antwoord")

	named := []care.Member{
		{UserID: string(fatima), Name: "Fatima", Role: care.Doktersassist, Practice: linde, Source: FromConfig},
		{UserID: string(chef), Name: "Chef", Role: care.Beheer, Practice: linde, Source: FromConfig},
	}
	require.NoError(t, w.TakeStaff(t.Context(), named))
	m, _, err := w.Store.Staff(t.Context(), string(fatima))
	require.NoError(t, err)
	assert.Equal(t, "Fatima el Idrissi", m.Name, "a restart does not undo it")

	w.writes(chef, beheer, "!medewerker+ "+string(fatima)+" doktersassistent F@tima")
	assert.Contains(t, w.heard(beheer), "Een naam heeft letters")
	w.writes(chef, beheer, "!medewerker+ "+string(fatima)+" doktersassistent Fatima")
	w.writes(fatima, talk, "Nog een antwoord")
	assert.Contains(t, w.heard(consulting), "Fatima, doktersassistent: Nog een antwoord", "beheer sets it anew")
}

// Beheer decides in another queue: it may come between reading who someone is and storing the name.
func TestWhoIsRemovedWhileTheyChooseANameStaysRemoved(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	m, _, err := w.Store.Staff(t.Context(), string(fatima))
	require.NoError(t, err)
	room, _, err := w.Store.Room(t.Context(), string(talk))
	require.NoError(t, err)
	typed := w.arrives(fatima, talk, event.EventMessage, map[string]any{"msgtype": "m.text", "body": "!naam Fatima el Idrissi"})
	turn, _, err := w.Store.Turn(t.Context(), string(typed), 0)
	require.NoError(t, err)
	r := request{place: place{Turn: turn, room: room}, member: m, args: []string{"Fatima", "el", "Idrissi"}}
	require.NoError(t, w.Store.RemoveStaff(t.Context(), string(fatima), w.clock))
	require.NoError(t, w.nameCommand(t.Context(), r))
	_, known, err := w.Store.Staff(t.Context(), string(fatima))
	require.NoError(t, err)
	assert.False(t, known)
}

func TestAccountsThatBeginAlikeAreNeverConfused(t *testing.T) {
	one, two := care.Person{ID: "abcdef12-aaaa"}, care.Person{ID: "abcdef13-bbbb"}
	all := []care.Person{one, two, {ID: "abcdef13-bbbc"}}
	assert.Equal(t, "abcdef12", ownCode(one, all))
	assert.Equal(t, "abcdef13-bbbb", ownCode(two, all))
	assert.Equal(t, "abcdef", ownCode(one, []care.Person{one}))
}

func TestALongerCodeIsAskedWhereTwoBeginAlike(t *testing.T) {
	w := newWorld(t)
	beheer := w.roomFor(store.RoomBeheer, linde)
	for code, name := range map[string]string{"abcdef12-3": "Jansen", "abcdef13-3": "Pietersen"} {
		require.NoError(t, w.Store.SavePerson(t.Context(), care.Person{
			ID: code, UserID: "@" + name + ":elders.example", Language: "nl", State: care.Awaiting, Answers: care.Answers{LastName: name, Practice: linde},
		}))
	}
	state := func(code string) care.AccountState {
		p, _, err := w.Store.Person(t.Context(), code)
		require.NoError(t, err)
		return p.State
	}
	w.writes(chef, beheer, "!afwijzen abcdef")
	assert.Contains(t, w.heard(beheer), "Typ de langere code:\nabcdef12: Jansen, \nabcdef13: Pietersen,")
	assert.Equal(t, care.Awaiting, state("abcdef12-3"))
	w.writes(chef, beheer, "!afwijzen #ABCDEF13")
	assert.Equal(t, care.Awaiting, state("abcdef12-3"))
	assert.Equal(t, care.Declined, state("abcdef13-3"))
	for _, none := range []string{"!afwijzen abc", "!afwijzen abcdef9"} {
		w.writes(chef, beheer, none)
		said := w.said(beheer)
		assert.Contains(t, said[len(said)-1], "Wij vinden geen aanmelding")
	}
}
