package bridge

import (
	"context"
	"errors"

	"maunium.net/go/mautrix/event"
)

// errNotCarried says why a message cannot be carried; its text is the last part of the key of
// three texts: "relay.…" to the patient who sent it, "sent.…" to staff who did, and "desk.…" in
// its place in front of staff.
type errNotCarried string

func (e errNotCarried) Error() string { return "message cannot be carried: " + string(e) }

func isNotCarried(err error) bool { return reasonOf(err) != "" }

// reasonOf is why something cannot be carried, "" when that is not what is wrong.
func reasonOf(err error) string {
	var why errNotCarried
	if errors.As(err, &why) {
		return string(why)
	}
	return ""
}

// gapMark is the field in the content of a gap that says why it is one: after a crash nothing
// else would tell that the sender has to know.
const gapMark = "nl.spreekkamer.gap"

// showGap sends what stands in the place of a message that cannot be carried: nobody who reads
// on should miss it without knowing (requirement B2). Edits, replies and the removal of the
// message go to the gap, as they would to the message.
func (b *Bridge) showGap(ctx context.Context, t task, l leg, why string) (done delivery, err error) {
	if _, err := b.readEvent(ctx, t.sourceRoom(), t.sourceEvent()); wasRemoved(err) {
		return b.passedOnBefore(ctx, t) // removed meanwhile, and its file with it
	} else if errors.Is(err, errNotYet) {
		return done, err
	}
	text, err := b.gapText(ctx, t, why)
	if err != nil {
		return done, err
	}
	content := message(event.MsgText, text)
	content[gapMark] = why
	if done.event, err = b.send(ctx, t, l.room, event.EventMessage, content); err != nil {
		return done, err
	}
	return b.arrived(ctx, t, l.room, done.event, content)
}

func (b *Bridge) gapText(ctx context.Context, t task, why string) (string, error) {
	if !toPatient(t.Effect) {
		t.body.Text = "desk." + why
		return b.staffText(ctx, t)
	}
	person, err := b.personFor(ctx, t)
	if err != nil {
		return "", err
	}
	args, err := b.personArgs(ctx, person, t)
	return b.Texts.Text(person.Language, "relay.gap", args), err
}
