// Package bridge ties the rules of package care to the store, the homeserver and the
// practice's information systems. One file per thing that can happen:
//
//   - turns.go takes what came in, in order per person, and hands it to contact.go (the
//     patient's own chat), patient.go (the consulting room), desk.go (the conversation
//     room) or commands.go;
//   - effects.go writes what the rules want into the outbox; deliver.go carries it out:
//     say.go, relay.go, rooms.go, filing.go;
//   - retention.go removes every message in time and proves it; walk.go looks through the
//     rooms' history for what the ledger does not know; alarm.go says what does not work;
//   - readings.go and typing.go show at each side what people at the other read and type;
//   - clock.go mends what a clock that is set back does to all of them.
//
// A turn reads, decides and stores in one transaction; only deliveries touch the world.
package bridge

import (
	"context"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/media"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// A Practice is one practice as the bridge serves it.
type Practice struct {
	care.Practice
	Phone      string  // for patients
	Emergency  string  // emergency line of the practice
	OutOfHours string  // huisartsenpost
	AGB        string  // Dutch care provider code
	System             // the HIS
	CRM        *System // for what is not about care; nil: the HIS has that too
}

// Settings are the choices of the operator that the bridge needs.
type Settings struct {
	Organisation string
	Website      string
	Language     string // of staff rooms, and of patients who did not choose
	Privacy      texts.Document
	Terms        texts.Document
	Practices    []Practice
	Servers      []string      // homeservers patients may come from; "*" = all
	Domain       string        // our own homeserver's name
	Arriving     time.Duration // a homeserver elsewhere gets to take in that its user joined (const Arriving); 0: none
	Retention    time.Duration
	HoldUnsigned bool          // messages of devices that their owner has not verified wait
	KeyTimeout   time.Duration // after which both sides are told that a message is missing
	MaxFile      int64         // bytes
	Limits       Limits
	SentMark     bool          // put a mark under each message that is at the other side
	FiledMark    bool          // and one at staff's side under each that is in the record
	Files        media.Limits  // which files are passed on
	Scanner      Scanner       // of viruses; nil = none
	AnswerDays   int           // working days within which a question is answered; 0 = no promise
	RemindAfter  time.Duration // before someone who does not answer is reminded; 0 = never
	Zone         *time.Location
}

// A Bridge carries out what the rules decide.
type Bridge struct {
	Settings
	Store  *store.Store
	Matrix Matrix
	Texts  *texts.Catalog
	Now    func() time.Time
	Log    zerolog.Logger

	turns, ledger, walks, alarms, readings bell
	outbox                                 bells // by lane

	typing      typing
	troubles    troubles
	pauses      pauses    // of systems that want to be left alone
	asking      troubles  // systems that could not be asked, by lane
	tidied      time.Time // when the database was last tidied; only retention uses it
	invitations *quota
	atDoor      *queue // of invitations that are too many
	warned      *quota // who was told that they send too much
	pointed     *quota // who was shown the way from the first chat
	leaps       leaps
	absent      absentees
	fetching    chan struct{} // who fetches a file has a place in it
	handed      handed
}

// New returns a bridge that is ready to Run.
func New(s Settings, db *store.Store, m Matrix, t *texts.Catalog, now func() time.Time, log zerolog.Logger) *Bridge {
	return &Bridge{
		Settings: s, Store: db, Matrix: m, Texts: t, Now: now, Log: log,
		turns: newBell(), outbox: newBells(lanesOf(s.Practices)), ledger: newBell(), walks: newBell(), alarms: newBell(), readings: newBell(), typing: newTyping(), invitations: newQuota(), atDoor: newQueue(), warned: newQuota(), pointed: newQuota(), fetching: make(chan struct{}, mostFetching),
	}
}

// Wake tells the bridge that something came in.
func (b *Bridge) Wake() {
	b.turns.ring()
	b.readings.ring()
	b.outbox.ringAll()
}

// Run works until ctx ends: turns, deliveries, retention, walks, alarms, receipts and typing, each by
// itself.
func (b *Bridge) Run(ctx context.Context) error {
	b.leaps.look(b.Now())
	if err := b.Store.ReleaseEffects(ctx, owner, b.Now()); err != nil {
		return err
	}
	if err := b.Store.WakeParked(ctx, "", ""); err != nil { // what it asked for before it stopped may have come
		return err
	}
	if err := b.joinLanes(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.runTurns(ctx) })
	for _, l := range lanesOf(b.Practices) {
		group.Go(func() error { return b.runOutbox(ctx, l) })
	}
	for _, p := range b.Practices {
		for name, system := range p.systems() { // each is asked once, however many lanes it has
			group.Go(func() error { return b.runAnswers(ctx, name, system) })
		}
	}
	group.Go(func() error { return b.runRetention(ctx) })
	group.Go(func() error { return b.runWalks(ctx) })
	group.Go(func() error { return b.runAlarms(ctx) })
	group.Go(func() error { return b.runReadings(ctx) })
	group.Go(func() error { return b.runTyping(ctx) })
	group.Go(func() error { return b.watchClock(ctx) })
	return group.Wait()
}

// now is the time in the practice's zone: days, ages and hours are local.
func (b *Bridge) now() time.Time { return b.Now().In(b.Zone) }

// practice returns a practice by its id; the first one stands for people who have not
// chosen yet.
func (b *Bridge) practice(id string) Practice {
	for _, p := range b.Practices {
		if p.ID == id {
			return p
		}
	}
	return b.Practices[0]
}

func (b *Bridge) carePractices() []care.Practice {
	all := make([]care.Practice, len(b.Practices))
	for i, p := range b.Practices {
		all[i] = p.Practice
	}
	return all
}

// A bell wakes a worker; ringing it twice before it is heard is ringing it once.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// wait returns when the bell rings, when the time is up, or with ctx's error.
func (b bell) wait(ctx context.Context, atMost time.Duration) error {
	timer := time.NewTimer(max(atMost, time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-b:
	case <-timer.C:
	}
	return nil
}
