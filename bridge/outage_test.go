package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

const bert = "@bert:elders.example"

// backAfter ends a time in which nothing came in; what people wrote half-way arrives at
// the end, in one batch.
func (w *world) backAfter(d time.Duration, wrote ...store.Event) {
	w.Helper()
	began := w.clock
	w.clock = began.Add(d)
	for i := range wrote {
		wrote[i].OriginAt = began.Add(d / 2)
	}
	w.keep(wrote...)
	w.settles()
	w.passes(time.Second)
}

// wrote is something that someone writes while nothing comes in.
func (w *world) wrote(user string, room, text string) store.Event {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	e := w.matrix.put(id.RoomID(room), id.UserID(user), event.EventMessage, map[string]any{"msgtype": "m.text", "body": text}, "")
	return store.Event{ID: string(e.ID), RoomID: room, Type: event.EventEncrypted.Type, Sender: user, HasContent: true, ForInbox: true}
}

func TestAfterAnOutageEverybodyWhoWaitedIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.away = 15 * time.Minute
	anns, talk := w.talking(anna, "Een vraag")
	berts := w.registered(bert)
	w.keep()
	before := len(w.said(berts))
	w.backAfter(2*time.Hour, w.wrote(string(anna), string(anns), "Bent u daar?"), w.wrote(string(anna), string(anns), "Hallo?"),
		w.wrote(string(fatima), string(talk), "Een antwoord"))

	told := "van 02-03-2026 11:00 tot 02-03-2026 13:00"
	assert.Equal(t, 1, strings.Count(w.heard(anns), told), w.heard(anns))
	assert.Contains(t, w.heard(anns), "Uw 2 berichten uit die tijd zijn nu aangekomen.")
	assert.Contains(t, w.heard(talk), "Ingehaald in dit gesprek: 3 berichten.")
	assert.Less(t, strings.Index(w.heard(talk), "Ingehaald"), strings.Index(w.heard(talk), "Bent u daar?"), "the words come first")
	beheer := w.heard(w.roomFor(store.RoomBeheer, linde))
	assert.Equal(t, 1, strings.Count(beheer, told))
	assert.Contains(t, beheer, "Ingehaald: 3 berichten in 2 kamers.")
	assert.Len(t, w.said(berts), before, "nothing of his waited")

	w.keep()
	w.settles()
	assert.Equal(t, 1, strings.Count(w.heard(anns), told), "once")
}

func TestOfAnOutageInWhichNobodyWroteNothingIsSaid(t *testing.T) {
	w := newWorld(t)
	w.away = 15 * time.Minute
	anns, talk := w.talking(anna, "Een vraag")
	w.keep()
	before := len(w.said(anns)) + len(w.said(talk)) + len(w.said(w.roomFor(store.RoomBeheer, linde)))
	w.backAfter(2 * time.Hour)
	assert.Equal(t, before, len(w.said(anns))+len(w.said(talk))+len(w.said(w.roomFor(store.RoomBeheer, linde))))
	w.writes(anna, anns, "Na de storing")
	assert.NotContains(t, w.heard(anns), "niet bereikbaar")
}

func TestAShortOutageIsNotWorthAWord(t *testing.T) {
	w := newWorld(t)
	w.away = 15 * time.Minute
	anns, _ := w.talking(anna, "Een vraag")
	w.keep()
	w.backAfter(14*time.Minute, w.wrote(string(anna), string(anns), "Hallo?"))
	assert.NotContains(t, w.heard(anns), "niet bereikbaar")
}

func TestWhoIsNotActiveHearsNothingAboutThePractice(t *testing.T) {
	w := newWorld(t)
	w.away = 15 * time.Minute
	w.moves(anna, "!chat:elders.example", botID, "invite")
	room := w.consulting(anna)
	w.moves(anna, room, anna, "join")
	w.writes(anna, room, "1")
	w.keep()
	w.backAfter(time.Hour, w.wrote(string(anna), string(room), "1"))
	assert.Contains(t, w.heard(room), "U kunt nu weer verder")
	assert.NotContains(t, w.heard(room), "aangekomen")
	assert.Contains(t, w.heard(room), "gebruiksvoorwaarden", "and the dialogue goes on")
}
