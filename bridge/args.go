package bridge

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/texts"
)

// practiceArgs is what every text may say about the practice.
func (b *Bridge) practiceArgs(p Practice) texts.Args {
	return texts.Args{
		Organisation: b.Organisation, Website: b.Website, Practice: p.Name, Phone: p.Phone,
		Emergency: p.Emergency, OutOfHours: p.OutOfHours, Privacy: b.Privacy, Terms: b.Terms,
		Days: int(b.Retention / (24 * time.Hour)), Date: b.now().Format("02-01-2006"), Time: b.now().Format("15:04"),
	}
}

// personArgs adds what a text to, or about, a person may say. It is made when the text
// is delivered, so that no row of the outbox holds a name.
func (b *Bridge) personArgs(ctx context.Context, p care.Person, t task) (texts.Args, error) {
	args := b.practiceArgs(b.practice(p.Answers.Practice))
	args.Name, args.FirstName, args.LastName = p.Answers.Name(), p.Answers.FirstName, p.Answers.LastName
	args.PatientPhone, args.Email, args.BirthDate = p.Answers.Phone, p.Answers.Email, dutchDate(p.Answers.BirthDate)
	args.Code = code(p)
	args.Said, args.SaidBirthDate = p.Draft.Name, dutchDate(p.Draft.BirthDate)
	b.addOutage(&args, t.body.Outage)
	if err := b.addMember(ctx, &args, p.Language, t.body.By); err != nil {
		return args, err
	}
	if err := b.addConversation(ctx, &args, p, t.Conversation); err != nil {
		return args, err
	}
	if t.body.At != 0 {
		at := time.UnixMilli(t.body.At).In(b.Zone)
		args.Date, args.Time = at.Format("02-01-2006"), at.Format("15:04")
	}
	if t.body.Text == care.ClosedNow { // not when the conversation began: that may be days ago
		b.addHours(&args, p.Language, p.Answers.Practice, b.now())
	}
	return args, nil
}

// addMember names the member of staff who decided or answered.
func (b *Bridge) addMember(ctx context.Context, args *texts.Args, language, user string) error {
	if user == "" {
		return nil
	}
	m, known, err := b.Store.Staff(ctx, user)
	if err != nil || !known {
		return err
	}
	args.Staff = m.Name
	args.Role = b.Texts.Text(language, "role."+string(m.Role), texts.Args{})
	return nil
}

// addConversation says which conversation it is and whom it concerns: who was named in it, and
// nobody else. Only while that is being asked it is who was named so far.
func (b *Bridge) addConversation(ctx context.Context, args *texts.Args, p care.Person, id string) error {
	if id == "" {
		id = p.Current
	}
	if id == "" {
		return nil
	}
	c, known, err := b.Store.Conversation(ctx, id)
	if err != nil || !known {
		return err
	}
	args.Number = c.Number
	args.Date, args.Time = c.OpenedAt.In(b.Zone).Format("02-01-2006"), c.OpenedAt.In(b.Zone).Format("15:04")
	args.Practical = c.Category == care.Practical
	b.addHours(args, p.Language, c.Practice, c.OpenedAt)
	args.Whom, args.WhomBirthDate, args.Relation, args.Ground = "", "", "", ""
	if c.State == care.Asking && p.State == care.Active {
		args.Whom = p.Draft.Name
	}
	d, named, err := b.derdeOf(ctx, c)
	if err != nil || !named {
		return err
	}
	args.Whom, args.WhomBirthDate = d.Name, dutchDate(d.BirthDate)
	args.Relation = b.Texts.Text(b.Language, "relation."+d.Relation, texts.Args{})
	args.Ground = b.Texts.Text(b.Language, "ground."+string(d.Ground), texts.Args{})
	return nil
}

// addHours says when a practice reads what came in at a time, and by when it answers.
func (b *Bridge) addHours(args *texts.Args, language, practice string, received time.Time) {
	hours, began := b.practice(practice).Hours, received.In(b.Zone)
	args.OpensDay, args.OpensTime = "", ""
	if opens, known := hours.Opens(began); known && opens.After(began) {
		args.OpensDay, args.OpensTime = b.Texts.Day(language, opens), opens.Format("15:04")
	}
	if b.AnswerDays > 0 {
		args.AnswerBy = b.Texts.Day(language, b.day(hours.AnswerBy(began, b.AnswerDays)))
	}
}

func (b *Bridge) derdeOf(ctx context.Context, c care.Conversation) (care.Derde, bool, error) {
	if c.Derde == "" {
		return care.Derde{}, false, nil
	}
	return b.Store.Derde(ctx, c.Derde)
}

// stands says whether what a conversation rests on still holds (requirement C4).
func (b *Bridge) stands(ctx context.Context, c care.Conversation) (bool, error) {
	whom, _, err := b.derdeOf(ctx, c)
	return err == nil && c.Stands(whom, b.now()), err
}

func dutchDate(d care.Date) string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%02d-%02d-%04d", d.Day, d.Month, d.Year)
}

// staffText renders a text for staff, in the language of the organisation.
func (b *Bridge) staffText(ctx context.Context, t task) (string, error) {
	args, err := b.staffArgs(ctx, t)
	if err != nil {
		return "", err
	}
	return b.Texts.Text(b.Language, t.body.Text, args), nil
}

func (b *Bridge) staffArgs(ctx context.Context, t task) (args texts.Args, err error) {
	if t.Person == "" {
		args = b.practiceArgs(b.practice(t.body.Practice))
		b.addOutage(&args, t.body.Outage)
		err = b.addMember(ctx, &args, b.Language, t.body.By)
	} else {
		var person care.Person
		if person, err = b.personFor(ctx, t); err == nil {
			args, err = b.personArgs(ctx, person, t)
		}
	}
	if err != nil {
		return args, err
	}
	args.Count = t.body.Count
	if t.body.Reason != "" {
		args.Reason = b.Texts.Text(b.Language, t.body.Reason, args)
	}
	if t.body.Words != "" {
		args.Reason = t.body.Words
	}
	if items, ok := itemsFor[t.body.Text]; ok {
		return args, items(b, ctx, t, &args)
	}
	return args, nil
}

// itemsFor fills in what some texts list or count.
var itemsFor = map[string]func(*Bridge, context.Context, task, *texts.Args) error{
	"retention.report":     (*Bridge).addReport,
	"desk.filed":           (*Bridge).addWaiting,
	"desk.filed_so_far":    (*Bridge).addFiled,
	"unfiled.list":         (*Bridge).addUnfiled,
	"unfiled.skipped_list": (*Bridge).addSkipped,
	"staff.list":           (*Bridge).addStaffList,
	"help.staff":           (*Bridge).addHelp,
	"alarm.unfiled":        (*Bridge).addTrouble,
	"alarm.removal":        (*Bridge).addTrouble,
	"alarm.filing":         (*Bridge).addTrouble,
	"alarm.unclosed":       (*Bridge).addTrouble,
	"alarm.stuck":          (*Bridge).addTrouble,
	"alarm.lost":           (*Bridge).addTrouble,
	"alarm.answers":        (*Bridge).addTrouble,
	"error.code_longer":    (*Bridge).addCodes,
}

func (b *Bridge) addStaffList(ctx context.Context, t task, args *texts.Args) error {
	_, practice, _ := strings.Cut(t.Destination, ":")
	all, err := b.Store.StaffOf(ctx, practice)
	for _, m := range all {
		args.Items = append(args.Items, fmt.Sprintf("%s (%s) %s", m.Name, m.Role, m.UserID))
	}
	return err
}

// addHelp lists the commands that who asked may give where they asked.
func (b *Bridge) addHelp(ctx context.Context, t task, args *texts.Args) error {
	room, _, err := b.Store.Room(ctx, t.body.Room)
	if err != nil {
		return err
	}
	m, _, err := b.Store.Staff(ctx, t.body.By)
	for _, name := range allowedCommands(m, room.Kind) {
		named := texts.Args{Command: commands[name].names[0]}
		args.Items = append(args.Items, b.Texts.Text(b.Language, "command.help."+name, named))
	}
	return err
}

// A consentText is what someone agreed to: its key, version and words.
type consentText struct{ key, version, words string }

// consentText returns the text that was shown when a purpose was asked, as the consent
// ledger records it (requirement A10).
func (b *Bridge) consentText(language string, purpose care.Purpose) consentText {
	question := map[care.Purpose]care.Question{
		care.PersonalData: care.AskPersonal, care.HealthData: care.AskHealth,
		care.TermsOfUse: care.AskTerms, care.OptIn: care.AskOptIn, care.DerdeData: care.AskGround,
	}[purpose]
	version := b.Privacy.Version
	if purpose == care.TermsOfUse {
		version = b.Terms.Version
	}
	args := b.practiceArgs(b.practice(""))
	args.Date, args.Time = "", ""
	words := b.Texts.Question(language, string(question), args, b.Texts.Options(language, string(question)))
	return consentText{key: string(question), version: version, words: words}
}
