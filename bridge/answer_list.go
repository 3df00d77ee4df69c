package bridge

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// inLists gives the members of a system's lists the names under which they were kept. Another that is put
// before them moves them all, and the patient must not get twice what they have, nor miss what is new. What
// is in a list no longer was taken back. Of what was taken back, only what was kept is left.
func (b *Bridge) inLists(ctx context.Context, lane string, page []his.Answer) (named []his.Answer, err error) {
	lists := map[string][]his.Answer{}
	var order []string
	for _, a := range page {
		if lists[a.List] == nil {
			order = append(order, a.List)
		}
		lists[a.List] = append(lists[a.List], a)
	}
	for _, list := range order {
		find := b.inList
		if list == "" {
			find = b.byThemselves
		}
		all, err := find(ctx, lane, list, lists[list])
		if err != nil {
			return nil, err
		}
		named = append(named, all...)
	}
	return named, nil
}

// byThemselves are the answers that are in no list.
func (b *Bridge) byThemselves(ctx context.Context, _, _ string, page []his.Answer) (all []his.Answer, err error) {
	for _, a := range page {
		known := true
		if a.Withdrawn {
			if _, known, err = b.Store.Answer(ctx, a.ID.String()); err != nil {
				return nil, err
			}
		}
		if known {
			all = append(all, a)
		}
	}
	return all, nil
}

// A keptAnswer is an answer of a list, with what was noted of its wording; nil: nothing, or no longer.
type keptAnswer struct {
	store.Answer
	print []byte
}

// isSame are the ways to know a member of a list again, the surest first. A system may count anew what it
// calls the ids of elements, so that what an answer says goes before them; and what stands where another
// stood, and is not there anywhere else, is that with other words.
var isSame = []func(keptAnswer, his.Answer) bool{
	func(k keptAnswer, a his.Answer) bool { return k.ID == a.ID.String() && k.says(a) },
	keptAnswer.says,
	func(k keptAnswer, a his.Answer) bool { return a.Reference != a.Place && k.ID == a.ID.String() },
	func(k keptAnswer, a his.Answer) bool { return k.isMute(a) && k.Reference == a.Place },
	keptAnswer.isMute,
	func(k keptAnswer, a his.Answer) bool { return k.Reference == a.Place && !k.Withdrawn },
}

func (k keptAnswer) says(a his.Answer) bool {
	is := printOf(a)
	return a.Problem == "" && (bytes.Equal(k.print, is) || bytes.Equal(k.print, unpassed(is)))
}

// isMute says that neither of the two has words by which it can be known: they could not be passed on.
func (k keptAnswer) isMute(a his.Answer) bool {
	return a.Problem != "" && k.State == store.AnswerFailed && k.print == nil
}

func (b *Bridge) inList(ctx context.Context, lane, list string, now []his.Answer) ([]his.Answer, error) {
	kept, err := b.keptIn(ctx, lane, list, now[0].Conversation)
	if err != nil {
		return nil, err
	}
	now = slices.DeleteFunc(now, func(a his.Answer) bool { return a.Withdrawn }) // nothing is left in it
	known := make([]bool, len(now))
	names := map[string]bool{}
	for _, k := range kept {
		names[k.ID] = true
	}
	for _, same := range isSame {
		for n := range now {
			at := slices.IndexFunc(kept, func(k keptAnswer) bool { return !known[n] && same(k, now[n]) })
			if at < 0 {
				continue
			}
			if err := b.noteUnpassed(ctx, kept[at], now[n]); err != nil {
				return nil, err
			}
			now[n].ID, now[n].Reference, known[n] = uuid.MustParse(kept[at].ID), kept[at].Reference, true
			kept = slices.Delete(kept, at, at+1)
		}
	}
	for n := range now {
		for !known[n] && names[now[n].ID.String()] { // another has that name
			now[n].ID = uuid.NewSHA1(now[n].ID, []byte("another"))
		}
	}
	for _, k := range kept {
		now = append(now, his.Answer{ID: uuid.MustParse(k.ID), Reference: k.Reference, Withdrawn: true})
	}
	return now, nil
}

// keptIn is what was kept of a list of a system, which other lanes may read too.
func (b *Bridge) keptIn(ctx context.Context, lane, list string, in uuid.UUID) (kept []keptAnswer, err error) {
	c, known, err := b.Store.Conversation(ctx, in.String())
	if err != nil || !known {
		return nil, err
	}
	all, err := b.Store.AnswersOf(ctx, c.Person)
	if err != nil {
		return nil, err
	}
	for _, row := range all {
		if of, _, is := strings.Cut(row.Reference, "#"); !is || of != list || !b.isOneSystem(row.Lane, lane) {
			continue
		}
		print, _, err := b.Store.PrintOfAnswer(ctx, row.ID)
		if err != nil {
			return nil, err
		}
		kept = append(kept, keptAnswer{row, print})
	}
	return kept, nil
}

// noteUnpassed notes by what an answer that was not passed on is known when another is put before it.
func (b *Bridge) noteUnpassed(ctx context.Context, k keptAnswer, a his.Answer) error {
	if k.State != store.AnswerFailed || k.print != nil || a.Problem != "" || b.Now().Sub(k.At) > trafficLog {
		return nil
	}
	return b.Store.SavePrint(ctx, k.ID, unpassed(printOf(a)))
}

// unpassed is the print of words that the patient does not have.
func unpassed(print []byte) []byte { return append([]byte("-"), print...) }
