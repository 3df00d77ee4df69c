package bridge

import (
	"context"
	"slices"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// withWords are the kinds of what people said: of another number nobody misses words.
var withWords = map[string]bool{"file": true, "file.answer": true, "file.summary": true}

// gone are the numbers in a conversation of what was removed by its sender, or called off, before it was
// filed: whoever reads the record sees that they are missing, and the report says why. What may be in
// the record is none of them, also because staff put it there; nor what was refused and can be tried again.
func (b *Bridge) gone(ctx context.Context, end task, only []int) (all []int, err error) {
	filed, err := b.Store.Filings(ctx, end.Conversation)
	if err != nil {
		return nil, err
	}
	marked, mistaken := map[int]bool{}, map[string]bool{} // what another letter points to
	for _, e := range filed {
		what, err := parseBody(e)
		if err != nil {
			continue
		}
		if e.Kind == "file.removal" && e.State != store.EffectSkipped && what.Edition == end.body.Edition {
			marked[what.TargetSeq] = true
		}
		for _, event := range what.Targets {
			mistaken[event] = mistaken[event] || e.State != store.EffectSkipped || e.Error != notArrived
		}
	}
	for _, e := range filed {
		what, err := parseBody(e)
		if err != nil || e.ID >= end.ID || what.Edition != end.body.Edition || !withWords[e.Kind] ||
			what.Seq == 0 || marked[what.Seq] || mistaken[what.inRecord(e)] {
			continue
		}
		if e.State == store.EffectSkipped && !mayBeThere(e) && e.Error != byHand || e.Lane == keptLane && !slices.Contains(only, what.Seq) {
			all = append(all, what.Seq)
		}
	}
	slices.Sort(all)
	return all, nil
}

// tellGone puts them in a report.
func (b *Bridge) tellGone(ctx context.Context, end task, item *his.Item) (err error) {
	item.Closing.Gone, err = b.gone(ctx, end, item.Closing.Only)
	return err
}
