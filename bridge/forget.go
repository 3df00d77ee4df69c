package bridge

import (
	"context"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// carryForget keeps nothing of a person but a count (requirement A5): the account and
// everything with it goes in this transaction, the room is muted and everything in it is
// due for removal at once. The refusal itself stays for the usual time, so that it can
// be read.
func (b *Bridge) carryForget(ctx context.Context, p place, c care.Case, e care.Effect) error {
	if err := b.Store.Count(ctx, "refused under 16", 1); err != nil {
		return err
	}
	rooms, err := b.Store.RoomsOfPerson(ctx, c.Person.ID)
	if err != nil {
		return err
	}
	if _, err := b.Store.CancelEffects(ctx, consulting(c.Person.ID)); err != nil {
		return err
	}
	if err := b.Store.DeletePerson(ctx, c.Person.ID); err != nil {
		return err
	}
	for _, room := range rooms {
		if err := b.Store.DueNow(ctx, room.ID, b.Now()); err != nil {
			return err
		}
		if room.Kind != store.RoomConsulting {
			continue
		}
		what := body{Text: e.Text, Room: room.ID, Language: c.Person.Language, Practice: c.Person.Answers.Practice}
		if err := b.add(ctx, job("mute", "room:"+room.ID, what), job("farewell", "room:"+room.ID, what)); err != nil {
			return err
		}
	}
	b.ledger.ring()
	return nil
}
