package appservice

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"
)

func TestAPlaceIsLostOnlyWhenItIsRefusedAgainAndAgainForAWhile(t *testing.T) {
	refused, away := fmt.Errorf("%w: 400", errPlaceLost), errors.New("502")
	for name, tt := range map[string]struct {
		errs  []error
		every time.Duration
		lost  bool
	}{
		"for minutes":               {slices.Repeat([]error{refused}, 4), time.Minute, true},
		"a proxy, for a minute":     {slices.Repeat([]error{refused}, 20), 3 * time.Second, false},
		"twice":                     {slices.Repeat([]error{refused}, 2), time.Hour, false},
		"away in between":           {[]error{refused, away, refused, away, refused}, time.Minute, true},
		"an answer in between":      {[]error{refused, refused, nil, refused, refused}, time.Hour, false},
		"only away":                 {slices.Repeat([]error{away}, 20), time.Hour, false},
		"it goes back":              {slices.Repeat([]error{errGoesBack}, 3), time.Second, true},
		"it goes back, for a blink": {slices.Repeat([]error{errGoesBack}, 2), time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			var l lostPlace
			lost := false
			for i, err := range tt.errs {
				lost = l.isFor(placePatience, err, now.Add(time.Duration(i)*tt.every))
				assert.Equal(t, tt.lost && i == len(tt.errs)-1, lost, i)
			}
		})
	}
}

func TestAPlaceThatGoesBack(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		back     bool
	}{
		{"s12_3_4", "s9_3_4", true}, {"s12_3_4", "s12_0_0", false}, {"s9_3", "s12_3", false}, {"s12", "s9", true},
		{"", "s9_1", false}, {"n12", "n9", false}, {"s12_1", "m9~1.2_1", false}, {"sx_1", "s9_1", false}, {"s12_1", "sy", false},
		{"s99999999999999999999_1", "s9_1", false},
	} {
		assert.Equal(t, tt.back, goesBack(tt.from, tt.to), "%s → %s", tt.from, tt.to)
	}
}

const known = "!broken:gp.example"

// lostBot is a bot that knew two messages of a room when the homeserver forgot how far it had read.
// What the homeserver then says of everything is anew.
func lostBot(t *testing.T, refused, anew reply, messages ...reply) (b *bot, s *scripted, later func(time.Duration)) {
	t.Helper()
	const before = `{"next_batch":"s50_1","rooms":{"join":{%q:{"timeline":{"events":[%s,%s]}}}}}`
	b, s = scriptedBot(t, map[string][]reply{
		"/sync":     {ok(fmt.Sprintf(before, known, saidBefore("$a", 2*time.Hour), saidBefore("$b", 2*time.Hour))), refused, refused, refused, anew, ok(`{"next_batch":"s11_1"}`)},
		"/messages": messages, "/keys/upload": {ok(keysUploaded)},
	})
	clock := now.Add(-time.Hour)
	b.opts.Now = func() time.Time { return clock }
	require.NoError(t, b.store.SaveRoom(t.Context(), store.Room{ID: known, Kind: store.RoomConsulting, Person: "anna", CreatedAt: now.AddDate(0, 0, -20)}))
	require.NoError(t, b.takeIn(t.Context(), 0))
	clock = now
	return b, s, func(d time.Duration) { clock = clock.Add(d) }
}

// anewOf is what /sync says of the room that the bot knew and of one that it did not.
func anewOf(newest, other string) reply {
	return ok(fmt.Sprintf(`{"next_batch":"s10_1","device_one_time_keys_count":{"signed_curve25519":50},"rooms":{"join":{
		%q:{"state":{"events":[{"event_id":"$m","sender":"@anna:gp.example","type":"m.room.member","state_key":"@anna:gp.example","content":{"membership":"join"}}]},
			"timeline":{"events":[%s],"limited":true,"prev_batch":"p"}},
		"!r:gp.example":{"timeline":{"events":[%s]}}}}}`, known, newest, other))
}

func (b *bot) place() string {
	b.t.Helper()
	saved, err := b.store.Bot(b.t.Context())
	require.NoError(b.t, err)
	return saved.NextBatch
}

func TestAHomeserverThatKnowsThePlaceNoMoreIsReadAnewAndNothingIsMissed(t *testing.T) {
	goesBack := ok(`{"next_batch":"s8_1","rooms":{"join":{"!r:gp.example":{"timeline":{"events":[` + messageJSON("$alone") + `]}}}}}`)
	for name, refused := range map[string]reply{"refused": badPlace, "gone back": goesBack} {
		t.Run(name, func(t *testing.T) {
			b, s, later := lostBot(t, refused, anewOf(saidBefore("$3", 0)+","+saidBefore("$4", 0), saidBefore("$other", time.Minute)),
				page("p1", saidBefore("$4", 0), saidBefore("$3", 0), saidBefore("$2", time.Minute)),
				page("p2", saidBefore("$1", 2*time.Minute), saidBefore("$old", 25*24*time.Hour), saidBefore("$b", 2*time.Hour)),
				page("p3", saidBefore("$a", 2*time.Hour)),
				page("p4", saidBefore("$never read", time.Minute)),
			)
			require.NoError(t, b.keys.PutDevices(t.Context(), "@anna:gp.example", map[id.DeviceID]*id.Device{"A": {UserID: "@anna:gp.example", DeviceID: "A"}}))
			var log bytes.Buffer
			b.log = zerolog.New(&log)
			for range refusalsOfStream - 1 {
				require.Error(t, b.takeIn(t.Context(), 0))
				require.Equal(t, "s50_1", b.place())
				later(2 * time.Minute)
			}
			require.NoError(t, b.takeIn(t.Context(), 0))
			assert.Equal(t, "s10_1", b.place())
			assert.Equal(t, []string{"", "s50_1", "s50_1", "s50_1", ""}, s.since)
			require.True(t, b.tries())
			require.False(t, b.tries())
			assert.Equal(t, 3, s.count("/messages"), "of the known room only, and no further than what had come in")
			placed, waiting := b.messages()
			assert.Equal(t, []string{"$a", "$b", "$other", "$1", "$2", "$3", "$4"}, placed, "nothing lost, nothing twice, in order")
			assert.Empty(t, waiting)
			assert.Contains(t, b.ledger(known), "$old", "the room was not ours yet: it is removed in time, and no more")
			outdated, err := b.keys.GetOutdatedTrackedUsers(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []id.UserID{"@anna:gp.example"}, outdated, "who has which devices is looked up again")
			when, anew, err := b.store.BeganAnew(t.Context(), time.Time{})
			require.NoError(t, err)
			assert.True(t, anew && when.Equal(b.opts.Now()), "Beheer is told")
			assert.Equal(t, 1, strings.Count(log.String(), "begins anew"))

			require.NoError(t, b.takeIn(t.Context(), 0))
			assert.Equal(t, "s11_1", b.place(), "and on from there")
		})
	}
}

func TestBeginningAnewIsAllOrNothing(t *testing.T) {
	b, s, later := lostBot(t, badPlace, anewOf(saidBefore("$3", 0), saidBefore("$other", time.Minute)))
	for range refusalsOfStream - 1 {
		require.Error(t, b.takeIn(t.Context(), 0))
		later(2 * time.Minute)
	}
	b.Client.store = &flaky{b.store, 1}
	require.ErrorContains(t, b.takeIn(t.Context(), 0), "disk full")
	assert.Equal(t, "s50_1", b.place())
	assert.False(t, b.hasGap())
	_, anew, err := b.store.BeganAnew(t.Context(), time.Time{})
	require.NoError(t, err)
	assert.False(t, anew)

	s.says("/sync", badPlace, anewOf(saidBefore("$3", 0), saidBefore("$other", time.Minute)))
	require.NoError(t, b.takeIn(t.Context(), 0), "the same again")
	assert.True(t, b.hasGap())
	assert.Equal(t, "s10_1", b.place())
}

func TestWhatIsOldIsNoNewsWhenTheBotBeginsAnew(t *testing.T) {
	b, _, later := lostBot(t, badPlace, anewOf(saidBefore("$old", 25*24*time.Hour)+","+saidBefore("$b", 2*time.Hour), saidBefore("$other", 0)),
		page("", saidBefore("$b", 2*time.Hour), saidBefore("$a", 2*time.Hour), saidBefore("$old", 25*24*time.Hour)))
	for range refusalsOfStream - 1 {
		require.Error(t, b.takeIn(t.Context(), 0))
		later(2 * time.Minute)
	}
	require.NoError(t, b.takeIn(t.Context(), 0))
	require.True(t, b.tries())
	placed, waiting := b.messages()
	assert.Equal(t, []string{"$a", "$b", "$other"}, append(placed, waiting...))
	assert.Contains(t, b.ledger(known), "$old")
}

func TestAHomeserverThatRefusesEverythingIsWaitedFor(t *testing.T) {
	b, s, later := lostBot(t, badPlace, badPlace)
	s.says("/sync", badPlace)
	for range 20 {
		require.Error(t, b.takeIn(t.Context(), 0))
		require.Equal(t, "s50_1", b.place())
		later(time.Minute)
	}
}

var numbers = regexp.MustCompile(`\d+`)

// putBeyond moves a place a little into the future of the homeserver that gave it.
func putBeyond(place string) string {
	return numbers.ReplaceAllStringFunc(place, func(number string) string {
		n, _ := strconv.Atoi(number)
		return strconv.Itoa(n + 10_000)
	})
}

// A homeserver that was restored from a backup has never given the place that the bot has.
func TestAfterARestoreOfTheHomeserverNothingIsMissed(t *testing.T) {
	places := []struct {
		name   string
		beyond func(string) string
		says   int
	}{{"refused", func(string) string { return "nowhere" }, 120}, {"in its future", putBeyond, 20}}
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		var rooms []id.RoomID
		want := map[id.RoomID][]string{}
		say := func(room id.RoomID, text string) { want[room] = append(want[room], string(anna.say(room, text))) }
		for range 2 {
			room := anna.createRoom(b.UserID())
			require.NoError(t, b.Join(t.Context(), room))
			require.NoError(t, b.store.SaveRoom(t.Context(), store.Room{ID: string(room), Kind: store.RoomContact}))
			say(room, "first")
			rooms = append(rooms, room)
		}
		for _, p := range places {
			name := p.name
			until(t, "the messages before", func() bool { return b.placed() == len(want[rooms[0]])+len(want[rooms[1]]) })
			n := b.placed()
			place := p.beyond(b.place())
			b.stop()
			for i := range p.says {
				say(rooms[0], fmt.Sprint(name, " ", i))
			}
			say(rooms[1], name)
			b = w.connect()
			_, err := b.store.DB().RawDB.ExecContext(t.Context(), `UPDATE bot SET next_batch = $1`, place)
			require.NoError(t, err)
			clock := time.Now()
			b.opts.Now = func() time.Time { return clock }
			for range refusalsOfStream - 1 {
				require.ErrorIs(t, b.takeIn(t.Context(), 0), errPlaceLost, name)
				clock = clock.Add(placePatience)
			}
			require.NoError(t, b.takeIn(t.Context(), 0), name)
			until(t, "everything", func() bool {
				require.NoError(t, b.takeIn(t.Context(), 0))
				for b.tries() {
				}
				return b.placed() >= n+p.says+1
			})
			got := map[id.RoomID][]string{}
			for _, row := range b.inbox("m.room.message") {
				got[id.RoomID(row.Room)] = append(got[id.RoomID(row.Room)], row.Event)
			}
			assert.Equal(t, want, got, "%s: all of them, once, in order", name)
			assert.Equal(t, n+p.says+1, b.placed())
			b.opts.Now = time.Now
			b.run()
		}
	})
}
