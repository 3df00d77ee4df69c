package bridge

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// The people of the world.
const (
	anna   = id.UserID("@anna:elders.example")
	fatima = id.UserID("@fatima:praktijk.example")
	chef   = id.UserID("@chef:praktijk.example")
	linde  = "linde"
)

// A world is a bridge with everything around it: a real store, the HIS folder, a homeserver
// in memory, and a clock that stands still until a test moves it.
type world struct {
	*testing.T
	*Bridge
	matrix *fakeMatrix
	clock  time.Time
	his    string // directory
	log    *bytes.Buffer
	batch  int
	away   time.Duration // without a batch for this long is an outage
}

// newWorld starts with the rooms of one practice and its staff. change may alter the
// settings first.
func newWorld(t *testing.T, change ...func(*Settings)) *world {
	t.Helper()
	w := assemble(t, change...)
	w.T = t
	w.staff(fatima, "Fatima", care.Doktersassist)
	w.staff(chef, "Chef", care.Beheer)
	require.NoError(t, w.Prepare(t.Context()))
	return w
}

// assemble puts the parts together; the practice has no rooms and no staff yet.
func assemble(t testing.TB, change ...func(*Settings)) *world {
	t.Helper()
	w := &world{clock: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), his: t.TempDir(), log: &bytes.Buffer{}}
	now := func() time.Time { return w.clock }
	w.matrix = newFakeMatrix(now)
	log := zerolog.New(zerolog.SyncWriter(w.log))
	db, err := store.Open(t.Context(), store.Options{
		Kind: store.SQLite, URI: filepath.Join(t.TempDir(), "spreekkamer.db"), Key: bytes.Repeat([]byte{7}, 32), Log: log, Now: now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	require.NoError(t, db.SaveBot(t.Context(), store.Bot{UserID: string(botID), DeviceID: "BOT", Token: "token"}))
	catalog, err := texts.Load()
	require.NoError(t, err)
	zone, err := time.LoadLocation("Europe/Amsterdam")
	require.NoError(t, err)
	connector, err := his.Open("folder", his.Settings{Dir: w.his})
	require.NoError(t, err)
	s := Settings{
		Organisation: "Huisartsen Voorbeeld", Language: "nl", Domain: "praktijk.example", Servers: []string{"elders.example"},
		Privacy: texts.Document{Version: "1"}, Terms: texts.Document{Version: "1"},
		Retention: care.MaxRetention, KeyTimeout: 3 * time.Minute, RemindAfter: time.Hour, MaxFile: 1 << 20, Zone: zone,
		Practices: []Practice{{Practice: care.Practice{ID: linde, Name: "De Linde"}, Phone: "000 000 0000", System: System{Connector: connector}}},
	}
	for _, f := range change {
		f(&s)
	}
	w.Bridge = New(s, db, w.matrix, catalog, now, log)
	return w
}

func (w *world) staff(user id.UserID, name string, role care.Role) {
	w.Helper()
	m := care.Member{UserID: string(user), Name: name, Role: role, Practice: linde, Source: "config"}
	require.NoError(w, w.Store.SaveStaff(w.Context(), m))
}

// keep hands events to the store as /sync would.
func (w *world) keep(events ...store.Event) {
	w.Helper()
	w.batch++
	_, err := w.Store.Keep(w.Context(), store.Batch{
		NextBatch: fmt.Sprintf("s%d", w.batch), Events: events, Now: w.clock, Away: w.away, Due: w.due,
	})
	require.NoError(w, err)
}

// happens is an event of someone: it comes in and everything that follows from it is done.
func (w *world) happens(sender id.UserID, room id.RoomID, kind event.Type, content map[string]any) id.EventID {
	w.Helper()
	e := w.arrives(sender, room, kind, content)
	w.settles()
	return e
}

// arrives is an event that comes in; nothing is done about it yet.
func (w *world) arrives(sender id.UserID, room id.RoomID, kind event.Type, content map[string]any) id.EventID {
	w.Helper()
	w.matrix.mu.Lock()
	e := w.matrix.put(room, sender, kind, content, "")
	w.matrix.mu.Unlock()
	outside := kind // what everybody can see of it
	if kind.Type != event.EventReaction.Type && kind.Type != event.EventRedaction.Type {
		outside = event.EventEncrypted
	}
	w.keep(store.Event{
		ID: string(e.ID), RoomID: string(room), Type: outside.Type, Sender: string(sender), OriginAt: w.clock,
		Target: relatesTo(e.Content.Raw), HasContent: true, ForInbox: true,
	})
	return e.ID
}

// relatesTo is the event that content says it is about, as everybody can see.
func relatesTo(content map[string]any) string {
	relation, _ := content["m.relates_to"].(map[string]any)
	about, _ := relation["event_id"].(string)
	return about
}

// writes is a text message.
func (w *world) writes(sender id.UserID, room id.RoomID, text string) id.EventID {
	w.Helper()
	return w.happens(sender, room, event.EventMessage, map[string]any{"msgtype": "m.text", "body": text})
}

// reacts is a reaction with an emoji.
func (w *world) reacts(sender id.UserID, room id.RoomID, target id.EventID, emoji string) id.EventID {
	w.Helper()
	return w.happens(sender, room, event.EventReaction, reaction(string(target), emoji))
}

// removes is a removal by whoever wrote it.
func (w *world) removes(sender id.UserID, room id.RoomID, target id.EventID) {
	w.Helper()
	require.NoError(w, w.matrix.Redact(w.Context(), room, target, ""))
	w.matrix.mu.Lock()
	e := w.matrix.put(room, sender, event.EventRedaction, map[string]any{}, "")
	e.Redacts = target
	w.matrix.mu.Unlock()
	w.keep(store.Event{
		ID: string(e.ID), RoomID: string(room), Type: event.EventRedaction.Type, Sender: string(sender),
		OriginAt: w.clock, Target: string(target), ForInbox: true,
	})
	w.settles()
}

// moves is a change of membership of the sender, or an invitation of the bot.
func (w *world) moves(sender id.UserID, room id.RoomID, whose id.UserID, membership event.Membership) {
	w.Helper()
	w.matrix.mu.Lock()
	e := w.matrix.put(room, sender, event.StateMember, map[string]any{"membership": string(membership)}, "")
	key := string(whose)
	e.StateKey = &key
	w.matrix.mu.Unlock()
	w.keep(store.Event{
		ID: string(e.ID), RoomID: string(room), Type: event.StateMember.Type, Sender: string(sender), StateKey: &key,
		OriginAt: w.clock, ForInbox: true, Queue: store.QueueOf(string(sender)),
	})
	w.settles()
}

// settles does everything that is due now: turns, deliveries, and the echoes of what was sent.
func (w *world) settles() {
	w.Helper()
	for range 1000 {
		if !w.round() {
			return
		}
	}
	require.Fail(w, "the world does not come to rest", w.log.String())
}

func (w *world) round() (busy bool) {
	turns := &pool{slots: make(chan struct{}, turnWorkers), busy: map[string]bool{}, freed: w.turns.ring}
	took, err := w.startTurns(w.Context(), turns)
	turns.wait()
	require.NoError(w, err)
	busy = took
	for _, l := range lanesOf(w.Practices) {
		busy = w.delivers(l) || busy
	}
	return w.echo() || busy
}

// delivers does what is due in one lane.
func (w *world) delivers(l lane) bool {
	w.Helper()
	p := w.outbox.pool(l)
	did, err := w.startDeliveries(w.Context(), l, p)
	p.wait()
	require.NoError(w, err)
	return did
}

// echo gives the store what the bot sent, as /sync does a moment later.
func (w *world) echo() bool {
	w.matrix.mu.Lock()
	echoes := w.matrix.echoes
	w.matrix.echoes = nil
	w.matrix.mu.Unlock()
	for _, e := range echoes {
		w.keep(store.Event{
			ID: string(e.ID), RoomID: string(e.RoomID), Type: e.Type.Type, Sender: string(botID), OriginAt: w.clock,
			TxnID: e.txn, Target: relatesTo(e.Content.Raw), HasContent: true,
		})
	}
	return len(echoes) > 0
}

// passes moves the clock, and does what has become due.
func (w *world) passes(d time.Duration) {
	w.Helper()
	w.clock = w.clock.Add(d)
	w.settles()
}

// sweeps carries out retention until nothing is due.
func (w *world) sweeps() {
	w.Helper()
	for range 100 {
		did, err := w.sweep(w.Context())
		require.NoError(w, err)
		if did == 0 {
			return
		}
		w.clock = w.clock.Add(verifyAfter)
	}
	require.Fail(w, "retention does not come to rest", w.log.String())
}

// roomFor finds a room of ours.
func (w *world) roomFor(kind store.RoomKind, key string) id.RoomID {
	w.Helper()
	room, known, err := w.Store.RoomOf(w.Context(), kind, key)
	require.NoError(w, err)
	require.True(w, known, "no %s room", kind)
	return id.RoomID(room.ID)
}

func (w *world) person(user id.UserID) care.Person {
	w.Helper()
	p, known, err := w.Store.PersonByUser(w.Context(), string(user))
	require.NoError(w, err)
	require.True(w, known, "no account")
	return p
}

func (w *world) consulting(user id.UserID) id.RoomID {
	w.Helper()
	return w.roomFor(store.RoomConsulting, w.person(user).ID)
}

// talk is the room where staff see the open conversation of a patient.
func (w *world) talk(user id.UserID) id.RoomID {
	w.Helper()
	return w.roomFor(store.RoomConversation, w.person(user).Current)
}

// registered brings a patient to an active account: every question answered, and approved.
func (w *world) registered(user id.UserID) id.RoomID {
	w.Helper()
	w.moves(user, id.RoomID("!chat"+user.Localpart()+":elders.example"), botID, event.MembershipInvite)
	room := w.consulting(user)
	w.moves(user, room, user, event.MembershipJoin)
	for _, answer := range []string{
		"1", "1", "1", "Anneke", "de Berg", "0612345678", "anneke@post.example", "31-5-1980", "1", "1", "1",
	} {
		w.writes(user, room, answer)
	}
	require.Equal(w, care.Awaiting, w.person(user).State, w.heard(room))
	w.writes(chef, w.roomFor(store.RoomBeheer, linde), "!goedkeuren "+code(w.person(user))+" P-4711 toch") // whatever the HIS knows
	require.Equal(w, care.Active, w.person(user).State, w.log.String())
	return room
}

// talking brings a patient to an open conversation about themselves, with one question in it.
func (w *world) talking(user id.UserID, question string) (consulting, talk id.RoomID) {
	w.Helper()
	consulting = w.registered(user)
	w.writes(user, consulting, question)
	w.writes(user, consulting, "over mijzelf")
	w.passes(time.Second) // the card in the Balie waits for the room that it points to
	return consulting, w.talk(user)
}

// said are the texts that the bot sent to a room and that are still there, in order.
func (w *world) said(room id.RoomID) (all []string) {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	for _, e := range w.matrix.room(room).events {
		if m, ok := e.Content.Parsed.(*event.MessageEventContent); ok && e.Sender == botID && !e.gone {
			all = append(all, m.Body)
		}
	}
	return all
}

// heard is everything that the bot said in a room, for looking for words.
func (w *world) heard(room id.RoomID) string { return strings.Join(w.said(room), "\n---\n") }

// letters are the readable files in the HIS folder, in the order of their names.
func (w *world) letters() (all []string) {
	w.Helper()
	files, err := filepath.Glob(filepath.Join(w.his, "*", "*", "*.txt"))
	require.NoError(w, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(w, err)
		all = append(all, string(text))
	}
	return all
}

// filed are the files of a kind in the HIS folder, by name.
func (w *world) filed(pattern string) map[string]string {
	w.Helper()
	files, err := filepath.Glob(filepath.Join(w.his, "*", "*", pattern))
	require.NoError(w, err)
	all := map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(w, err)
		all[filepath.Base(file)] = string(data)
	}
	return all
}

// bundles are the FHIR bundles in the HIS folder.
func (w *world) bundles() []string {
	w.Helper()
	return slices.Collect(maps.Values(w.filed("*.json")))
}
