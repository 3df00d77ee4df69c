package store

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/spreekkamer/spreekkamer/care"
	"github.com/stretchr/testify/require"
)

// canaries are words that are in the database sealed or not at all. A word of each is enough:
// they are found in any place of any file.
var canaries = []string{
	"Annabel", "Zeldenrust", "31612345678", "zeldenrust.example", "1980-05-31", "P-4711", "123456782", // of the person
	"Kwebbel", "2015-02-28", // of the derde
	"Fatima Doornroos", "syt_geheimtoken", "mijn keel doet zeer", // of staff, the bot and a sealed effect
}

// onDisk are the words that are in a file of the database, or of the whole server.
func onDisk(t *testing.T, s *Store, d database, words ...string) (found []string) {
	t.Helper()
	if d.kind == Postgres {
		_, err := s.db.RawDB.Exec(`CHECKPOINT`)
		require.NoError(t, err)
	}
	err := filepath.WalkDir(d.dir, func(path string, file fs.DirEntry, err error) error {
		if err != nil || !file.Type().IsRegular() {
			return nil // PostgreSQL removes files as it goes
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		for _, word := range words {
			if bytes.Contains(content, []byte(word)) {
				found = append(found, word+" in "+filepath.Base(path))
			}
		}
		return nil
	})
	require.NoError(t, err)
	return found
}

func TestNothingPersonalIsEverOnDiskInReadableForm(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		for _, step := range []struct {
			name string
			do   func(ctx context.Context, s *Store) error
		}{
			{"written", writePersonal},
			{"changed", changePersonal},
			{"deleted", deletePersonal},
			{"compacted", func(ctx context.Context, s *Store) error { return s.Compact(ctx) }},
		} {
			require.NoError(t, step.do(t.Context(), s), step.name)
			require.Empty(t, onDisk(t, s, d, canaries...), step.name)
		}
	})
}

func TestTheSearchForWordsOnDiskFindsThem(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		require.NoError(t, s.Count(t.Context(), "onverzegeld", 1))
		require.NotEmpty(t, onDisk(t, s, d, "onverzegeld"))
	})
}

func writePersonal(ctx context.Context, s *Store) error {
	return s.Transact(ctx, func(ctx context.Context) error {
		derde := anna().Draft
		derde.ID, derde.Person = "d", anna().ID
		effects := []Effect{{Destination: "his:1", Kind: "file", Person: anna().ID}}
		for _, err := range []error{
			s.SavePerson(ctx, anna()), s.SaveDerde(ctx, derde), s.SaveBot(ctx, Bot{UserID: testBot, Token: "syt_geheimtoken"}),
			s.SaveStaff(ctx, care.Member{UserID: "@f:test", Name: "Fatima Doornroos"}), s.AddEffects(ctx, effects),
			s.SealEffect(ctx, 1, []byte("mijn keel doet zeer")),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func changePersonal(ctx context.Context, s *Store) error {
	for i := range 50 {
		p := anna()
		p.Misses = i
		if err := s.SavePerson(ctx, p); err != nil {
			return err
		}
	}
	return s.SealEffect(ctx, 1, bytes.Repeat([]byte("mijn keel doet zeer "), 10_000))
}

func deletePersonal(ctx context.Context, s *Store) error {
	if err := s.RemoveStaff(ctx, "@f:test", noon); err != nil {
		return err
	}
	return s.DeletePerson(ctx, anna().ID)
}

func TestAfterCompactTheUserOfADeletedPersonIsNotInTheFilesEither(t *testing.T) {
	d := sqliteDatabase(t)
	s := d.open(t)
	withBot(t, s)
	const others = 200
	for i := range others {
		p := care.Person{ID: fmt.Sprint("person-", i), UserID: fmt.Sprintf("@user%03d:test", i), State: care.Active}
		require.NoError(t, s.SavePerson(t.Context(), p))
		room := fmt.Sprint("!r", i)
		require.NoError(t, s.SaveRoom(t.Context(), Room{ID: room, Kind: RoomConsulting, Person: p.ID}))
		synced(t, s, wrote(fmt.Sprint("$", i, "-1"), p.UserID, room), wrote(fmt.Sprint("$", i, "-2"), p.UserID, room))
	}
	for i := 0; i < others; i += 2 {
		require.NoError(t, s.DeletePerson(t.Context(), fmt.Sprint("person-", i)))
	}
	require.NoError(t, s.Compact(t.Context()))
	content, err := os.ReadFile(d.uri)
	require.NoError(t, err)
	require.Contains(t, string(content), "@user001:test")
	for i := 0; i < others; i += 2 {
		require.NotContains(t, string(content), fmt.Sprintf("@user%03d:test", i))
	}
}

func TestNothingPersonalIsLogged(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		var log bytes.Buffer
		o := d.options()
		o.Log = zerolog.New(&log).Level(zerolog.TraceLevel)
		s, err := Open(t.Context(), o)
		require.NoError(t, err)
		t.Cleanup(func() { s.Close() })
		ctx := o.Log.WithContext(t.Context())
		for _, do := range []func(context.Context, *Store) error{writePersonal, changePersonal, deletePersonal} {
			require.NoError(t, do(ctx, s))
		}
		require.NotEmpty(t, log.String())
		for _, word := range append(canaries, anna().UserID) {
			require.NotContains(t, log.String(), word)
		}
	})
}

func TestASlowQueryIsLoggedWithoutItsArguments(t *testing.T) {
	var out bytes.Buffer
	log := quietLog{zerolog.New(&out)}
	log.QueryTiming(t.Context(), "Exec", "SELECT\n\t1", []any{"Zeldenrust"}, 3, slowQuery-1, nil)
	require.Empty(t, out.String())
	log.QueryTiming(t.Context(), "Exec", "SELECT\n\t1", []any{"Zeldenrust"}, 3, slowQuery, fmt.Errorf("about Zeldenrust"))
	log.WarnUnsupportedVersion(3, 2, 1)
	log.Warn("something about %s", "Zeldenrust")
	require.Contains(t, out.String(), `"query":"SELECT 1"`)
	require.NotContains(t, out.String(), "Zeldenrust")
}

func TestErrorsOfConstraintsNameNoUser(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.SavePerson(t.Context(), anna()))
		twin := anna()
		twin.ID = "twin"
		err := s.SavePerson(t.Context(), twin)
		require.ErrorContains(t, err, "save person twin")
		requireImpersonal(t, err)
	})
}

func requireImpersonal(t *testing.T, err error) {
	t.Helper()
	for _, word := range append(canaries, "@anna", "anna:test") {
		require.NotContains(t, err.Error(), word)
	}
}

// TestEveryMethodOfAClosedStoreSaysWhatItWasDoingAndNamesNobody calls every method that can
// fail, with a user and names wherever a string goes.
func TestEveryMethodOfAClosedStoreSaysWhatItWasDoingAndNamesNobody(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		require.NoError(t, s.Close())
		v := reflect.ValueOf(s)
		for i := range v.NumMethod() {
			name := v.Type().Method(i).Name
			if method := v.Method(i).Type(); method.NumIn() == 0 || name == "Transact" || name == "Compact" && d.kind == Postgres {
				continue
			}
			err := callWith(v.Method(i), t.Context())
			require.Error(t, err, name)
			requireImpersonal(t, err)
			require.Contains(t, err.Error(), ": ", "%s wraps its cause", name)
		}
	})
}

func callWith(method reflect.Value, ctx context.Context) error {
	args := []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < method.Type().NumIn(); i++ {
		args = append(args, argument(method.Type().In(i)))
	}
	results := method.Call(args)
	err, _ := results[len(results)-1].Interface().(error)
	return err
}

func argument(kind reflect.Type) reflect.Value {
	switch v := reflect.New(kind).Elem(); v.Interface().(type) {
	case care.Person:
		return reflect.ValueOf(anna())
	case care.Member:
		return reflect.ValueOf(care.Member{UserID: "@anna:test", Name: "Fatima Doornroos"})
	case care.Derde:
		d := anna().Draft
		d.ID = "d"
		return reflect.ValueOf(d)
	case Bot:
		return reflect.ValueOf(Bot{UserID: "@anna:test", Token: "syt_geheimtoken"})
	case Turn:
		return reflect.ValueOf(Turn{EventID: "$1", Sender: "@anna:test"})
	case Event:
		return reflect.ValueOf(wrote("$1", "@anna:test", "!r"))
	case []Event:
		return reflect.ValueOf([]Event{wrote("$1", "@anna:test", "!r")})
	case func(time.Time) time.Time:
		return reflect.ValueOf(month)
	case Batch:
		return reflect.ValueOf(Batch{Events: []Event{wrote("$1", "@anna:test", "!r")}, Due: month})
	case []Effect:
		return reflect.ValueOf([]Effect{{Destination: "consulting:1", Kind: "say", Body: "@anna:test"}})
	case Audit:
		return reflect.ValueOf(Audit{Actor: "@anna:test", Action: "approve"})
	case RoomKind:
		return reflect.ValueOf(RoomBalie)
	case time.Time:
		return reflect.ValueOf(noon)
	case string:
		return reflect.ValueOf("id")
	default:
		return v
	}
}

func TestMethodsThatTakeAUserDoNotNameItInErrors(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		user, queue := anna().UserID, QueueOf(anna().UserID)
		_, _, byUser := s.PersonByUser(ctx, user)
		_, _, staff := s.Staff(ctx, user)
		for i, err := range []error{
			byUser, staff, s.RemoveStaff(ctx, user, noon), s.AddAct(ctx, queue, "{}", "remind "+user, noon),
			s.ForwardTurn(ctx, Turn{EventID: "$1"}, queue, "{}", noon), s.PostponeTurn(ctx, 1, noon, user),
			s.FailTurn(ctx, 1, user, noon), s.RetryEffect(ctx, Effect{ID: 1}, noon, user),
		} {
			require.Error(t, err, i)
			require.False(t, strings.Contains(err.Error(), user), err)
		}
	})
}
