package bridge

import (
	"context"
	"slices"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// A device that its owner has not signed may be someone else's who knows the password. Its owner
// is told once how to verify it; the settings say whether its messages pass meanwhile, marked,
// or wait until it is verified (requirement A14). What takes consent back or has to be removed
// waits for nothing.

// unsigned says that an event came from a device that is not signed by its owner's identity.
// Whether that identity is the one that staff approved is another question (identity.go).
func unsigned(evt *event.Event) bool {
	return evt.Mautrix.WasEncrypted && evt.Mautrix.TrustState < id.TrustStateForwarded
}

// isBare says that something written came unencrypted: any stolen token can write that, and the
// homeserver keeps it readable. Only a patient's own first chat may be unencrypted.
func isBare(p place) bool {
	return p.room.Kind != store.RoomContact && p.event.StateKey == nil && wrote(p.kindOf()) && !p.event.Mautrix.WasEncrypted
}

// refuseBare removes what came unencrypted and tells its sender to send it encrypted: nothing
// else comes of it.
func (b *Bridge) refuseBare(ctx context.Context, p place) error {
	return b.finish(ctx, p, func(ctx context.Context) error {
		away := aboutEvent(b.reply(p, body{}), p)
		if p.room.Kind == store.RoomConsulting {
			away.Destination = consulting(p.room.Person)
		}
		away.Kind = "remove"
		if err := b.add(ctx, away); err != nil || noise[p.kindOf()] {
			return err
		}
		return b.answerDevice(ctx, p, "device.unencrypted")
	})
}

// waitsForDevice says that what was written has to wait until its device is verified.
func (b *Bridge) waitsForDevice(ctx context.Context, p place) (bool, error) {
	if !b.HoldUnsigned || !unsigned(p.event) || p.room.Kind == store.RoomContact {
		return false, nil
	}
	urgent, err := b.isUrgent(ctx, p)
	return !urgent, err
}

// isUrgent says that what a patient wrote is dealt with whatever device it came from: it takes
// consent back (requirement A11), or has to be removed, as a BSN and what is written without
// consent (requirement A7). Nothing passes by it.
func (b *Bridge) isUrgent(ctx context.Context, p place) (bool, error) {
	if _, other := consultingKinds[p.kindOf()]; other || p.room.Kind != store.RoomConsulting || p.event.StateKey != nil || noise[p.kindOf()] {
		return false, nil
	}
	person, known, err := b.Store.PersonByUser(ctx, p.Sender)
	if err != nil || !known || person.ID != p.room.Person {
		return false, err
	}
	if target, err := b.editsRelayed(ctx, p, person); err != nil || target != "" {
		return false, err
	}
	heard, err := b.understand(ctx, p.event, person)
	if err != nil || heard.Word == care.WordWithdraw {
		return err == nil, err
	}
	hear, err := b.hearing(ctx, p, person, heard)
	if err != nil {
		return false, err
	}
	_, after, err := b.foresee(ctx, person, hear)
	return slices.ContainsFunc(after.Effects, func(e care.Effect) bool { return e.Do == care.Remove }), err
}

// holdForDevice parks what came from an unsigned device. It holds up nothing; its sender is told
// once per message.
func (b *Bridge) holdForDevice(ctx context.Context, p place) error {
	row := p.row()
	first := row.ToldAt.IsZero()
	if first {
		row.ToldAt = b.Now()
	}
	row.NextAt = b.Now().Add(keyBackoff(row.Attempt))
	row.Attempt++
	return b.park(ctx, p, row, func(ctx context.Context) error {
		if err := b.mindDevice(ctx, p); err != nil || !first {
			return err
		}
		return b.answerDevice(ctx, p, "device.held")
	})
}

// mindDevice tells the owner of an unsigned device how to verify it, once per device. Of who is no
// patient and no staff nothing is remembered: nobody would ever forget it for them.
func (b *Bridge) mindDevice(ctx context.Context, p place) error {
	if !unsigned(p.event) {
		return nil
	}
	if known, err := b.isKnown(ctx, p.Sender); err != nil || !known {
		return err
	}
	device := ""
	if source := p.event.Mautrix.TrustSource; source != nil {
		device = source.DeviceID.String()
	}
	first, err := b.Store.TellDevice(ctx, p.Sender, device, b.Now())
	if err != nil || !first {
		return err
	}
	return b.answerDevice(ctx, p, "device.unsigned")
}

// isKnown says that a user has an account or is staff.
func (b *Bridge) isKnown(ctx context.Context, user string) (bool, error) {
	if _, known, err := b.Store.PersonByUser(ctx, user); err != nil || known {
		return known, err
	}
	_, known, err := b.Store.Staff(ctx, user)
	return known, err
}

// answerDevice answers an event where it was written: to the patient, or among staff.
func (b *Bridge) answerDevice(ctx context.Context, p place, text string) error {
	if p.room.Kind != store.RoomConsulting {
		return b.add(ctx, b.reply(p, body{Text: "desk." + text}))
	}
	person, known, err := b.Store.PersonByUser(ctx, p.Sender)
	if err != nil || !known { // forgotten in this turn
		return err
	}
	return b.add(ctx, ofPerson(job("say", consulting(person.ID), body{Text: text, Reply: p.EventID}), person))
}

// DevicesChanged wakes what waits for a device of someone to be verified.
func (b *Bridge) DevicesChanged(users []id.UserID) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for user := range slices.Values(users) {
		if err := b.Store.WakeParked(ctx, "", string(user)); err != nil {
			b.Log.Err(err).Msg("Waking what waits for a device failed")
		}
	}
	b.turns.ring()
}
