package bridge

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

// A fakeScanner answers what it is told to.
type fakeScanner struct {
	found string
	err   error
}

func (s *fakeScanner) Scan(context.Context, []byte) (string, error) { return s.found, s.err }

// guarded is a bridge with limits and a scanner.
func guarded(s *fakeScanner) func(*Settings) {
	return func(o *Settings) {
		o.Scanner, o.MaxFile = s, 2000
		o.Files.Pixels, o.Files.Refused = 10_000, []string{"application/vnd.microsoft.portable-executable"}
	}
}

func custom(name string) event.Type { return event.Type{Type: name, Class: event.MessageEventType} }

// missing is everything that cannot be carried, and what each side reads about it.
var missing = []struct {
	name               string
	kind               event.Type
	file               []byte
	content            map[string]any
	sender, desk, sent string
}{
	{"a type that nobody knows", custom("org.example.sketch"), nil, map[string]any{"body": "x"},
		"Dit soort bericht kunnen wij niet doorgeven", "Dit soort bericht kunnen wij niet", "Dit soort bericht kunnen wij niet"},
	{"a message of an unknown kind", event.EventMessage, nil, map[string]any{"msgtype": "org.example.x", "body": "x"},
		"Dit soort bericht", "Dit soort bericht", "Dit soort bericht"},
	{"a message without a form", event.EventMessage, nil, map[string]any{"msgtype": "m.text", "body": 5},
		"Dit soort bericht", "Dit soort bericht", "Dit soort bericht"},
	{"a vote", custom("org.matrix.msc3381.poll.response"), nil, map[string]any{"answers": []any{"1"}},
		"Dit soort bericht", "Dit soort bericht", "Dit soort bericht"},
	{"a call", custom("m.call.invite"), nil, map[string]any{"call_id": "1"},
		"Dit soort bericht", "Dit soort bericht", "Dit soort bericht"},
	{"a place that is none", event.EventMessage, nil, map[string]any{"msgtype": "m.location", "body": "x", "geo_uri": "https://x.example"},
		"Dit soort bericht", "Dit soort bericht", "Dit soort bericht"},
	{"a text that is too long", event.EventMessage, nil, map[string]any{"msgtype": "m.text", "body": strings.Repeat("x", maxContent)},
		"Dit bericht is te lang", "Het is te lang", "Dit bericht is te lang"},
	{"a file that is too large", event.EventMessage, make([]byte, 2001), map[string]any{"msgtype": "m.file", "body": "x"},
		"Dit bestand is te groot", "Het is te groot", "Dit bestand is te groot"},
	{"a picture that unfolds too far", event.EventMessage, mediatest.HEICWithPlace(200, 200), map[string]any{"msgtype": "m.image", "body": "x"},
		"Dit bestand is te groot", "Het is te groot", "Dit bestand is te groot"},
	{"a program", event.EventMessage, mediatest.Program(), map[string]any{"msgtype": "m.file", "body": "foto.jpg"},
		"Dit soort bestand mogen wij niet", "Dit soort bestand is niet toegestaan", "Dit soort bestand mag niet"},
	{"a broken picture", event.EventMessage, mediatest.PNG(8, 8)[:40], map[string]any{"msgtype": "m.image", "body": "x"},
		"Dit bestand kunnen wij niet openen", "Wij kunnen het niet openen", "Dit bestand kunnen wij niet openen"},
	{"a file that is gone", event.EventMessage, nil, map[string]any{"msgtype": "m.image", "body": "x", "url": "mxc://elders.example/gone"},
		"Dit bestand konden wij niet ophalen", "Wij konden het niet ophalen", "Dit bestand konden wij niet ophalen"},
}

func TestWhatCannotBeCarriedIsSaidAndShowsAsAGapInItsPlace(t *testing.T) {
	for _, who := range []id.UserID{anna, fatima} {
		t.Run("by "+who.Localpart(), func(t *testing.T) {
			w := newWorld(t, guarded(&fakeScanner{}))
			consulting, talk := w.talking(anna, "Een vraag")
			here, there := consulting, talk
			if who == fatima {
				here, there = talk, consulting
			}
			for _, m := range missing {
				t.Run(m.name, func(t *testing.T) {
					content := maps.Clone(m.content)
					if m.file != nil {
						content["file"] = w.stored(m.file)
					}
					before, told := len(w.said(there)), len(w.said(here))
					w.arrives(who, here, event.EventMessage, map[string]any{"msgtype": "m.text", "body": "ervoor"})
					sent := w.arrives(who, here, m.kind, content)
					w.arrives(who, here, event.EventMessage, map[string]any{"msgtype": "m.text", "body": "erna"})
					w.settles()
					gap, say := m.desk, m.sender
					if who == fatima {
						gap, say = "De praktijk stuurde u iets dat hier niet kan aankomen", m.sent
					}
					got := w.said(there)[before:]
					require.Len(t, got, 3, got)
					assert.Contains(t, got[0], "ervoor")
					assert.Contains(t, got[1], gap)
					assert.Contains(t, got[2], "erna")
					require.Len(t, w.said(here)[told:], 1, "the sender is told once")
					assert.Contains(t, w.said(here)[told], say)
					assert.Equal(t, failedMark, dug(w.lastOf(here, event.EventReaction), "m.relates_to", "key"))
					assert.Equal(t, string(sent), dug(w.lastOf(here, event.EventMessage), "m.relates_to", "m.in_reply_to", "event_id"), "about which message")
				})
			}
		})
	}
}

func TestTheTalkOfClientsWithEachOtherIsNoMessage(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		before := w.heard(s.here) + w.heard(s.there)
		for kind := range noise {
			w.happens(s.who, s.here, custom(kind), map[string]any{"call_id": "1"})
		}
		assert.Equal(t, before, w.heard(s.here)+w.heard(s.there))
	})
}

func TestAVirusIsHeldBackFromStaffAndFromTheRecord(t *testing.T) {
	scanner := &fakeScanner{found: "Win.Test.EICAR_HDB-1"}
	w := newWorld(t, guarded(scanner))
	consulting, talk := w.talking(anna, "Een vraag")
	w.happens(anna, consulting, event.EventMessage, map[string]any{
		"msgtype": "m.file", "filename": "brief.pdf", "body": "Kijk eens", "file": w.stored(mediatest.PDF()),
	})
	assert.Contains(t, w.heard(talk), "Er zit misschien een virus in")
	assert.Contains(t, w.heard(consulting), "In dit bestand zit misschien een virus")
	assert.Empty(t, w.filed("*.pdf"))
	assert.Contains(t, strings.Join(w.letters(), "\n"), "Kijk eens\n[Een bestand ontbreekt: er zit misschien een virus in.]")
	assert.Contains(t, w.log.String(), "EICAR")
}

// The scanner is waited for a minute, and then the file is refused: what comes after it goes on.
func TestWhenTheScannerIsAwayNothingPassesUnseen(t *testing.T) {
	scanner := &fakeScanner{err: errors.New("no such file or directory")}
	w := newWorld(t, guarded(scanner))
	consulting, talk := w.talking(anna, "Een vraag")
	photo := func() id.EventID {
		return w.arrives(anna, consulting, event.EventMessage, map[string]any{"msgtype": "m.image", "body": "x.png", "file": w.stored(mediatest.PNG(8, 8))})
	}
	photo()
	w.writes(anna, consulting, "erna")
	assert.NotContains(t, w.heard(talk), "erna", "it keeps its place")
	scanner.err = nil
	w.passes(30 * time.Second)
	assert.Contains(t, w.heard(talk), "erna")
	assert.Len(t, w.filed("*.png"), 1, "it came back in time")

	scanner.err = errors.New("connection refused")
	photo()
	w.writes(anna, consulting, "daarna")
	for range 8 {
		w.passes(20 * time.Second)
	}
	said := w.said(talk)
	assert.Contains(t, said[len(said)-2], "Wij konden niet nagaan of het veilig is")
	assert.Contains(t, said[len(said)-1], "daarna")
	assert.Contains(t, w.heard(consulting), "Wij konden niet nagaan of dit bestand veilig is")
	assert.Len(t, w.filed("*.png"), 1)
	assert.Contains(t, strings.Join(w.letters(), "\n"), "[Een bestand ontbreekt: er kon niet worden nagegaan of het veilig is.]")
}

func TestAMediaServerThatStaysAwayHoldsUpNobodyForLong(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.matrix.fails = func(call string, _ id.RoomID) error {
		if call == "download" {
			return errors.New("502 bad gateway")
		}
		return nil
	}
	w.happens(anna, consulting, event.EventMessage, map[string]any{"msgtype": "m.image", "body": "x.png", "file": w.stored(mediatest.PNG(8, 8))})
	w.writes(anna, consulting, "erna")
	w.passes(5 * time.Minute)
	assert.NotContains(t, w.heard(talk), "erna", "it may come back")
	for range 10 {
		w.passes(2 * time.Minute)
	}
	assert.Contains(t, w.heard(talk), "Wij konden het niet ophalen")
	assert.Contains(t, w.heard(talk), "erna")
	assert.Contains(t, strings.Join(w.letters(), "\n"), "[Een bestand ontbreekt: het kon niet worden opgehaald.]")
}

// A homeserver that takes no message of this size says so only when it is sent.
func TestWhatTheHomeserverRefusesForItsSizeIsAGapToo(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		refuse := 1
		w.matrix.fails = func(call string, room id.RoomID) error {
			if call == "send" && room == s.there && refuse > 0 {
				refuse--
				return ErrTooLarge
			}
			return nil
		}
		w.writes(s.who, s.here, "veel tekst")
		assert.Contains(t, w.heard(s.here), "Dit bericht is te lang")
		assert.NotContains(t, w.heard(s.there), "veel tekst")

		w.matrix.fails = func(call string, _ id.RoomID) error {
			if call == "upload" {
				return ErrTooLarge
			}
			return nil
		}
		w.happens(s.who, s.here, event.EventMessage, map[string]any{"msgtype": "m.image", "body": "x.png", "file": w.stored(mediatest.PNG(8, 8))})
		assert.Contains(t, w.heard(s.here), "Dit bestand is te groot")
	})
}

// The answer to the sending of a gap is lost: the sender must still be told, once.
func TestTheSenderIsToldAlsoWhenTheBridgeStopsInBetween(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		lost := true
		w.matrix.lose = func(room id.RoomID) bool {
			was := lost && room == s.there
			lost = lost && !was
			return was
		}
		w.happens(s.who, s.here, event.EventMessage, map[string]any{"msgtype": "org.example.x", "body": "x"})
		w.passes(time.Minute)
		require.False(t, lost)
		assert.Equal(t, 1, strings.Count(w.heard(s.here), "Dit soort bericht kunnen wij niet doorgeven"))
		assert.Equal(t, 1, strings.Count(w.heard(s.there), "Dit soort bericht")+strings.Count(w.heard(s.there), "De praktijk stuurde u iets"))
	})
}

func TestAGapIsMendedByAnEditAndGoesWithTheMessage(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		long := w.writes(s.who, s.here, strings.Repeat("x", maxContent))
		gap := w.mirrorOf(long, s.there)
		w.edits(s.who, s.here, long, "Korter")
		_, got := w.lastOut(s.there)
		assert.Equal(t, gap, dug(got, "m.relates_to", "event_id"))
		assert.Equal(t, s.name+": Korter", dug(got, "m.new_content", "body"))
		w.removes(s.who, s.here, long)
		w.sweeps()
		gone, err := w.matrix.Gone(t.Context(), s.there, id.EventID(gap))
		require.NoError(t, err)
		assert.True(t, gone)
	})
}

func TestStaffHearWhenAChangeDoesNotArrive(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	typo := w.writes(fatima, talk, "!slutien")
	w.edits(fatima, talk, typo, "!sluiten")
	assert.Contains(t, w.heard(talk), "Uw wijziging is niet uitgevoerd en niet doorgegeven")
	said := w.writes(fatima, talk, "Een antwoord")
	w.writes(anna, w.consulting(anna), "intrekken")
	w.edits(fatima, talk, said, "Een ander antwoord")
	assert.Contains(t, w.heard(talk), "Uw bericht is niet doorgegeven")
	assert.NotContains(t, w.heard(w.consulting(anna)), "Een ander antwoord")
}
