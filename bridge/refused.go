package bridge

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// What a system refused is shown in the Balie, and a named person has it tried again or calls it
// off (requirement E1). It keeps its place: tried again it goes before what waits. What comes
// after it does not wait for a person, because the record is better off with all that can be in
// it: each item says when it was written and has its number in the conversation, so the record
// has its order, whatever came late.

// A verdict is what somebody decides about something that was refused.
type verdict struct {
	keys   []string // reactions that mean it; the first is put under the card
	again  bool     // try again; otherwise it is called off
	reason string   // key of a text that says why it is called off
	words  string   // why, in somebody's own words
	told   string   // key of the text that tells what was decided
}

// byHand is why something is called off that is in the record all the same: staff put it there.
const byHand = "unfiled.by_hand"

var verdicts = []verdict{
	{keys: []string{"↻", "🔁", "🔄", "↩"}, again: true, told: "unfiled.again"},
	{keys: []string{"✓", "✅", "✔"}, reason: byHand, told: skippedItem},
	{keys: []string{"✗", "❌", "✖"}, reason: "unfiled.not_needed", told: skippedItem},
}

// noReason stands for a refusal of which we have no words for staff: errors are for the log.
const noReason = "refused"

// refusal is why something was refused, in words for staff.
func (b *Bridge) refusal(cause error) string {
	why, where := his.WhyRefused(cause)
	if !errors.Is(cause, his.ErrRefused) || !b.Texts.Has("unfiled.why."+why) {
		return noReason
	}
	return b.Texts.Text(b.Language, "unfiled.why."+why, texts.Args{Reason: b.issues(where)})
}

// issues puts the kinds of errors that a FHIR server names in words; its elements stay.
func (b *Bridge) issues(where string) string {
	parts := strings.Split(where, ", ")
	for i, part := range parts {
		if b.Texts.Has("unfiled.issue." + part) {
			parts[i] = b.Texts.Text(b.Language, "unfiled.issue."+part, texts.Args{})
		}
	}
	return strings.Join(parts, ", ")
}

// isFiling says that an effect puts something in a record: somebody has to know when it cannot.
func isFiling(e store.Effect) bool { return strings.HasPrefix(e.Kind, "file") && e.Lane != keptLane }

// cardOf makes the effect that shows in the Balie that something is not in the record.
func cardOf(e store.Effect) store.Effect {
	_, practice, _ := strings.Cut(e.Lane, ":")
	card := job("card.unfiled", balie(practice), body{Effect: e.ID})
	card.Person, card.Conversation = e.Person, e.Conversation
	return card
}

// deliverUnfiledCard shows what was refused and why, with the buttons to decide.
func (b *Bridge) deliverUnfiledCard(ctx context.Context, t task) (done delivery, err error) {
	e, known, err := b.Store.Effect(ctx, t.body.Effect)
	if err != nil {
		return done, err
	}
	if !known || e.State != store.EffectFailed {
		return delivery{dropped: "decided already"}, nil
	}
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	args, err := b.unfiledArgs(ctx, e)
	if err != nil {
		return done, err
	}
	text := b.Texts.Text(b.Language, "card.unfiled", args)
	done.event, err = b.send(ctx, t, room, event.EventMessage, message(event.MsgText, text))
	done.after = func(ctx context.Context) error {
		for _, v := range verdicts {
			button := job("mark", t.Destination, body{Target: string(done.event), Mark: v.keys[0]})
			button.Person, button.Conversation = t.Person, t.Conversation
			if err := b.add(ctx, button); err != nil {
				return err
			}
		}
		return b.Store.AddCard(ctx, string(done.event), e.ID, b.Now())
	}
	return done, err
}

// unfiledArgs is what staff may know outside the conversation: which one, when, and why not.
func (b *Bridge) unfiledArgs(ctx context.Context, e store.Effect) (args texts.Args, err error) {
	c, _, err := b.Store.Conversation(ctx, e.Conversation)
	args = b.practiceArgs(b.practice(c.Practice))
	args.Number, args.Code, args.Reason = c.Number, strconv.FormatInt(e.ID, 10), e.Error
	args.Practical = strings.HasPrefix(e.Lane, crmName+":") // it is not the HIS that refused it
	if mayBeThere(e) {
		args.Perhaps = 1
	}
	if e.Error == noReason {
		args.Reason = ""
	}
	at := e.CreatedAt.In(b.Zone)
	args.Date, args.Time = at.Format("02-01-2006"), at.Format("15:04")
	return args, err
}

// unfiledOf are the refused items of a practice, oldest first.
func (b *Bridge) unfiledOf(ctx context.Context, practice string) (all []store.Effect, err error) {
	failed, err := b.Store.FailedEffects(ctx, mostFailed)
	for _, e := range failed {
		if _, of, _ := strings.Cut(e.Lane, ":"); isFiling(e) && of == practice {
			all = append(all, e)
		}
	}
	return all, err
}

// mostFailed bounds how many refused effects are looked at.
const mostFailed = 1000

// addUnfiled lists them for !openstaand.
func (b *Bridge) addUnfiled(ctx context.Context, t task, args *texts.Args) error {
	all, err := b.unfiledOf(ctx, t.body.Practice)
	if err != nil {
		return err
	}
	args.Count = len(all)
	for _, e := range all[:min(len(all), mostAbout)] {
		of, err := b.unfiledArgs(ctx, e)
		if err != nil {
			return err
		}
		args.Items = append(args.Items, b.Texts.Text(b.Language, "unfiled.line", of))
	}
	return nil
}

func (b *Bridge) unfiledCommand(ctx context.Context, r request) error {
	return b.answerCommand(ctx, r, body{Text: "unfiled.list", Practice: r.room.Practice})
}

// reactedToCard takes a tap on the card of something that was refused.
func (b *Bridge) reactedToCard(ctx context.Context, p place) error {
	relation := p.event.Content.AsReaction().RelatesTo
	e, known, err := b.Store.CardEffect(ctx, string(relation.EventID))
	if err != nil || !known {
		return errors.Join(err, b.finish(ctx, p, nil))
	}
	member, ok, err := b.member(ctx, p)
	if err != nil {
		return err
	}
	v, meant := verdictFor(relation.Key)
	if _, of, _ := strings.Cut(e.Lane, ":"); of != p.room.Practice { // the card of another practice
		return b.finish(ctx, p, nil)
	}
	if !meant || !ok || !member.Role.May(care.MayFile) {
		return b.finish(ctx, p, nil)
	}
	return b.judge(ctx, p, []store.Effect{e}, v, body{Reply: string(relation.EventID)})
}

func verdictFor(key string) (verdict, bool) {
	key = strings.ReplaceAll(key, "\ufe0f", "") // how an emoji looks
	for _, v := range verdicts {
		for _, k := range v.keys {
			if k == key {
				return v, true
			}
		}
	}
	return verdict{}, false
}

// againCommand: !opnieuw NUMMER, or all that was refused.
func (b *Bridge) againCommand(ctx context.Context, r request) error {
	if len(r.args) != 1 {
		return b.usage(ctx, r, "again")
	}
	all, err := b.unfiledOf(ctx, r.room.Practice)
	if err != nil {
		return err
	}
	if word := strings.ToLower(r.args[0]); word == "alles" || word == "all" {
		return b.judge(ctx, r.place, all, verdicts[0], body{})
	}
	return b.judge(ctx, r.place, numbered(all, r.args[0]), verdicts[0], body{})
}

// skipCommand: !overslaan NUMMER REDEN. The log says who and which, and has the reason sealed.
func (b *Bridge) skipCommand(ctx context.Context, r request) error {
	if len(r.args) < 2 {
		return b.usage(ctx, r, "skip")
	}
	all, err := b.unfiledOf(ctx, r.room.Practice)
	if err != nil {
		return err
	}
	v := verdict{told: skippedItem, reason: asSaid, words: strings.Join(r.args[1:], " ")}
	if care.ContainsBSN(v.words) {
		return b.mistake(ctx, r, "error.reason_bsn")
	}
	return b.judge(ctx, r.place, numbered(all, r.args[0]), v, body{})
}

// numbered picks the item with a number.
func numbered(all []store.Effect, number string) []store.Effect {
	for _, e := range all {
		if strconv.FormatInt(e.ID, 10) == strings.Trim(number, "#") {
			return []store.Effect{e}
		}
	}
	return nil
}

// judge carries a decision out. What somebody else has decided about meanwhile is left out.
func (b *Bridge) judge(ctx context.Context, p place, about []store.Effect, v verdict, what body) error {
	return b.finish(ctx, p, func(ctx context.Context) error {
		what.Text, what.Reason = v.told, v.reason
		for _, e := range about {
			now, known, err := b.Store.Effect(ctx, e.ID)
			if err != nil {
				return err
			}
			if !known || now.State != store.EffectFailed {
				continue
			}
			if err := b.carryOut(ctx, p, e, v); err != nil {
				return err
			}
			what.Count++
		}
		if what.Count == 0 {
			what.Text, what.Reason = "unfiled.none", ""
		}
		return b.add(ctx, b.reply(p, what))
	})
}

func (b *Bridge) carryOut(ctx context.Context, p place, e store.Effect, v verdict) error {
	audit := store.Audit{At: b.Now(), Actor: p.Sender, Action: v.told, Person: e.Person, Conversation: e.Conversation,
		EventID: p.EventID, Detail: strings.TrimSpace(strconv.FormatInt(e.ID, 10) + " " + v.reason), Reason: v.words}
	if err := b.Store.AddAudit(ctx, audit); err != nil {
		return err
	}
	if v.again {
		return b.Store.RequeueEffect(ctx, e.ID, b.Now())
	}
	if err := b.endKept(ctx, e, v); err != nil {
		return err
	}
	return b.Store.SkipEffect(ctx, e.ID, v.reason)
}

// endKept ends what was kept for a document that is called off: it is in the record only where staff put it there.
func (b *Bridge) endKept(ctx context.Context, e store.Effect, v verdict) error {
	switch {
	case e.Kind != "file.end":
		return nil
	case v.reason == byHand:
		return b.Store.EndLane(ctx, e.Conversation, keptLane)
	}
	return b.Store.SkipLane(ctx, e.Conversation, keptLane, v.reason)
}

// tellFiled answers the card of something that had been refused, once it is in the record.
func (b *Bridge) tellFiled(ctx context.Context, e store.Effect) error {
	if e.Attempt < 2 || !isFiling(e) {
		return nil
	}
	card, shown, err := b.Store.LastCard(ctx, e.ID)
	if err != nil || !shown {
		return err
	}
	told := cardOf(e)
	told.Kind, told.Body = "tell", job("tell", "", body{Text: "unfiled.done", Reply: card}).Body
	return b.add(ctx, told)
}
