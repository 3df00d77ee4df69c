package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/stretchr/testify/require"
	"go.mau.fi/util/dbutil"
)

// fill writes at least one row that has to do with a person in every table that can hold one.
func fill(t *testing.T, s *Store, name string) {
	t.Helper()
	ctx := t.Context()
	id, user, conversation := "person-"+name, "@"+name+":test", "conversation-"+name
	p := anna()
	p.ID, p.UserID, p.Current = id, user, conversation
	steps := []error{
		s.SavePerson(ctx, p),
		s.SaveRoom(ctx, Room{ID: "!contact-" + name, Kind: RoomContact, Person: id}),
		s.SaveRoom(ctx, Room{ID: "!consulting-" + name, Kind: RoomConsulting, Person: id}),
		s.SaveRoom(ctx, Room{ID: "!talk-" + name, Kind: RoomConversation, Person: id, Conversation: conversation, Practice: "zuid"}),
		s.AddConsent(ctx, Consent{Person: id, Purpose: care.HealthData, At: noon, EnteredBy: user}),
		s.SaveDerde(ctx, care.Derde{ID: "derde-" + name, Person: id, Name: "Kwebbel"}),
		s.SaveConversation(ctx, care.Conversation{ID: conversation, Person: id, State: care.Open, Derde: "derde-" + name}),
		s.Hold(ctx, HeldEvent{"$held-" + name, conversation, "!consulting-" + name, noon, false}),
		s.AddMirror(ctx, Mirror{"$s-" + name, "!consulting-" + name, "$t-" + name, "!talk-" + name, conversation, noon, MirrorCarried}),
		s.SetShown(ctx, "!talk-"+name, "main", noon),
		s.AddPrompt(ctx, Prompt{"$prompt-" + name, id, care.AskPhone, noon, nil}),
		s.SaveReminder(ctx, care.Reminder{Person: id, Question: care.AskPhone, DueAt: noon}),
		s.AddMedia(ctx, Media{URI: "mxc://" + name, RoomID: "!consulting-" + name, SentAt: noon, DueAt: noon}),
		s.AddAudit(ctx, Audit{At: noon, Actor: user, Action: "withdraw", Person: id, Conversation: conversation}),
		s.AddAudit(ctx, Audit{At: noon, Actor: id, Action: "withdraw", Person: id}),
		s.AddAudit(ctx, Audit{At: noon, Actor: "@staff:test", Action: "approve", Person: id}),
		s.AddAudit(ctx, Audit{At: noon, Actor: "@staff:test", Action: "skip", Person: id, EventID: "$skip-" + name, Reason: "canary"}),
		s.AddEffects(ctx, []Effect{
			{Destination: "consulting:" + id, Kind: "say"}, {Destination: "contact:!contact-" + name, Kind: "greet", Person: id},
			{Destination: "conversation:" + conversation, Kind: "relay"}, {Destination: "his:" + conversation, Kind: "file"},
			{Destination: "beheer:zuid", Kind: "tell", Person: id, Conversation: conversation, Body: `{"person":"` + id + `"}`},
		}),
		s.AddAnswer(ctx, Answer{ID: "answer-" + name, Lane: "his:zuid", Person: id, Conversation: conversation, State: AnswerReceived, At: noon}, []byte("canary")),
		s.AddAct(ctx, QueueOf(user), `{"person":"`+id+`"}`, "remind "+id, noon),
	}
	_, err := s.TellDevice(ctx, user, "PHONE", noon)
	require.NoError(t, err)
	for i, err := range steps {
		require.NoError(t, err, "step %d", i)
	}
	fillInbox(t, s, name)
}

// fillInbox leaves turns of a person in every state, in their own queue and in another.
func fillInbox(t *testing.T, s *Store, name string) {
	user, room := "@"+name+":test", "!consulting-"+name
	synced(t, s, wrote("$done-"+name, user, room), wrote("$failed-"+name, user, room), wrote("$staff-"+name, "@staff:test", "!talk-"+name))
	pushed(t, s, wrote("$unplaced-"+name, user, room))
	finish(t, s, QueueOf(user)) // the act
	done := found[Turn](t)(s.Turn(t.Context(), "$done-"+name, 0))
	require.NoError(t, s.Park(t.Context(), Parked{Turn: done.ID, RoomID: room, Sender: user, NextAt: noon}))
	finish(t, s, QueueOf(user))
	for _, turn := range must[[]Turn](t)(s.HeadTurns(t.Context(), noon, 100)) {
		if turn.EventID == "$failed-"+name {
			require.NoError(t, s.ForwardTurn(t.Context(), turn, "room:!balie", `{}`, noon))
			require.NoError(t, s.FailTurn(t.Context(), turn.ID, "no key from "+user, noon))
		}
	}
	kicked := Event{ID: "$kicked-" + name, RoomID: "!balie", Type: "m.room.member", Sender: "@staff:test", StateKey: &user, ForInbox: true}
	synced(t, s, kicked)
	read := Read{Room: room, User: user, Event: "$read-" + name, Thread: "$thread-" + name}
	must[KeepResult](t)(s.Keep(t.Context(), Batch{Reads: []Read{read}, Gaps: []Gap{{RoomID: "!talk-" + name, Since: "n1", Place: "p"}}, Now: noon, Due: month}))
}

// A cell is one value of one column.
type cell struct{ table, column, value string }

// everyCell walks over every column of every table.
func everyCell(t *testing.T, s *Store) (all []cell) {
	t.Helper()
	for _, table := range tables(t.Context(), t, s) {
		rows, err := s.db.Query(t.Context(), `SELECT * FROM `+table)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			all = append(all, cells(t, table, columns, rows)...)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	return all
}

func cells(t *testing.T, table string, columns []string, row dbutil.Scannable) (all []cell) {
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	require.NoError(t, row.Scan(values...))
	for i, column := range columns {
		value := *values[i].(*any)
		if b, ok := value.([]byte); ok {
			value = string(b)
		}
		all = append(all, cell{table, column, fmt.Sprint(value)})
	}
	return all
}

// naming are the cells that hold one of some words.
func naming(all []cell, words ...string) (found []cell) {
	for _, c := range all {
		for _, word := range words {
			if strings.Contains(c.value, word) {
				found = append(found, c)
			}
		}
	}
	return found
}

func TestNothingOfADeletedPersonIsLeftInAnyTable(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		fill(t, s, "gone")
		fill(t, s, "stays")
		before := everyCell(t, s)
		require.NoError(t, s.DeletePerson(t.Context(), "person-gone"))

		after := everyCell(t, s)
		require.Empty(t, naming(after, "person-gone", "@gone:test", "derde-gone"))
		require.ElementsMatch(t, naming(before, "-stays", "@stays"), naming(after, "-stays", "@stays"), "others are left alone")
		for _, c := range naming(after, "conversation-gone") {
			require.Contains(t, []string{"room.conversation", "audit.conversation"}, c.table+"."+c.column)
		}
	})
}

func TestTheWalkOverTablesMissesNone(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		fill(t, s, "gone")
		holding := map[string]bool{}
		for _, c := range naming(everyCell(t, s), "gone") {
			holding[c.table] = true
		}
		// These cannot hold anything of a patient.
		impersonal := append([]string{"bot", "staff", "count", "outage", "room_staff", "alarm", "card"}, notRows...)
		for _, table := range tables(t.Context(), t, s) {
			require.True(t, holding[table] != slices.Contains(impersonal, table), "table %s: fill it, or say that it is impersonal", table)
		}
	})
}

func TestWhatHasToBeRedactedOutlivesThePerson(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		fill(t, s, "gone")
		require.NoError(t, s.DeletePerson(t.Context(), "person-gone"))
		found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$unplaced-gone"))
		found[Media](t)(s.Media(t.Context(), "mxc://gone"))
		room := found[Room](t)(s.Room(t.Context(), "!consulting-gone"))
		require.Equal(t, RoomConsulting, room.Kind)
		require.Empty(t, room.Person)
		require.Len(t, must[[]Audit](t)(s.AuditSince(t.Context(), 0, 10)), 4)
	})
}

func TestWhatADeletedPersonWroteIsNotTakenAgainWhenItIsSentAgain(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		fill(t, s, "gone")
		require.NoError(t, s.DeletePerson(t.Context(), "person-gone"))
		for _, id := range []string{"$done-gone", "$failed-gone", "$unplaced-gone"} {
			require.Equal(t, KeepResult{}, synced(t, s, wrote(id, "@gone:test", "!consulting-gone")), id)
		}
		require.Empty(t, heads(t, s))
		require.Equal(t, KeepResult{Added: 1, Placed: 1}, synced(t, s, wrote("$new", "@gone:test", "!consulting-gone")), "a new message is new")
	})
}

func TestDeletingInTheTurnOfThePersonEndsTheTurn(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		require.NoError(t, s.SavePerson(t.Context(), anna()))
		require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!r", Kind: RoomConsulting, Person: anna().ID}))
		synced(t, s, wrote("$1", anna().UserID, "!r"), wrote("$2", anna().UserID, "!r"))
		turn := head(t, s)
		err := s.Transact(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.DeletePerson(ctx, anna().ID))
			require.NoError(t, s.AddEffects(ctx, []Effect{{Destination: "room:!r", Kind: "farewell"}}))
			return s.FinishTurn(ctx, turn.ID, noon)
		})
		require.NoError(t, err)
		require.Empty(t, heads(t, s))
		require.Equal(t, []string{"farewell"}, kinds(claimAt(t, s, "worker", noon)))
	})
}

func TestDestinationsAndQueuesOfOthersGoOnWithoutADeletedPerson(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		require.NoError(t, s.SavePerson(t.Context(), anna()))
		require.NoError(t, s.AddEffects(t.Context(), []Effect{
			{Destination: "beheer:zuid", Kind: "about anna", Person: anna().ID}, {Destination: "beheer:zuid", Kind: "about another"},
		}))
		synced(t, s, wrote("$anna", anna().UserID, "!unknown"), wrote("$other", "@other:test", "!unknown"))
		require.NoError(t, s.DeletePerson(t.Context(), anna().ID))
		require.Equal(t, []string{"about another"}, kinds(claimAt(t, s, "worker", noon)))
		require.Equal(t, []string{"$other"}, heads(t, s))
	})
}

func TestWhatStaffDidStaysWhenAMemberIsForgottenAsAPatient(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.NoError(t, s.SavePerson(ctx, anna()))
		require.NoError(t, s.SaveStaff(ctx, care.Member{UserID: anna().UserID, Name: "Anna"}))
		require.NoError(t, s.AddAudit(ctx, Audit{At: noon, Actor: anna().UserID, Action: "approve", Person: "someone"}))
		require.NoError(t, s.DeletePerson(ctx, anna().ID))
		require.Equal(t, anna().UserID, must[[]Audit](t)(s.AuditSince(ctx, 0, 1))[0].Actor)
	})
}

func TestDeletingNobodyIsNoError(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.DeletePerson(t.Context(), "unknown"))
		require.NoError(t, s.SavePerson(t.Context(), anna()))
		require.NoError(t, s.DeletePerson(t.Context(), anna().ID))
		require.NoError(t, s.DeletePerson(t.Context(), anna().ID))
		require.NoError(t, s.SavePerson(t.Context(), anna()), "they may come back")
	})
}

func TestAPersonWhoIsDeletedHalfwayIsNotDeleted(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		fill(t, s, "gone")
		before := everyCell(t, s)
		err := s.Transact(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.DeletePerson(ctx, "person-gone"))
			panic("crash before the commit")
		})
		require.Error(t, err)
		require.Equal(t, len(before), len(everyCell(t, s)))
		require.ElementsMatch(t, before, everyCell(t, s))
	})
}
