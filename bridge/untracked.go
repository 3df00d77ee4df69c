package bridge

import (
	"context"
	"time"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// A system that refuses for good what we say in its list of work refuses it for every conversation, as a
// rule. What is filed goes on, and staff hear it in the Balie with the reason, once a day at most. So they do
// of one that does not let us: that is tried on, since rights can be given.

func untracked(lane string) string { return "untracked " + lane }

// tellUntracked tells staff that the system does not take what we said in its list of work.
func (b *Bridge) tellUntracked(ctx context.Context, e store.Effect, cause error) error {
	noted, err := b.Store.Noted(ctx, untracked(e.Lane))
	if err != nil {
		return err
	}
	told, bad := time.Parse(time.RFC3339, noted)
	if ago := b.Now().Sub(told); bad == nil && ago >= 0 && ago < alarmEvery {
		return nil
	}
	notice := cardOf(e)
	notice.Kind, notice.Body = "tell", job("tell", "", body{Text: "track.refused", Words: b.whyUntracked(cause)}).Body
	if err := b.add(ctx, notice); err != nil {
		return err
	}
	return b.Store.Note(ctx, untracked(e.Lane), b.Now().UTC().Format(time.RFC3339))
}

// whyUntracked is why, in words for staff; "": we have none.
func (b *Bridge) whyUntracked(cause error) string {
	if b.isBarred(cause) {
		why, _ := his.WhyRefused(cause)
		return b.Texts.Text(b.Language, "track.why."+why, texts.Args{})
	}
	if why := b.refusal(cause); why != noReason {
		return why
	}
	return ""
}

// isBarred says that a system does not let us do something: it is not final, and lasts all the same.
func (b *Bridge) isBarred(err error) bool {
	why, _ := his.WhyRefused(err)
	return b.Texts.Has("track.why." + why)
}
