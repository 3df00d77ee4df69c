package store

import (
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/stretchr/testify/require"
)

func TestTheBotIsKeptAndNeverForgetsWhereSyncGoesOn(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.Equal(t, Bot{}, must[Bot](t)(s.Bot(ctx)))
		withBot(t, s)
		synced(t, s)
		relogin := Bot{UserID: testBot, DeviceID: "OTHER", Token: "fresh"}
		require.NoError(t, s.SaveBot(ctx, relogin))
		relogin.NextBatch, relogin.AliveAt = "next", noon
		require.Equal(t, relogin, must[Bot](t)(s.Bot(ctx)))
		another := Bot{UserID: "@another:test", DeviceID: "OTHER", Token: "fresh"}
		require.NoError(t, s.SaveBot(ctx, another))
		require.Equal(t, another, must[Bot](t)(s.Bot(ctx)), "another account starts anew")
	})
}

func TestAPersonComesBackAsItWasStored(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		missing[care.Person](t)(s.Person(ctx, anna().ID))
		missing[care.Person](t)(s.PersonByUser(ctx, anna().UserID))
		require.NoError(t, s.SavePerson(ctx, anna()))
		require.Equal(t, anna(), found[care.Person](t)(s.Person(ctx, anna().ID)))
		require.Equal(t, anna(), found[care.Person](t)(s.PersonByUser(ctx, anna().UserID)))

		bare := care.Person{ID: anna().ID, UserID: anna().UserID, State: care.Withdrawn}
		require.NoError(t, s.SavePerson(ctx, bare))
		bare.CreatedAt = noon // does not change
		require.Equal(t, bare, found[care.Person](t)(s.Person(ctx, anna().ID)))
	})
}

func TestPersonsAreFoundByStateAndPractice(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for i, tt := range []struct {
			id, practice string
			state        care.AccountState
		}{
			{"second", "zuid", care.Awaiting}, {"first", "zuid", care.Awaiting}, {"noord", "noord", care.Awaiting}, {"active", "zuid", care.Active},
		} {
			p := care.Person{ID: tt.id, UserID: "@" + tt.id, State: tt.state, ChangedAt: noon.Add(-time.Duration(i) * time.Minute)}
			p.Answers.Practice = tt.practice
			require.NoError(t, s.SavePerson(ctx, p))
		}
		ids := func(state care.AccountState, practice string) (all []string) {
			for _, p := range must[[]care.Person](t)(s.PersonsIn(ctx, state, practice)) {
				all = append(all, p.ID)
			}
			return all
		}
		require.Equal(t, []string{"first", "second"}, ids(care.Awaiting, "zuid"))
		require.Equal(t, []string{"noord", "first", "second"}, ids(care.Awaiting, ""))
		require.Empty(t, ids(care.Suspended, ""))
	})
}

func TestTheGateIsRememberedApartFromThePerson(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		_, err := s.Gate(ctx, "unknown")
		require.ErrorIs(t, err, ErrUnknown)
		require.ErrorIs(t, s.SetGate(ctx, "unknown", true), ErrUnknown)
		require.NoError(t, s.SavePerson(ctx, anna()))
		require.False(t, must[bool](t)(s.Gate(ctx, anna().ID)))
		require.NoError(t, s.SetGate(ctx, anna().ID, true))
		require.NoError(t, s.SavePerson(ctx, anna()))
		require.True(t, must[bool](t)(s.Gate(ctx, anna().ID)))
	})
}

func TestRoomsAreFoundByWhatTheyAreFor(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		rooms := []Room{
			{ID: "!contact", Kind: RoomContact, Person: "1", CreatedAt: noon},
			{ID: "!consulting", Kind: RoomConsulting, Person: "1", CreatedAt: noon.Add(1)},
			{ID: "!talk", Kind: RoomConversation, Person: "1", Conversation: "c", CreatedAt: noon.Add(time.Second)},
			{ID: "!balie", Kind: RoomBalie, Practice: "zuid", CreatedAt: noon.Add(2 * time.Second)},
			{ID: "!space", Kind: RoomSpace, Practice: "zuid", CreatedAt: noon.Add(3 * time.Second)},
		}
		rooms[1].CreatedAt = noon.Add(time.Millisecond)
		for _, room := range rooms {
			require.NoError(t, s.SaveRoom(ctx, room))
		}
		require.Equal(t, rooms, must[[]Room](t)(s.Rooms(ctx)))
		require.Equal(t, rooms[:3], must[[]Room](t)(s.RoomsOfPerson(ctx, "1")))
		require.Empty(t, must[[]Room](t)(s.RoomsOfPerson(ctx, "")), "rooms of no one are not of someone without id")
		for i, key := range []string{"1", "1", "c", "zuid", "zuid"} {
			require.Equal(t, rooms[i], found[Room](t)(s.RoomOf(ctx, rooms[i].Kind, key)))
			require.Equal(t, rooms[i], found[Room](t)(s.Room(ctx, rooms[i].ID)))
			missing[Room](t)(s.RoomOf(ctx, rooms[i].Kind, "other"))
			missing[Room](t)(s.RoomOf(ctx, rooms[i].Kind, ""))
		}
		_, _, err := s.RoomOf(ctx, "cellar", "1")
		require.ErrorContains(t, err, "no such kind")
		missing[Room](t)(s.Room(ctx, "!unknown"))
	})
}

func TestTheNewestRoomThatWasNotLeftIsTheOneToUse(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for i, id := range []string{"!old", "!new", "!newest"} {
			require.NoError(t, s.SaveRoom(ctx, Room{ID: id, Kind: RoomContact, Person: "1", CreatedAt: noon.Add(time.Duration(i) * time.Hour)}))
		}
		left := found[Room](t)(s.RoomOf(ctx, RoomContact, "1"))
		require.Equal(t, "!newest", left.ID)
		left.LeftAt = noon
		require.NoError(t, s.SaveRoom(ctx, left))
		require.Equal(t, "!new", found[Room](t)(s.RoomOf(ctx, RoomContact, "1")).ID)
		require.Equal(t, left, found[Room](t)(s.Room(ctx, "!newest")))
	})
}

func TestARoomWithoutATimeWasMadeNow(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!r", Kind: RoomSpace}))
		require.Equal(t, noon, found[Room](t)(s.Room(t.Context(), "!r")).CreatedAt)
		require.Error(t, s.SaveRoom(t.Context(), Room{ID: "!x", Kind: "cellar"}), "a kind we do not know")
	})
}

func TestTheConsentLedgerKeepsEveryAnswer(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		first := Consent{
			ID: "1", Person: "p", Purpose: care.HealthData, TextID: "health", TextVersion: "3", TextHash: "hash", Yes: true, At: noon,
			How: "chat", EventID: "$1", EnteredBy: "",
		}
		second := first
		second.ID, second.Yes, second.At, second.How, second.EnteredBy = "0", false, noon.Add(time.Hour), "phone", "@staff:test"
		require.NoError(t, s.AddConsent(ctx, second))
		require.NoError(t, s.AddConsent(ctx, first))
		require.Error(t, s.AddConsent(ctx, first), "nothing is written over")
		require.Equal(t, []Consent{first, second}, must[[]Consent](t)(s.Consents(ctx, "p")))
	})
}

func TestAnswersOfTheSameMomentStayInTheirOrder(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		purposes := []care.Purpose{care.TermsOfUse, care.HealthData, care.PersonalData, care.OptIn}
		for _, purpose := range purposes {
			require.NoError(t, s.AddConsent(t.Context(), Consent{Person: "p", Purpose: purpose, At: noon}))
		}
		for i, c := range must[[]Consent](t)(s.Consents(t.Context(), "p")) {
			require.Equal(t, purposes[i], c.Purpose)
			require.NotEmpty(t, c.ID)
		}
	})
}

func TestADerdeComesBackAsItWasStored(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		d := care.Derde{
			ID: "d1", Person: "p", Name: "Kwebbel", BirthDate: care.Date{Year: 2015, Month: 2, Day: 28}, Relation: "child",
			Ground: care.Parent, AttestedAt: noon,
		}
		require.NoError(t, s.SaveDerde(ctx, d))
		require.NoError(t, s.SaveDerde(ctx, care.Derde{ID: "d0", Person: "p", Name: "Partner", AttestedAt: noon.Add(time.Hour)}))
		d.EndedAt = noon.Add(2 * time.Hour)
		require.NoError(t, s.SaveDerde(ctx, d))
		require.Equal(t, d, found[care.Derde](t)(s.Derde(ctx, "d1")))
		missing[care.Derde](t)(s.Derde(ctx, "d2"))
		all := must[[]care.Derde](t)(s.Derden(ctx, "p"))
		require.Len(t, all, 2)
		require.Equal(t, d, all[0])
	})
}

func TestAConversationComesBackAsItWasStored(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		c := care.Conversation{ID: "c1", Person: "p", Practice: "zuid", Derde: "d", Category: care.Practical, State: care.Asking, OpenedAt: noon, Edition: 2, TakenAt: noon.Add(time.Hour), HoursSaidAt: noon.Add(time.Minute)}
		require.NoError(t, s.SaveConversation(ctx, c))
		require.NoError(t, s.SaveConversation(ctx, care.Conversation{ID: "c2", State: care.Asking}), "several without number")
		c.Number, c.State, c.ClosedAt = 7, care.Open, noon.Add(time.Hour)
		require.NoError(t, s.SaveConversation(ctx, c))
		require.Equal(t, c, found[care.Conversation](t)(s.Conversation(ctx, "c1")))
		require.Equal(t, c, found[care.Conversation](t)(s.ConversationByNumber(ctx, 7)))
		require.Equal(t, []care.Conversation{c}, must[[]care.Conversation](t)(s.ConversationsOf(ctx, "p")))
		require.Equal(t, []care.Conversation{c}, must[[]care.Conversation](t)(s.OpenConversations(ctx, "zuid")))
		require.Equal(t, []care.Conversation{c}, must[[]care.Conversation](t)(s.OpenConversations(ctx, "")))
		require.Empty(t, must[[]care.Conversation](t)(s.OpenConversations(ctx, "noord")))
		missing[care.Conversation](t)(s.Conversation(ctx, "c3"))
		missing[care.Conversation](t)(s.ConversationByNumber(ctx, 0))
		require.Error(t, s.SaveConversation(ctx, care.Conversation{ID: "c4", Number: 7}), "a number is given once")
	})
}

func TestNumbersAreNeverGivenTwice(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.Equal(t, int64(1), must[int64](t)(s.NextConversationNumber(ctx)))
		require.Equal(t, int64(2), must[int64](t)(s.NextConversationNumber(ctx)))
		_, err := s.NextFilingSeq(ctx, "unknown")
		require.ErrorIs(t, err, ErrUnknown)
		c := care.Conversation{ID: "c1", State: care.Open}
		require.NoError(t, s.SaveConversation(ctx, c))
		require.Equal(t, 1, must[int](t)(s.NextFilingSeq(ctx, "c1")))
		require.NoError(t, s.SaveConversation(ctx, c))
		require.Equal(t, 2, must[int](t)(s.NextFilingSeq(ctx, "c1")))
	})
}

func TestWhatIsHeldStaysInOrderUntilItIsDropped(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		events := func(conversation string) (ids []string) {
			for _, h := range must[[]HeldEvent](t)(s.Held(ctx, conversation)) {
				ids = append(ids, h.EventID)
			}
			return ids
		}
		for _, id := range []string{"$z", "$a", "$m", "$a"} {
			require.NoError(t, s.Hold(ctx, HeldEvent{EventID: id, Conversation: "c1", RoomID: "!r", SentAt: noon, Late: id == "$z"}))
		}
		require.NoError(t, s.Hold(ctx, HeldEvent{EventID: "$other", Conversation: "c2", RoomID: "!r", SentAt: noon}))
		require.Equal(t, []string{"$z", "$a", "$m"}, events("c1"))
		require.Equal(t, HeldEvent{"$z", "c1", "!r", noon, true}, must[[]HeldEvent](t)(s.Held(ctx, "c1"))[0])
		require.NoError(t, s.Unhold(ctx, "$a"))
		require.NoError(t, s.Unhold(ctx, "$unknown"))
		require.Equal(t, []string{"$z", "$m"}, events("c1"))
		require.NoError(t, s.DropHeld(ctx, "c1"))
		require.Empty(t, events("c1"))
		require.Equal(t, []string{"$other"}, events("c2"))
	})
}

func TestAMirrorIsFoundFromBothSides(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		m := Mirror{"$patient", "!consulting", "$staff", "!talk", "c", noon, MirrorCarried}
		again := Mirror{"$patient", "!consulting", "$staff again", "!talk", "c", noon.Add(time.Hour), MirrorCarried}
		for _, pair := range []Mirror{again, m, m} {
			require.NoError(t, s.AddMirror(ctx, pair))
		}
		require.Equal(t, "$staff", found[string](t)(s.MirrorOf(ctx, "$patient", "!talk")), "the first that was made")
		require.Equal(t, "$patient", found[string](t)(s.MirrorOf(ctx, "$staff", "!consulting")))
		require.Equal(t, "$patient", found[string](t)(s.MirrorOf(ctx, "$staff again", "!consulting")))
		missing[string](t)(s.MirrorOf(ctx, "$patient", "!consulting"))
		missing[string](t)(s.MirrorOf(ctx, "$unknown", "!talk"))
		require.Equal(t, m, found[Mirror](t)(s.MirrorsOf(ctx, "$patient")))
		require.Equal(t, m, found[Mirror](t)(s.MirrorsOf(ctx, "$staff")))
		missing[Mirror](t)(s.MirrorsOf(ctx, "$unknown"))
	})
}

func TestAPromptIsFoundByItsEventAndTheLastOneByItsPerson(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		first, second := Prompt{"$1", "p", care.AskPersonal, noon, []string{}}, Prompt{"$2", "p", care.AskHealth, noon.Add(time.Second), []string{"d1", "d2"}}
		for _, p := range []Prompt{second, first, first} {
			require.NoError(t, s.AddPrompt(ctx, p))
		}
		require.Equal(t, first, found[Prompt](t)(s.Prompt(ctx, "$1")))
		require.Equal(t, second, found[Prompt](t)(s.LastPrompt(ctx, "p", second.Question)))
		missing[Prompt](t)(s.Prompt(ctx, "$3"))
		missing[Prompt](t)(s.LastPrompt(ctx, "q", second.Question))
	})
}

func TestStaffComeGoAndComeBack(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		fatima := care.Member{UserID: "@fatima:test", Name: "Fatima", Role: care.Doktersassist, Practice: "zuid", Source: "config"}
		bert := care.Member{UserID: "@bert:test", Name: "Bert", Role: care.Huisarts, Practice: "noord", Source: "command"}
		for _, m := range []care.Member{fatima, bert} {
			require.NoError(t, s.SaveStaff(ctx, m))
		}
		require.Equal(t, fatima, found[care.Member](t)(s.Staff(ctx, fatima.UserID)))
		require.Equal(t, []care.Member{fatima}, must[[]care.Member](t)(s.StaffOf(ctx, "zuid")))
		require.Equal(t, []care.Member{bert, fatima}, must[[]care.Member](t)(s.StaffOf(ctx, "")))

		require.NoError(t, s.RemoveStaff(ctx, fatima.UserID, noon))
		require.ErrorIs(t, s.RemoveStaff(ctx, fatima.UserID, noon), ErrUnknown)
		missing[care.Member](t)(s.Staff(ctx, fatima.UserID))
		require.Empty(t, must[[]care.Member](t)(s.StaffOf(ctx, "zuid")))
		var name []byte
		require.NoError(t, s.db.QueryRow(ctx, `SELECT name FROM staff WHERE user_id = $1`, fatima.UserID).Scan(&name))
		opened := "?"
		require.NoError(t, s.seal.open("staff.name", fatima.UserID, name, &opened))
		require.Empty(t, opened, "the name has gone")

		require.NoError(t, s.SaveStaff(ctx, fatima))
		require.Equal(t, fatima, found[care.Member](t)(s.Staff(ctx, fatima.UserID)))
	})
}

func TestFiguresAddUp(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.Zero(t, must[int64](t)(s.CountOf(t.Context(), "refused")))
		require.NoError(t, s.Count(t.Context(), "refused", 2))
		require.NoError(t, s.Count(t.Context(), "refused", -1))
		require.Equal(t, int64(1), must[int64](t)(s.CountOf(t.Context(), "refused")))
	})
}
