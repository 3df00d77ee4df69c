package bridge

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// A request is one command as typed by a member of staff.
type request struct {
	place
	member care.Member
	name   string // of the command
	args   []string

	couples  entry // of a command that couples somebody to a record
	checked  bool  // the HIS has confirmed it, or
	unlooked bool  // does not let us look
}

// A command is a row of the table: help and rights are made from it.
type command struct {
	names []string   // Dutch first; both languages always work
	right care.Right // "" = every member of staff
	in    []store.RoomKind
	run   runner
}

var (
	inBeheer       = []store.RoomKind{store.RoomBeheer}
	inConversation = []store.RoomKind{store.RoomConversation}
	inBalie        = []store.RoomKind{store.RoomBalie}
	everywhere     = []store.RoomKind{store.RoomBeheer, store.RoomBalie, store.RoomConversation}
)

// commands is every command there is, by the name that its texts have.
var commands map[string]command

func init() { // help itself reads the table
	commands = map[string]command{
		"help":         {[]string{"help", "hulp"}, "", everywhere, (*Bridge).helpCommand},
		"approve":      {[]string{"goedkeuren", "approve"}, care.MayVerify, inBeheer, (*Bridge).approveCommand},
		"look_up":      {[]string{"zoeken", "lookup"}, care.MayVerify, inBeheer, (*Bridge).lookUpCommand},
		"decline":      {[]string{"afwijzen", "decline"}, care.MayVerify, inBeheer, (*Bridge).declineCommand},
		"record":       {[]string{"dossier", "record"}, care.MayVerify, inConversation, (*Bridge).recordCommand},
		"filed":        {[]string{"vastgelegd", "filed"}, care.MayAnswer, inConversation, (*Bridge).filedCommand},
		"mistaken":     {[]string{"vergissing", "mistake"}, care.MayFile, inConversation, (*Bridge).mistakenCommand},
		"summary":      {[]string{"samenvatting", "summary"}, care.MayAnswer, inConversation, (*Bridge).summaryCommand},
		"confirm":      {[]string{"bevestigen", "confirm"}, care.MayVerify, inBeheer, (*Bridge).confirmCommand},
		"close":        {[]string{"sluiten", "close"}, care.MayAnswer, inConversation, (*Bridge).closeCommand},
		"care":         {[]string{"zorg", "care"}, care.MayAnswer, inConversation, categorise(care.CareCategory)},
		"practical":    {[]string{"praktisch", "geenzorg", "practical"}, care.MayAnswer, inConversation, categorise(care.Practical)},
		"derde":        {[]string{"derde", "someoneelse"}, care.MayAnswer, inConversation, (*Bridge).derdeCommand},
		"come_in":      {[]string{"langskomen", "comein"}, care.MayAnswer, inConversation, advise("advice.come_in")},
		"call":         {[]string{"bellen", "call"}, care.MayAnswer, inConversation, advise("advice.call")},
		"name":         {[]string{"naam", "name"}, "", everywhere, (*Bridge).nameCommand},
		"unfiled":      {[]string{"openstaand", "unfiled"}, care.MayFile, inBalie, (*Bridge).unfiledCommand},
		"again":        {[]string{"opnieuw", "again"}, care.MayFile, inBalie, (*Bridge).againCommand},
		"skip":         {[]string{"overslaan", "skip"}, care.MayFile, inBalie, (*Bridge).skipCommand},
		"skipped":      {[]string{"overgeslagen", "skipped"}, care.MayFile, inBalie, (*Bridge).skippedCommand},
		"recap":        {[]string{"terug", "recap"}, care.MayAnswer, inConversation, (*Bridge).recapCommand},
		"retention":    {[]string{"bewaartermijn", "retention"}, "", everywhere, (*Bridge).retentionCommand},
		"staff.add":    {[]string{"medewerker+", "staff+"}, care.MayAdmin, inBeheer, (*Bridge).addStaffCommand},
		"staff.remove": {[]string{"medewerker-", "staff-"}, care.MayAdmin, inBeheer, (*Bridge).removeStaffCommand},
		"staff.list":   {[]string{"medewerkers", "staff"}, "", inBeheer, (*Bridge).listStaffCommand},
	}
}

// inStaffRoom handles Balie and Beheer: commands are carried out, all else is staff
// talking among themselves and goes nowhere (requirement F2).
func (b *Bridge) inStaffRoom(ctx context.Context, p place) error {
	if p.kindOf() == event.EventReaction.Type {
		return b.reactedToCard(ctx, p)
	}
	if p.kindOf() == event.EventRedaction.Type { // with what was typed goes the reason in it
		return b.finish(ctx, p, func(ctx context.Context) error { return b.Store.ForgetReason(ctx, string(p.event.Redacts)) })
	}
	if p.event.StateKey != nil {
		return b.finish(ctx, p, nil)
	}
	if told, err := b.toldOfEdit(ctx, p); err != nil || told {
		return err
	}
	if !isCommand(p.event) {
		return b.finish(ctx, p, nil)
	}
	member, ok, err := b.member(ctx, p)
	if err != nil {
		return err
	}
	if !ok {
		return b.refuse(ctx, p, "desk.not_staff")
	}
	return b.command(ctx, p, member)
}

// command runs what a line that starts with "!" asks for. A command that someone may
// not give does not exist for them.
func (b *Bridge) command(ctx context.Context, p place, member care.Member) error {
	if p.late() { // who typed it has gone on since
		return b.refuse(ctx, p, "command.late")
	}
	name, args := commandIn(p.event)
	cmd, known := commands[name]
	if !known || !cmd.allows(member, p.room.Kind) {
		return b.refuse(ctx, p, "command.unknown")
	}
	return cmd.run(b, ctx, request{place: p, member: member, name: name, args: args})
}

// commandIn takes apart what was typed: the name of the command, "" for none that there is, and
// what stands behind it.
func commandIn(evt *event.Event) (name string, args []string) {
	words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(typed(evt)), "!"))
	if len(words) == 0 {
		return "help", nil
	}
	return commandNamed(words[0]), words[1:]
}

// commandNamed finds a command by one of its names, in any case.
func commandNamed(word string) string {
	for name, cmd := range commands {
		if slices.Contains(cmd.names, strings.ToLower(word)) {
			return name
		}
	}
	return ""
}

func (c command) allows(m care.Member, room store.RoomKind) bool {
	return (c.right == "" || m.Role.May(c.right)) && slices.Contains(c.in, room)
}

// allowedCommands are the names of the commands a member may give in a room, sorted.
func allowedCommands(m care.Member, room store.RoomKind) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		if commands[name].allows(m, room) {
			all = append(all, name)
		}
	}
	return all
}

// reply makes the effect that answers in the staff room where something was typed.
func (b *Bridge) reply(p place, what body) store.Effect {
	what.Reply, what.Room, what.By = cmp.Or(what.Reply, p.EventID), p.RoomID, p.Sender
	to := map[store.RoomKind]string{
		store.RoomConversation: conversation(p.room.Conversation),
		store.RoomBalie:        balie(p.room.Practice),
		store.RoomBeheer:       beheer(p.room.Practice),
	}[p.room.Kind]
	e := job("tell", to, what)
	e.Person, e.Conversation = p.room.Person, p.room.Conversation
	return e
}

// answerCommand ends the turn of a command with a text.
func (b *Bridge) answerCommand(ctx context.Context, r request, what body) error {
	return b.finish(ctx, r.place, func(ctx context.Context) error { return b.add(ctx, b.reply(r.place, what)) })
}

// usage says how a command is typed.
func (b *Bridge) usage(ctx context.Context, r request, name string) error {
	return b.answerCommand(ctx, r, body{Text: "command.usage." + name})
}

func (b *Bridge) mistake(ctx context.Context, r request, reason string) error {
	return b.answerCommand(ctx, r, body{Text: "command.error", Reason: reason})
}

func (b *Bridge) helpCommand(ctx context.Context, r request) error {
	return b.answerCommand(ctx, r, body{Text: "help.staff"})
}

func (b *Bridge) retentionCommand(ctx context.Context, r request) error {
	return b.answerCommand(ctx, r, body{Text: "retention.report"})
}

// closeCommand ends a conversation: the patient is told, the room is renamed, the HIS
// file is ended.
func (b *Bridge) closeCommand(ctx context.Context, r request) error {
	return b.aboutConversation(ctx, r, func(c care.Case, env care.Env) (care.Case, error) {
		return care.CloseConversation(c, r.Sender, env)
	})
}

// aboutConversation lets staff decide about the conversation of the room. What happens in it
// is in the queue of its patient, so nothing else happens to them meanwhile.
func (b *Bridge) aboutConversation(ctx context.Context, r request, decide func(care.Case, care.Env) (care.Case, error)) error {
	before, err := b.caseInRoom(ctx, r.room)
	if err != nil {
		return err
	}
	env, err := b.envOf(ctx, before)
	if err != nil {
		return err
	}
	return b.decided(ctx, r, before, func() (care.Case, error) { return decide(before, env) })
}

// derdeCommand: !derde (this concerns someone else) or !derde stop (the permission was taken back)
func (b *Bridge) derdeCommand(ctx context.Context, r request) error {
	decide := care.SomeoneElse
	switch {
	case len(r.args) == 1 && b.Texts.Word(r.args[0]) == string(care.WordStop):
		decide = care.EndPermission
	case len(r.args) > 0:
		return b.usage(ctx, r, "derde")
	}
	before, err := b.caseInRoom(ctx, r.room)
	if err != nil {
		return err
	}
	env, err := b.envOf(ctx, before)
	if err != nil {
		return err
	}
	return b.decided(ctx, r, before, func() (care.Case, error) { return decide(before, r.Sender, env) })
}

// envOf is what a rule has to know about a conversation that need not be the current one.
func (b *Bridge) envOf(ctx context.Context, c care.Case) (env care.Env, err error) {
	if env, err = b.env(ctx, c.Person); err != nil {
		return env, err
	}
	env.Whom, _, err = b.derdeOf(ctx, c.Conversation)
	return env, err
}

// decided stores what staff decided about a case, or tells them why it cannot be.
func (b *Bridge) decided(ctx context.Context, r request, before care.Case, decide func() (care.Case, error)) error {
	after, err := decide()
	if err != nil {
		return b.mistake(ctx, r, reasonFor(err))
	}
	if b.asksFirst(r) {
		return b.askHIS(ctx, r, before.Person)
	}
	return b.finish(ctx, r.place, func(ctx context.Context) error {
		audit := store.Audit{At: b.Now(), Actor: r.Sender, Action: "decided", Person: after.Person.ID,
			Conversation: after.Conversation.ID, EventID: r.EventID}
		if r.couples.sure || r.unlooked {
			audit.Detail = "unchecked"
		}
		if err := b.Store.AddAudit(ctx, audit); err != nil {
			return err
		}
		if r.unlooked {
			if err := b.add(ctx, b.reply(r.place, body{Text: "find.unlooked"})); err != nil {
				return err
			}
		}
		moved, err := b.misfiled(ctx, before, after)
		if err != nil {
			return err
		}
		if err := b.settle(ctx, r.place, before, after); err != nil {
			return err
		}
		for _, m := range moved {
			if err := b.fileAnew(ctx, m, r.Sender); err != nil {
				return err
			}
		}
		return nil
	})
}

// reasons gives each mistake that staff can make its text.
var reasons = map[error]string{
	care.ErrBSN:           "error.bsn",
	care.ErrPatientNumber: "error.patient_number",
	care.ErrNotOpen:       "error.not_open",
	care.ErrGroundEnded:   "sent.ground_ended",
	care.ErrNoDerde:       "error.no_derde",
	care.ErrNotAnswered:   "error.not_answered",
	care.ErrSameRecord:    "error.same_record",
	care.ErrSameCategory:  "error.same_category",
}

func reasonFor(err error) string {
	if text, ok := reasons[err]; ok {
		return text
	}
	return "error.not_awaiting"
}
