package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/rest"
	"github.com/spreekkamer/spreekkamer/store"
)

// A message that nobody could open, that was edited and then removed, never was.

// fromBothSides runs a story that a patient, and one that staff tell.
func fromBothSides(t *testing.T, h func(*keepingHIS) func(*Settings), story func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, across id.RoomID)) {
	t.Helper()
	for name, who := range map[string]id.UserID{"patient": anna, "staff": fatima} {
		t.Run(name, func(t *testing.T) {
			kept := &keepingHIS{files: map[string][]byte{}}
			w := newWorld(t, h(kept))
			consulting, talk := w.talking(anna, "Een vraag")
			room, across := consulting, talk
			if who == fatima {
				room, across = talk, consulting
			}
			story(t, w, kept, who, room, across)
		})
	}
}

// asItComes files every message by itself.
func asItComes(h *keepingHIS) func(*Settings) {
	return func(s *Settings) { s.Practices[0].Connector = h }
}

// all is everything that a HIS took, for looking for words.
func (h *keepingHIS) all() string {
	var all []string
	for _, item := range h.filed {
		all = append(all, item.Text)
		if item.Closing != nil {
			for _, s := range item.Closing.Said {
				all = append(all, s.Text)
			}
		}
	}
	return strings.Join(all, "\n")
}

func TestWhatIsRemovedBeforeItIsOpenedIsInNoDocument(t *testing.T) {
	for when, swept := range map[string]bool{"at once": false, "after the bridge removed its wordings": true} {
		t.Run(when, func(t *testing.T) {
			fromBothSides(t, onClosing, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, across id.RoomID) {
				missing := w.locked(who, room, "kanarie een")
				w.passes(time.Hour)
				w.edits(who, room, missing, "kanarie twee")
				w.edits(who, room, missing, "kanarie drie")
				w.removes(who, room, missing)
				if swept {
					w.sweeps()
				}
				w.writes(fatima, w.talk(anna), "!sluiten")
				assert.Contains(t, kept.all(), "Een vraag")
				assert.NotContains(t, kept.all(), "kanarie")
				w.sweeps()
				assert.Empty(t, w.left(across, "kanarie"))
			})
		})
	}
}

func TestWhatIsRemovedBeforeItIsOpenedIsNotFiledLater(t *testing.T) {
	for when, swept := range map[string]bool{"at once": false, "after the bridge removed its wordings": true} {
		t.Run(when, func(t *testing.T) {
			fromBothSides(t, asItComes, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, _ id.RoomID) {
				missing := w.locked(who, room, "kanarie een")
				w.passes(time.Hour)
				kept.err = assert.AnError
				w.writes(who, room, "Dit gaat voor")
				w.edits(who, room, missing, "kanarie twee")
				w.edits(who, room, missing, "kanarie drie")
				w.removes(who, room, missing)
				if swept {
					w.sweeps()
				}
				kept.err = nil
				w.passes(maxBackoff)
				assert.Contains(t, kept.all(), "Dit gaat voor")
				assert.NotContains(t, kept.all(), "kanarie")
				assert.NotContains(t, w.heard(w.talk(anna)), "Daar blijft het staan")
			})
		})
	}
}

// The system may have it: it was asked, and did not answer.
func TestOfWhatTheSystemMayHaveTheRemovalIsFiled(t *testing.T) {
	fromBothSides(t, asItComes, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, _ id.RoomID) {
		missing := w.locked(who, room, "kanarie een")
		w.passes(time.Hour)
		kept.err = assert.AnError
		w.edits(who, room, missing, "kanarie twee")
		w.removes(who, room, missing)
		w.sweeps()
		kept.err = nil
		w.passes(maxBackoff)
		last := kept.filed[len(kept.filed)-1]
		assert.Equal(t, his.KindRemoval, last.Kind)
		assert.Equal(t, his.MessageID(string(missing)), last.Replaces)
		assert.NotContains(t, kept.all(), "kanarie")
	})
}

func TestWhatStandsForAMissingMessageStaysInTheRecordWhenThatIsRemoved(t *testing.T) {
	fromBothSides(t, asItComes, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, _ id.RoomID) {
		missing := w.locked(who, room, "nooit gelezen")
		w.passes(time.Hour)
		w.edits(who, room, missing, "wat er stond")
		w.removes(who, room, missing)
		last := kept.filed[len(kept.filed)-1]
		assert.Equal(t, his.KindRemoval, last.Kind)
		assert.Equal(t, his.MessageID(string(missing)), last.Replaces)
		assert.Contains(t, w.heard(w.talk(anna)), "Daar blijft het staan, met de opmerking dat het is verwijderd")
	})
}

// standsForMissing edits what nobody could open, and gives how that was filed.
func (w *world) standsForMissing(kept *keepingHIS, who id.UserID, room id.RoomID) (edit id.EventID, filed his.Item) {
	w.Helper()
	missing := w.locked(who, room, "nooit gelezen")
	w.passes(time.Hour)
	edit = w.edits(who, room, missing, "wat er stond")
	return edit, kept.filed[len(kept.filed)-1]
}

// The record knows what stands for a missing message by that message: so does what is said of it later.
func TestTheRemovalOfWhatStandsForAMissingMessageNamesWhatIsInTheRecord(t *testing.T) {
	fromBothSides(t, asItComes, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, _ id.RoomID) {
		edit, filed := w.standsForMissing(kept, who, room)
		w.removes(who, room, edit)
		last := kept.filed[len(kept.filed)-1]
		assert.Equal(t, his.KindRemoval, last.Kind)
		assert.Equal(t, filed.ID, last.Replaces)
		w.writes(fatima, w.talk(anna), "!sluiten")
		assert.Contains(t, kept.all(), "met kenmerk "+his.Mark(filed.ID))
	})
}

func TestAReplyToWhatStandsForAMissingMessageAnswersWhatIsInTheRecord(t *testing.T) {
	fromBothSides(t, asItComes, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, across id.RoomID) {
		edit, filed := w.standsForMissing(kept, who, room)
		other := map[id.UserID]id.UserID{anna: fatima, fatima: anna}[who]
		for at, shown := range map[id.RoomID]id.EventID{across: w.left(across, "wat er stond")[0], room: edit} {
			from := map[bool]id.UserID{true: other, false: who}[at == across]
			w.happens(from, at, event.EventMessage, replying("Daarop", shown))
			assert.Equal(t, filed.ID, kept.filed[len(kept.filed)-1].InReplyTo)
		}
	})
}

func TestWhatStandsForAMissingMessageStaysInTheDocumentWhenThatIsRemoved(t *testing.T) {
	fromBothSides(t, onClosing, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, _ id.RoomID) {
		talk := w.talk(anna)
		missing := w.locked(who, room, "nooit gelezen")
		w.passes(time.Hour)
		w.edits(who, room, missing, "wat er stond")
		w.writes(fatima, talk, "!sluiten")
		assert.Contains(t, kept.all(), "wat er stond")
		w.removes(who, room, missing)
		assert.Contains(t, w.heard(talk), "Daar blijft het staan")
	})
}

func TestWhatStandsForAMissingMessageIsInTheDocumentAfterItsChatWent(t *testing.T) {
	fromBothSides(t, onClosing, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, _ id.RoomID) {
		missing := w.locked(who, room, "nooit gelezen")
		w.passes(29 * day)
		w.edits(who, room, missing, "wat er stond")
		w.passes(2 * day)
		w.sweeps()
		assert.Empty(t, w.left(room, "wat er stond"))
		w.writes(fatima, w.talk(anna), "!sluiten")
		assert.Contains(t, kept.all(), "wat er stond")
	})
}

func TestAnEditOfWhatWasRemovedIsNone(t *testing.T) {
	for name, comes := range map[string]func(w *world, who id.UserID, room id.RoomID){
		"its key came late": func(w *world, who id.UserID, room id.RoomID) {
			missing := w.locked(who, room, "kanarie een")
			edit := w.lockedEvent(who, room, map[string]any{
				"msgtype": "m.text", "body": "* kanarie twee", "m.new_content": map[string]any{"msgtype": "m.text", "body": "kanarie twee"},
				"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": string(missing)},
			})
			w.passes(time.Hour)
			w.removes(who, room, missing)
			w.unlock(room, edit)
		},
		"it came after the removal": func(w *world, who id.UserID, room id.RoomID) {
			missing := w.locked(who, room, "kanarie een")
			w.passes(time.Hour)
			w.removes(who, room, missing)
			w.edits(who, room, missing, "kanarie twee")
		},
	} {
		for policy, h := range map[string]func(*keepingHIS) func(*Settings){"as it comes": asItComes, "on closing": onClosing} {
			t.Run(name+", filed "+policy, func(t *testing.T) {
				fromBothSides(t, h, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, across id.RoomID) {
					comes(w, who, room)
					assert.Empty(t, w.left(across, "kanarie"))
					w.writes(fatima, w.talk(anna), "!sluiten")
					assert.NotContains(t, kept.all(), "kanarie")
					w.sweeps()
					assert.Empty(t, w.left(room, "kanarie"))
				})
			})
		}
	}
}

func TestAWordingOfWhatIsRemovedWhileItIsHeldGoesNowhere(t *testing.T) {
	for policy, h := range map[string]func(*keepingHIS) func(*Settings){"as it comes": asItComes, "on closing": onClosing} {
		t.Run(policy, func(t *testing.T) {
			kept := &keepingHIS{files: map[string][]byte{}}
			w := newWorld(t, h(kept))
			room := w.registered(anna)
			w.writes(anna, room, "Een vraag")
			held := w.writes(anna, room, "kanarie een")
			w.edits(anna, room, held, "kanarie twee")
			w.removes(anna, room, held)
			w.writes(anna, room, "over mijzelf")
			w.passes(time.Second)
			talk := w.talk(anna)
			w.writes(fatima, talk, "!sluiten")
			assert.Contains(t, kept.all(), "Een vraag")
			assert.NotContains(t, kept.all(), "kanarie")
			assert.NotContains(t, w.heard(talk), "kanarie")
		})
	}
}

// certainly is an error of a system that could not be reached at all: nothing can have come there.
func certainly(t *testing.T, item his.Item) error {
	t.Helper()
	nowhere, err := his.Open("fhir", his.Settings{FHIR: his.FHIR{Settings: rest.Settings{Base: "http://127.0.0.1:1"}}})
	require.NoError(t, err)
	_, err = nowhere.File(t.Context(), item)
	require.True(t, his.Untaken(err), "%v", err)
	return err
}

func TestWhatWasCertainlyTriedInVainIsSaidNowhereToBeInTheRecord(t *testing.T) {
	fromBothSides(t, asItComes, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, _ id.RoomID) {
		before := len(kept.filed)
		kept.err = certainly(t, kept.filed[0])
		message := w.writes(who, room, "kanarie")
		for range 5 {
			w.passes(fileBackoff)
		}
		w.removes(who, room, message)
		kept.err = nil
		w.passes(maxBackoff)
		assert.Len(t, kept.filed, before, "nor a removal of it")
		assert.NotContains(t, w.heard(w.talk(anna)), "blijft het")
		assert.NotContains(t, w.heard(w.roomFor(store.RoomConsulting, w.person(anna).ID)), "blijft het")
	})
}

func TestOfWhatMayBeInTheRecordIsSaidThatItMay(t *testing.T) {
	lost := []error{assert.AnError}
	for name, errs := range map[string]func(error) []error{
		"its answer was lost":                            func(error) []error { return lost },
		"its answer was lost, and then it was not there": func(sure error) []error { return []error{assert.AnError, sure} },
		"it was not there, and then its answer was lost": func(sure error) []error { return []error{sure, assert.AnError} },
	} {
		t.Run(name, func(t *testing.T) {
			fromBothSides(t, asItComes, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, _ id.RoomID) {
				tries := errs(certainly(t, kept.filed[0]))
				kept.err = tries[0]
				message := w.writes(who, room, "kanarie")
				for _, kept.err = range tries[1:] {
					w.passes(fileBackoff)
				}
				w.removes(who, room, message)
				kept.err = nil
				w.passes(maxBackoff)
				assert.Equal(t, his.KindRemoval, kept.filed[len(kept.filed)-1].Kind)
				desk, patient := w.heard(w.talk(anna)), w.heard(w.roomFor(store.RoomConsulting, w.person(anna).ID))
				assert.Contains(t, desk, "misschien staat het al in het dossier")
				assert.NotContains(t, desk, "was al vastgelegd")
				assert.NotContains(t, patient, "Het stond al")
				assert.Equal(t, who == anna, strings.Contains(patient, "Misschien staat het al in uw dossier"))
			})
		})
	}
}
