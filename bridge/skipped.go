package bridge

import (
	"context"
	"strings"

	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// What staff called off stays visible, with who did it and why (requirement E1): the reason outlives
// the chat, sealed in the log of who did what, until the account goes.

// skippedItem is what is told, and logged, when an item is called off.
const skippedItem = "unfiled.skipped"

// asSaid stands for a reason that somebody typed.
const asSaid = "unfiled.as_said"

// mostReason is how much of a reason a list shows.
const mostReason = 200

// skippedCommand: !overgeslagen
func (b *Bridge) skippedCommand(ctx context.Context, r request) error {
	return b.answerCommand(ctx, r, body{Text: "unfiled.skipped_list", Practice: r.room.Practice})
}

// addSkipped lists what was called off, newest first.
func (b *Bridge) addSkipped(ctx context.Context, t task, args *texts.Args) error {
	lines, err := b.Store.AuditIn(ctx, t.body.Practice, skippedItem, mostAbout)
	if err != nil {
		return err
	}
	for _, line := range lines {
		of, err := b.skippedArgs(ctx, line)
		if err != nil {
			return err
		}
		args.Items = append(args.Items, b.Texts.Text(b.Language, "unfiled.skipped_line", of))
	}
	return nil
}

func (b *Bridge) skippedArgs(ctx context.Context, line store.Audit) (args texts.Args, err error) {
	c, _, err := b.Store.Conversation(ctx, line.Conversation)
	if err != nil {
		return args, err
	}
	args = b.practiceArgs(b.practice(c.Practice))
	at := line.At.In(b.Zone)
	args.Number, args.Date, args.Time = c.Number, at.Format("02-01-2006"), at.Format("15:04")
	var why string
	args.Code, why, _ = strings.Cut(line.Detail, " ")
	args.Reason = shortened(line.Reason)
	if args.Reason == "" && why != asSaid && b.Texts.Has(why) {
		args.Reason = b.Texts.Text(b.Language, why, texts.Args{})
	}
	return args, b.addMember(ctx, &args, b.Language, line.Actor)
}

func shortened(reason string) string {
	runes := []rune(oneLine(reason))
	if len(runes) <= mostReason {
		return string(runes)
	}
	return string(runes[:mostReason]) + "…"
}
