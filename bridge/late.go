package bridge

import (
	"context"
	"slices"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// A message whose key has not arrived is parked (requirement B3): its turn ends, so that it
// holds up nobody else, and comes back when a key of its room arrives or its time has come.
// What its sender wrote after it in that room waits behind it, until both sides have been told
// that it is missing. From then on it is late: it passes with the time at which it was sent. So does
// what a gap in /sync gave only after what was sent later (store/gap.go).

const (
	reopenBatch   = 100
	maxKeyBackoff = time.Hour
)

// waited says that a turn is back from being parked, or overtaken: by now other things were said.
func (p place) waited() bool { return p.parked != nil || p.overtaken() }

// overtaken says that what was sent later in its room had its turn before: it was missing in what
// the homeserver told, and was read afterwards.
func (p place) overtaken() bool { return p.Overtaken && wrote(p.Type) }

// told says that both sides were told that it is missing.
func (p place) told() bool { return p.parked != nil && !p.parked.ToldAt.IsZero() }

// late says that it passes with the time at which it was sent.
func (p place) late() bool { return p.told() || p.overtaken() }

// manner is how what was said in a turn has to be passed on.
func (p place) manner() body { return body{Late: p.late(), Instead: p.replaces} }

// row is how a turn is parked: as before, or for the first time.
func (p place) row() store.Parked {
	if p.parked != nil {
		row := *p.parked
		row.Turn = p.ID
		return row
	}
	return store.Parked{EventID: p.EventID, Turn: p.ID, RoomID: p.RoomID, Sender: p.Sender}
}

// inLine says what a turn has to wait for before its event is read: a reaction for what it is
// about, something written for what the same person wrote before it.
func (b *Bridge) inLine(ctx context.Context, p place) (row store.Parked, wait bool, err error) {
	row = p.row()
	switch {
	case p.Type == event.EventReaction.Type && p.Target != "":
		_, wait, err = b.Store.ParkedEvent(ctx, p.Target)
		row.Behind = p.Target
	case wrote(p.Type):
		wait, err = b.Store.MustWait(ctx, p.Turn)
		row.NextAt = time.Time{}
	}
	return row, wait, err
}

// noKey parks a turn whose key is missing. After a while, once, both sides are told.
func (b *Bridge) noKey(ctx context.Context, p place) error {
	row, tell := p.row(), false
	deadline := b.Now().Add(b.KeyTimeout - b.waited(p.ReceivedAt))
	row.NextAt = b.Now().Add(keyBackoff(row.Attempt))
	if row.ToldAt.IsZero() {
		if tell = !b.Now().Before(deadline); tell {
			row.ToldAt = b.Now()
		} else if row.NextAt.After(deadline) {
			row.NextAt = deadline
		}
	}
	row.Attempt++
	return b.park(ctx, p, row, func(ctx context.Context) error {
		if !tell {
			return nil
		}
		return b.tellMissing(ctx, p, "missing")
	})
}

// park ends a turn and lets its event wait.
func (b *Bridge) park(ctx context.Context, p place, row store.Parked, changes func(ctx context.Context) error) error {
	return b.conclude(ctx, p, func(ctx context.Context) error {
		if err := changes(ctx); err != nil {
			return err
		}
		return b.Store.Park(ctx, row)
	})
}

// keyBackoff is how long to wait before a key is looked for again, and asked for: 1 s, 2 s …
// an hour. When it arrives it is looked for at once.
func keyBackoff(attempt int) time.Duration {
	return min(time.Second<<min(max(attempt, 0), 12), maxKeyBackoff)
}

// KeyArrived wakes what waits for a key in a room.
func (b *Bridge) KeyArrived(room id.RoomID) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := b.Store.WakeParked(ctx, string(room), ""); err != nil {
		b.Log.Err(err).Stringer("room_id", room).Msg("Waking turns failed")
	}
	b.turns.ring()
}

// gaps is what a patient is told of a message of staff that is not there.
var gaps = map[string]string{"missing": "relay.gap_missing", "unreadable": "relay.gap"}

// tellMissing says to who sent it that a message could not be opened, and shows the gap to the
// other side when that side knows of the conversation (requirement B2).
func (b *Bridge) tellMissing(ctx context.Context, p place, why string) error {
	if p.room.Person == "" { // staff among themselves: it may have been a command
		return b.add(ctx, b.reply(p, body{Text: "desk.unopened"}))
	}
	c, err := b.caseInRoom(ctx, p.room)
	if err != nil || c.Person.ID == "" {
		return err
	}
	sender := body{Text: "relay." + why, Reply: p.EventID, At: p.OriginAt.UnixMilli()}
	open := c.Conversation.State == care.Open && c.Person.State == care.Active
	if p.room.Kind == store.RoomConversation {
		if err := b.tellDesk(ctx, c, sender); err != nil || !open {
			return err
		}
		return b.add(ctx, ofPerson(job("say", consulting(c.Person.ID), body{Text: gaps[why], At: sender.At}), c.Person))
	}
	if err := b.add(ctx, ofPerson(job("say", consulting(c.Person.ID), sender), c.Person)); err != nil || !open {
		return err
	}
	return b.tellDesk(ctx, c, body{Text: "desk." + why, At: sender.At})
}

// mindTime adds what a rule must know of a message that had to wait.
func (b *Bridge) mindTime(ctx context.Context, p place, person care.Person, h *care.Heard, env *care.Env) error {
	if !p.waited() {
		return nil
	}
	h.Waited, h.Missed, h.SentAt = true, p.told(), p.OriginAt
	if err := b.mindQuestion(ctx, p, person, env); err != nil {
		return err
	}
	consents, err := b.Store.Consents(ctx, person.ID)
	if err != nil {
		return err
	}
	for _, c := range consents {
		if c.Purpose == care.HealthData {
			env.ConsentedAt = time.Time{}
			if c.Yes {
				env.ConsentedAt = c.At
			}
		}
	}
	talks, err := b.Store.ConversationsOf(ctx, person.ID)
	if err != nil {
		return err
	}
	for _, t := range talks {
		if t.ClosedAt.IsZero() || t.ClosedAt.After(p.OriginAt) {
			env.Then = t
			env.ThenWhom, _, err = b.derdeOf(ctx, t)
			return err
		}
	}
	return nil
}

// mindQuestion adds when the open question was put that a message from before may answer: it may
// have been repeated since. A number is counted in the list that was shown last, so with another
// list it answers nothing: it would mean someone else.
func (b *Bridge) mindQuestion(ctx context.Context, p place, person care.Person, env *care.Env) error {
	open, err := b.Store.Reminder(ctx, person.ID)
	if err != nil || !open.IsOf(person) {
		return err
	}
	last, _, err := b.Store.LastPrompt(ctx, person.ID, person.Question)
	if err != nil {
		return err
	}
	since := open.Since
	if !person.Question.Lasts() {
		since = last.AskedAt
	}
	seen, _, err := b.Store.PromptAt(ctx, person.ID, person.Question, since, p.OriginAt)
	if person.Question != care.AskWhom || slices.Equal(seen.Offered, last.Offered) {
		env.AskedAt = seen.AskedAt
	}
	return err
}

// markOf is what the bridge says about a message in front of its words; "" = nothing.
func (b *Bridge) markOf(evt *event.Event, t task, language string) string {
	var marks []string
	if t.body.Late {
		marks = append(marks, b.lateMark(language, time.UnixMilli(evt.Timestamp)))
	}
	if unsigned(evt) {
		marks = append(marks, b.Texts.Text(language, "mark.unsigned", b.practiceArgs(b.practice(""))))
	}
	return strings.Join(marks, " ")
}

// lateMark says that a message came late, and when it was sent.
func (b *Bridge) lateMark(language string, sent time.Time) string {
	sent = sent.In(b.Zone)
	args := b.practiceArgs(b.practice(""))
	args.Date, args.Time = sent.Format("02-01-2006"), sent.Format("15:04")
	return b.Texts.Text(language, "mark.late", args)
}

// marked is a message with something in front of its words that the bridge says about it.
func marked(m *event.MessageEventContent, mark string) *event.MessageEventContent {
	if mark == "" {
		return m
	}
	with := *m
	if m.File != nil || m.URL != "" {
		with.FileName, with.Body = m.GetFileName(), strings.TrimSpace(mark+" "+m.GetCaption())
	} else {
		with.Body = mark + " " + m.Body
	}
	if m.Format == event.FormatHTML && m.FormattedBody != "" {
		with.FormattedBody = "<em>" + asHTML(mark) + "</em> " + m.FormattedBody
	}
	return &with
}
