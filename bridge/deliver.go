package bridge

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

const (
	lease       = 2 * time.Minute
	owner       = "bridge"        // one process per database (store.ErrInUse)
	insistEvery = 5 * time.Second // between two tries to store how a delivery or a turn ended
)

// A delivery is what carrying out one effect came to.
type delivery struct {
	event   id.EventID // of what was sent, if anything
	after   func(ctx context.Context) error
	dropped string // why it has become pointless; "" = it has arrived
	filed   string // what the system calls it, if it was filed
}

// deliverers is how each kind of outbox row is carried out. A deliverer may be called
// again after a crash or a lost answer, and must then not do it twice.
var deliverers map[string]func(*Bridge, context.Context, task) (delivery, error)

func init() { // some deliverers add rows for others
	deliverers = map[string]func(*Bridge, context.Context, task) (delivery, error){
		"join":               (*Bridge).deliverJoin,
		"leave":              (*Bridge).deliverLeave,
		"greet":              (*Bridge).deliverGreeting,
		"consulting":         (*Bridge).deliverConsultingRoom,
		"gate":               (*Bridge).deliverGate,
		"mute":               (*Bridge).deliverMute,
		"say":                (*Bridge).deliverSay,
		"advice":             (*Bridge).deliverAdvice,
		"farewell":           (*Bridge).deliverFarewell,
		"ask":                (*Bridge).deliverQuestion,
		"button":             (*Bridge).deliverButton,
		"recap":              (*Bridge).deliverRecap,
		"recap.copy":         (*Bridge).deliverRecapCopy,
		"mark":               (*Bridge).deliverMark,
		"mark.filed":         (*Bridge).deliverFiledMark,
		"unmark.filed":       (*Bridge).deliverFiledUnmark,
		"remove":             (*Bridge).deliverRemoval,
		"open":               (*Bridge).deliverConversationRoom,
		"card":               (*Bridge).deliverCard,
		"card.balie":         (*Bridge).deliverBalieCard,
		"rename":             (*Bridge).deliverRename,
		"tell":               (*Bridge).deliverTell,
		"staff":              (*Bridge).deliverStaffRooms,
		"dissolve":           (*Bridge).deliverDissolve,
		"staff.conversation": (*Bridge).deliverConversationStaff,
		"relay":              (*Bridge).deliverRelay,
		"relay.reaction":     (*Bridge).deliverReaction,
		"relay.removal":      (*Bridge).deliverRelayedRemoval,
		"file":               (*Bridge).deliverFile,
		"card.unfiled":       (*Bridge).deliverUnfiledCard,
		"answer":             (*Bridge).deliverAnswer,
		"report":             (*Bridge).deliverReport,
		"file.mistake":       (*Bridge).deliverMistake,
		"find":               (*Bridge).deliverFind,
		"track":              (*Bridge).deliverTrack,
		"file.removal":       (*Bridge).deliverFileRemoval,
		"file.end":           (*Bridge).deliverFileEnd,
		"file.withdrawal":    (*Bridge).deliverWithdrawal,
		"file.answer":        (*Bridge).deliverCopy,
	}
}

// A task is an outbox row with its body read.
type task struct {
	store.Effect
	body body
}

func (t task) sourceRoom() id.RoomID   { return id.RoomID(t.SourceRoom) }
func (t task) sourceEvent() id.EventID { return id.EventID(t.SourceEvent) }

// runOutbox carries the effects of a lane out: in order per destination, several destinations
// at once.
func (b *Bridge) runOutbox(ctx context.Context, l lane) error {
	p := b.outbox.pool(l)
	defer p.wait()
	for {
		found, err := b.startDeliveries(ctx, l, p)
		if errors.Is(err, store.ErrTakenOver) {
			return err // another instance has this database: stop at once
		}
		if err != nil && ctx.Err() == nil {
			b.Log.Err(err).Msg("Looking for effects failed")
		}
		if found {
			continue
		}
		if err := b.outbox[l.name].wait(ctx, idle); err != nil {
			return nil // stopped
		}
	}
}

func (b *Bridge) startDeliveries(ctx context.Context, l lane, p *pool) (found bool, err error) {
	if b.paused(l.name) > 0 {
		return false, nil
	}
	effects, err := b.Store.ClaimEffects(ctx, owner, l.name, b.Now(), lease, l.workers, p.keys())
	if err != nil {
		return false, err
	}
	for _, e := range effects {
		if p.start(ctx, e.Destination, func() { b.deliver(ctx, e) }) {
			found = true
		}
	}
	return found, nil
}

// inARow is how many effects of one destination a worker carries out before others get their
// turn. That one is done and the next is taken is stored at once, which saves every message a
// transaction and a look for work.
const inARow = 8

// deliver carries out an effect and what comes next for the same destination.
func (b *Bridge) deliver(ctx context.Context, e store.Effect) {
	for more, left := true, inARow; more; left-- {
		if pause := b.paused(e.Lane); pause > 0 { // since it was claimed
			b.retry(ctx, e, pause, nil)
			return
		}
		e, more = b.deliverOne(ctx, e, left > 1)
	}
}

// deliverOne carries out one effect and stores how it ended. With another wanted it returns the
// next one, if there is one.
func (b *Bridge) deliverOne(ctx context.Context, e store.Effect, another bool) (next store.Effect, more bool) {
	if wait := b.untilDay(e); wait > 0 {
		b.retry(ctx, e, wait, nil)
		return next, false
	}
	done, err := b.attempt(ctx, e)
	if err == nil {
		if next, more, err = b.settleDelivery(ctx, e, done, another); err != nil && done.dropped == "" {
			err = perhaps{err} // it has arrived
		}
	}
	switch {
	case err == nil:
		b.handed.forget(e.ID)
		b.outbox.ring(matrixLane, e.Lane)
		return next, more
	case errors.Is(err, store.ErrFenced): // another took it over: leave it alone
	case ctx.Err() != nil: // stopped: the lease runs out
	case isFinal(err):
		b.giveUp(ctx, e, err)
	case errors.Is(err, errNotYet):
		b.retry(ctx, e, waitFor(e), err)
		return next, false
	default:
		if worthSaying(e.Attempt) {
			b.Log.Warn().Err(err).Int64("effect", e.ID).Str("kind", e.Kind).Int("attempt", e.Attempt).Msg("Delivery failed, will be tried again")
		}
		b.retry(ctx, e, max(pauseBefore(e), b.leaveAlone(e.Lane, err)), err)
		return next, false
	}
	b.handed.forget(e.ID)
	return next, false
}

// attempt calls the deliverer of an effect; a panic is an error like another.
func (b *Bridge) attempt(ctx context.Context, e store.Effect) (done delivery, err error) {
	defer func() {
		if r := recover(); r != nil {
			b.Log.Error().Int64("effect", e.ID).Str("kind", e.Kind).Bytes("stack", debug.Stack()).Msg("Delivery panicked")
			err = perhaps{fmt.Errorf("panic in delivery of %s", e.Kind)}
		}
	}()
	what, err := parseBody(e)
	if err != nil {
		return done, err
	}
	deliver, known := deliverers[e.Kind]
	if !known {
		return done, refused("no effect is called %q", e.Kind)
	}
	done, err = deliver(b, ctx, task{e, what})
	for _, needless := range []error{errWithdrawn, ErrThere} {
		if errors.Is(err, needless) {
			return delivery{dropped: needless.Error()}, nil
		}
	}
	return done, err
}

// settleDelivery stores the end of an effect together with what follows from it.
func (b *Bridge) settleDelivery(ctx context.Context, e store.Effect, done delivery, another bool) (next store.Effect, more bool, err error) {
	err = b.Store.Transact(ctx, func(ctx context.Context) (err error) {
		if err := b.endDelivery(ctx, e, done); err != nil || !another {
			return err
		}
		next, more, err = b.Store.ClaimNext(ctx, owner, e.Destination, b.Now(), lease)
		return err
	})
	return next, more, err
}

func (b *Bridge) endDelivery(ctx context.Context, e store.Effect, done delivery) error {
	if done.after != nil {
		if err := done.after(ctx); err != nil {
			return err
		}
	}
	if done.dropped != "" {
		e.Vain = vainOf(e, nil)
		return b.Store.DropEffect(ctx, e, done.dropped, b.Now())
	}
	if err := errors.Join(b.tellFiled(ctx, e), b.markFiled(ctx, e)); err != nil {
		return err
	}
	if done.filed != "" {
		if err := b.Store.FiledAs(ctx, e.ID, done.filed); err != nil {
			return err
		}
	}
	return b.Store.FinishEffect(ctx, e, string(done.event), b.Now())
}

func (b *Bridge) retry(ctx context.Context, e store.Effect, after time.Duration, cause error) {
	e.Vain = vainOf(e, cause)
	b.insist(ctx, "Postponing an effect", func() error {
		return b.Store.RetryEffect(ctx, e, b.Now().Add(after), "failed")
	})
}

// insist tries something again until the database takes it: it was full, or away. An effect would
// stay claimed otherwise until its lease ends, and its destination would wait that long.
func (b *Bridge) insist(ctx context.Context, what string, write func() error) {
	for again := 0; ; again++ {
		err := write()
		if err == nil || errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrTakenOver) || ctx.Err() != nil {
			return
		}
		b.Log.Err(err).Msg(what + " failed, will be tried again")
		select {
		case <-ctx.Done():
		case <-time.After(min(backoff(again), insistEvery)):
		}
	}
}

// isFinal says that trying again is of no use.
func isFinal(err error) bool { return errors.Is(err, ErrRefused) || errors.Is(err, his.ErrRefused) }

// giveUp ends an effect that can never succeed, and says so where people would miss it:
// nothing disappears silently (requirement B2).
func (b *Bridge) giveUp(ctx context.Context, e store.Effect, cause error) {
	b.Log.Error().Err(cause).Int64("effect", e.ID).Str("kind", e.Kind).Msg("Effect given up")
	e.Vain = vainOf(e, cause)
	b.insist(ctx, "Ending an effect", func() error {
		return b.Store.Transact(ctx, func(ctx context.Context) error {
			if err := b.tellGivenUp(ctx, e, cause); err != nil {
				return err
			}
			if e.Kind == "track" { // nobody has to decide about that
				return b.Store.DropEffect(ctx, e, b.refusal(cause), b.Now())
			}
			return b.Store.FailEffect(ctx, e, b.refusal(cause), b.Now())
		})
	})
}

// tellGivenUp tells the sender of a message, and the staff room, that it did not arrive.
func (b *Bridge) tellGivenUp(ctx context.Context, e store.Effect, cause error) error {
	if strings.HasPrefix(e.Kind, "relay") || e.Kind == "advice" {
		why := "failed"
		if errors.Is(cause, errGroundEnded) {
			why = "ground_ended"
		}
		return b.add(ctx, b.notArrived(e, why)...)
	}
	if e.Kind == "answer" {
		return b.answerGivenUp(ctx, e, cause)
	}
	if e.Kind == "track" {
		return b.tellUntracked(ctx, e, cause)
	}
	if !isFiling(e) {
		return nil
	}
	notice := job("tell", conversation(e.Conversation), body{Text: "desk.filing_refused"})
	notice.Person, notice.Conversation = e.Person, e.Conversation
	return b.add(ctx, notice, cardOf(e))
}

// send sends content once: when the bot's own echo has been seen already, the effect is
// done and only has to be finished.
func (b *Bridge) send(ctx context.Context, t task, room string, kind event.Type, content map[string]any) (id.EventID, error) {
	if t.EventID != "" {
		return id.EventID(t.EventID), nil
	}
	since := time.Time{}
	if t.Attempt > 1 { // an answer may have been lost, and Dendrite forgets transaction ids when it restarts
		since = t.CreatedAt
	}
	return b.Matrix.Send(ctx, id.RoomID(room), kind, content, t.TxnID, since)
}

// roomOf finds where the effects of a destination go. A room that is not there yet is
// made by an earlier row of the same destination, so this is worth trying again.
func (b *Bridge) roomOf(ctx context.Context, kind store.RoomKind, key string) (string, error) {
	room, known, err := b.Store.RoomOf(ctx, kind, key)
	if err != nil {
		return "", err
	}
	if !known {
		return "", refused("no %s room", kind)
	}
	return room.ID, nil
}

// personFor loads the person an effect is for.
func (b *Bridge) personFor(ctx context.Context, t task) (care.Person, error) {
	person, known, err := b.Store.Person(ctx, t.Person)
	if err == nil && !known {
		return person, refused("the person is gone")
	}
	return person, err
}
