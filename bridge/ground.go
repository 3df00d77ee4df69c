package bridge

import (
	"context"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
)

// What a patient attested about a Derde is in the record of every conversation about them. When the
// permission is taken back (requirement C4), that has to be there too: a HIS that is the leading
// record may not go on saying that it was given.

// saveDerde stores a Derde of whom something is known now, and says whether their permission ended
// with it.
func (b *Bridge) saveDerde(ctx context.Context, d *care.Derde) (ended bool, err error) {
	if d == nil {
		return false, nil
	}
	was, _, err := b.Store.Derde(ctx, d.ID)
	if err != nil {
		return false, err
	}
	return was.EndedAt.IsZero() && !d.EndedAt.IsZero(), b.Store.SaveDerde(ctx, *d)
}

// withdrawGround files in every conversation about a Derde that the attestation has ended, after
// what is still to be filed of it. by is who entered it, a member of staff.
func (b *Bridge) withdrawGround(ctx context.Context, d care.Derde, by string) error {
	all, err := b.Store.ConversationsOf(ctx, d.Person)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Derde != d.ID || c.Number == 0 { // it concerns somebody else, or never began
			continue
		}
		file, err := b.fileJob(ctx, "file.withdrawal", c, func(what *body) { what.By = by })
		if err != nil {
			return err
		}
		if err := b.add(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

// deliverWithdrawal files that the attestation of a conversation has ended; what was filed under it
// stays.
func (b *Bridge) deliverWithdrawal(ctx context.Context, t task) (done delivery, err error) {
	item, err := b.itemFor(ctx, t)
	if err != nil {
		return done, err
	}
	if item.Conversation.Derde == nil {
		return delivery{dropped: "the conversation concerns the patient now"}, nil
	}
	item.ID, item.Kind = uuid.NewSHA1(item.Conversation.ID, []byte("withdrawal")), his.KindWithdrawal
	item.Sent, item.Conversation.Status = t.CreatedAt, his.StatusClosed
	item.Author, err = b.authorOf(ctx, item.Conversation, letter{Sender: t.body.By, Staff: true})
	if err != nil {
		return done, err
	}
	return b.file(ctx, t, item, done)
}
