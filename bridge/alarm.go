package bridge

import (
	"context"
	"slices"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// Alarms tell Beheer what keeps going wrong, while there is time to do something about it
// (requirements D2, D6). They say how much and since when, never what or who said it.

const (
	alarmEvery  = 24 * time.Hour // the same trouble is told again
	alarmGrown  = time.Hour      // more of the same trouble is told again
	manyRemoval = 5              // attempts: half a minute of trying
	manyTurn    = 8              // attempts: four minutes of trying
	longTurn    = 4 * time.Minute
	longFiling  = time.Hour // of trying
	mostAbout   = 20        // conversations or accounts that are listed
)

// alarms is everything that is watched, by the key of its text.
var alarms = map[string]func(*Bridge, context.Context) ([]store.Trouble, error){
	"alarm.unfiled": func(b *Bridge, ctx context.Context) ([]store.Trouble, error) {
		return b.Store.Unfiled(ctx, b.Now().Add(-care.AlarmAfter(b.Retention)), keptLane)
	},
	"alarm.filing": func(b *Bridge, ctx context.Context) ([]store.Trouble, error) {
		return b.Store.Unaccepted(ctx, b.Now().Add(-longFiling), keptLane)
	},
	"alarm.unclosed": func(b *Bridge, ctx context.Context) ([]store.Trouble, error) {
		return b.Store.Unclosed(ctx, b.Now().Add(-care.AlarmAfter(b.Retention)), keptLane)
	},
	"alarm.removal": func(b *Bridge, ctx context.Context) ([]store.Trouble, error) {
		return b.Store.Unremoved(ctx, manyRemoval)
	},
	"alarm.lost": func(b *Bridge, ctx context.Context) ([]store.Trouble, error) {
		return b.Store.LostGaps(ctx, b.Now().Add(-alarmEvery))
	},
	"alarm.anew":    (*Bridge).beganAnew,
	"alarm.answers": (*Bridge).unasked,
	"alarm.stuck": func(b *Bridge, ctx context.Context) ([]store.Trouble, error) {
		return b.Store.StuckTurns(ctx, manyTurn, b.Now().Add(-longTurn))
	},
}

// runAlarms looks every minute, and more often when the retention period is short.
func (b *Bridge) runAlarms(ctx context.Context) error {
	for {
		if err := b.raiseAlarms(ctx); err != nil && ctx.Err() == nil {
			b.Log.Err(err).Msg("Looking for trouble failed, will be tried again")
		}
		if err := b.alarms.wait(ctx, min(time.Minute, max(idle, b.Retention/60))); err != nil {
			return nil // stopped
		}
	}
}

func (b *Bridge) raiseAlarms(ctx context.Context) error {
	for text, find := range alarms {
		all, err := find(b, ctx)
		if err != nil {
			return err
		}
		for _, trouble := range all {
			if err := b.raiseAlarm(ctx, text, trouble); err != nil {
				return err
			}
		}
		if err := b.endAlarms(ctx, text, all); err != nil {
			return err
		}
	}
	return nil
}

// endAlarms notes in which practices a trouble is over: when it comes back it is told again.
func (b *Bridge) endAlarms(ctx context.Context, text string, still []store.Trouble) error {
	for _, p := range b.Practices {
		if slices.ContainsFunc(still, func(t store.Trouble) bool { return b.practice(t.Practice).ID == p.ID }) {
			continue
		}
		told, err := b.Store.Alarm(ctx, text, p.ID)
		if err != nil {
			return err
		}
		if told.Size == 0 {
			continue
		}
		told.Size = 0
		if err := b.Store.SaveAlarm(ctx, told); err != nil {
			return err
		}
	}
	return nil
}

// passing are the alarms that are not told any more when the trouble is over before Beheer can hear of it.
var passing = map[string]bool{"alarm.filing": true, "alarm.unclosed": true, "alarm.unfiled": true}

// hasPassed says that an alarm need not be told any more.
func (b *Bridge) hasPassed(ctx context.Context, t task) (bool, error) {
	if !passing[t.body.Text] {
		return false, nil
	}
	all, err := alarms[t.body.Text](b, ctx)
	return !slices.ContainsFunc(all, func(still store.Trouble) bool { return b.practice(still.Practice).ID == t.body.Practice }), err
}

// raiseAlarm tells Beheer of the practice, unless it was told a while ago.
func (b *Bridge) raiseAlarm(ctx context.Context, text string, trouble store.Trouble) error {
	practice := b.practice(trouble.Practice).ID
	told, err := b.Store.Alarm(ctx, text, practice)
	if err != nil {
		return err
	}
	ago := b.Now().Sub(told.ToldAt)
	if ago < alarmGrown || ago < alarmEvery && trouble.Count <= told.Size {
		return nil
	}
	b.Log.Warn().Str("alarm", text).Str("practice", practice).Int("count", trouble.Count).Time("since", trouble.Since).Msg("Alarm")
	return b.Store.Transact(ctx, func(ctx context.Context) error {
		told := store.Alarm{Kind: text, Practice: practice, ToldAt: b.Now(), Size: trouble.Count}
		if err := b.Store.SaveAlarm(ctx, told); err != nil {
			return err
		}
		b.outbox.ringAll()
		return b.add(ctx, job("tell", beheer(practice), body{Text: text, Practice: practice}))
	})
}

// beganAnew is that the homeserver no longer knew how far the bot had read: every practice hears it.
func (b *Bridge) beganAnew(ctx context.Context) (all []store.Trouble, err error) {
	when, found, err := b.Store.BeganAnew(ctx, b.Now().Add(-alarmEvery))
	if err != nil || !found {
		return nil, err
	}
	for _, p := range b.Practices {
		all = append(all, store.Trouble{Practice: p.ID, Count: 1, Since: when})
	}
	return all, nil
}

// addTrouble fills in what an alarm counts, when it is delivered.
func (b *Bridge) addTrouble(ctx context.Context, t task, args *texts.Args) error {
	all, err := alarms[t.body.Text](b, ctx)
	if err != nil {
		return err
	}
	for _, trouble := range all {
		if b.practice(trouble.Practice).ID != t.body.Practice {
			continue
		}
		args.Count += trouble.Count
		args.Date, args.Time = trouble.Since.In(b.Zone).Format("02-01-2006"), trouble.Since.In(b.Zone).Format("15:04")
		for _, about := range trouble.About {
			if name := about[:min(len(about), codeLength)]; !slices.Contains(args.Items, name) && len(args.Items) < mostAbout {
				args.Items = append(args.Items, name)
			}
		}
	}
	return nil
}
