package bridge

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// fileJob makes the effect that files something of a conversation, at the next place in its file
// in the system that it belongs to. Where one document is filed on closing, what is said waits
// for that: see keptLane.
func (b *Bridge) fileJob(ctx context.Context, kind string, c care.Conversation, more ...func(*body)) (store.Effect, error) {
	seq, err := b.Store.NextFilingSeq(ctx, c.ID)
	to, name := b.systemOf(c)
	what := body{filed: filed{Seq: seq, Edition: c.Edition, Category: c.Category, Taken: !c.TakenAt.IsZero()}}
	what.Alone = to.OnClosing && kind == "file" && c.State == care.Closed
	for _, change := range more {
		change(&what)
	}
	file := job(kind, fileIn(name, c.ID), what)
	file.Lane, file.Person, file.Conversation = systemLane(name, c.Practice), c.Person, c.ID
	if onlyKept[kind] || kind == "file" && to.OnClosing && !what.Alone {
		file.Lane, file.Destination = keptLane, fileIn(keptLane, c.ID)
	}
	return file, err
}

// onlyKept are the kinds that are never filed by themselves.
var onlyKept = map[string]bool{"file.summary": true, "file.answer": true}

// deliverFile files one message, edit or answer.
func (b *Bridge) deliverFile(ctx context.Context, t task) (done delivery, err error) {
	l, err := b.letterOf(ctx, t.Effect, calm)
	if errors.Is(err, ErrRedacted) || errors.Is(err, ErrNotFound) {
		return delivery{dropped: "removed before it was filed"}, nil
	}
	if err != nil {
		return done, err
	}
	if taken, err := b.takenBack(ctx, t, l.Replaces); err != nil || taken {
		return delivery{dropped: "what it edits was removed before it was filed"}, err
	}
	item, err := b.itemFor(ctx, t)
	if err != nil {
		return done, err
	}
	if err := b.addressed(ctx, &item, t, l); err != nil {
		return done, err
	}
	return b.file(ctx, t, item, done)
}

// file hands an item to the system of the lane that its effect is in, and keeps what that calls it.
func (b *Bridge) file(ctx context.Context, t task, item his.Item, done delivery) (delivery, error) {
	system, err := b.systemIn(t.Lane)
	if err != nil {
		return done, err
	}
	limited, cancel := context.WithTimeout(ctx, filingLimit)
	defer cancel()
	receipt, err := system.Connector.File(limited, item)
	done.filed = receipt.Reference
	if err != nil && !his.Untaken(err) {
		err = perhaps{err}
	}
	return done, err
}

// itemFor fills in what every item of a conversation says about it.
func (b *Bridge) itemFor(ctx context.Context, t task) (item his.Item, err error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return item, err
	}
	c, known, err := b.Store.Conversation(ctx, t.Conversation)
	if err != nil || !known {
		return item, errors.Join(err, refused("the conversation is gone"))
	}
	// as it was when the item arose: every try says the same
	c.Edition, c.Category = t.body.Edition, cmp.Or(t.body.Category, c.Category)
	item.Seq, item.First, item.Filed = t.body.Seq, t.body.First, t.CreatedAt
	item.Conversation, err = b.conversationInHIS(ctx, c, person)
	if t.body.Taken {
		item.Conversation.Status = his.StatusOpen
	}
	return item, err
}

// conversationInHIS is what the HIS gets to know of a conversation.
func (b *Bridge) conversationInHIS(ctx context.Context, c care.Conversation, person care.Person) (in his.Conversation, err error) {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return in, refused("conversation %s has no UUID", c.ID)
	}
	p := b.practice(c.Practice)
	in = his.Conversation{
		ID: id, Number: c.Number, Opened: c.OpenedAt.In(b.Zone), Status: his.StatusRequested, Patient: b.patientInHIS(person),
		Category: categories[c.Category], Edition: c.Edition, Practice: his.Practice{ID: p.ID, Name: p.Name, AGB: p.AGB},
	}
	d, named, err := b.derdeOf(ctx, c)
	if err != nil || !named {
		return in, err
	}
	in.Derde = b.derdeInHIS(d)
	in.Derde.StatementVersion, err = b.attestedAs(ctx, d, person.Language)
	in.Derde.StatementURI = b.statementURI(in.Derde.StatementVersion)
	return in, err
}

func (b *Bridge) patientInHIS(p care.Person) his.Patient {
	return his.Patient{
		Number: p.Identity.PatientNumber, BSN: p.Identity.BSN,
		FirstName: p.Answers.FirstName, LastName: p.Answers.LastName,
		BirthDate: b.day(p.Answers.BirthDate), Phone: p.Answers.Phone, Email: p.Answers.Email,
	}
}

// grounds are what the HIS calls the grounds of care.
var grounds = map[care.Ground]his.Ground{care.Parent: his.GroundParent, care.Permission: his.GroundPermission}

// categories are what the HIS calls the categories of care.
var categories = map[care.Category]his.Category{
	care.CareCategory: his.CategoryCare, care.Practical: his.CategoryNonCare,
}

func (b *Bridge) derdeInHIS(d care.Derde) *his.Derde {
	var patient *his.Patient
	if d.Identity.PatientNumber != "" { // the record is about the Derde, as staff said
		patient = &his.Patient{Number: d.Identity.PatientNumber, BSN: d.Identity.BSN, Name: d.Name, BirthDate: b.day(d.BirthDate)}
	}
	return &his.Derde{
		Patient: patient,
		Name:    d.Name, BirthDate: b.day(d.BirthDate), Ground: grounds[d.Ground], AttestedAt: d.AttestedAt.In(b.Zone),
		Relation: b.Texts.Text(recordLanguage, "relation."+d.Relation, b.practiceArgs(b.practice(""))),
	}
}

// recordLanguage is that of what we say in a record: a Dutch record is in Dutch, whatever staff read in the chat.
const recordLanguage = "nl"

// statementURI names one version of the statement that was attested: where it can be read, and which it is.
func (b *Bridge) statementURI(version string) string {
	at, err := url.Parse(b.Privacy.URL)
	if err != nil || b.Privacy.URL == "" || version == "" {
		return b.Privacy.URL
	}
	at.Fragment = version
	return at.String()
}

// attestedAs is the version of the text that was attested, of when it was.
func (b *Bridge) attestedAs(ctx context.Context, d care.Derde, language string) (version string, err error) {
	all, err := b.Store.Consents(ctx, d.Person)
	for _, c := range all {
		if c.Purpose == care.DerdeData && c.Yes && !c.At.Before(d.AttestedAt) {
			return c.TextVersion, nil
		}
	}
	return b.consentText(language, care.DerdeData).version, err
}

func (b *Bridge) day(d care.Date) time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, b.Zone)
}

// addressed puts the words of a letter, and who wrote them, in an item.
func (b *Bridge) addressed(ctx context.Context, item *his.Item, t task, l letter) error {
	item.ID, item.Kind, item.Sent, item.Text = his.MessageID(t.body.inRecord(t.Effect)), his.KindMessage, l.Sent.In(b.Zone), l.Text
	alone, err := b.standsAlone(ctx, t)
	if err != nil {
		return err
	}
	if l.Replaces != "" && !alone { // the record has what it edits
		item.Kind, item.Replaces = his.KindEdit, his.MessageID(l.Replaces)
		if item.ReplacesSeq, err = b.seqOf(ctx, t, l.Replaces); err != nil {
			return err
		}
	}
	if err := b.answered(ctx, item, l, t); err != nil {
		return err
	}
	for _, f := range l.Files {
		item.Attachments = append(item.Attachments, his.Attachment{
			Name: f.Name, ContentType: f.Type, Size: int64(len(f.Data)),
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.Data)), nil },
		})
	}
	item.Author, err = b.authorOf(ctx, item.Conversation, l)
	return err
}

// seqOf is the number of what is filed of an event in the same edition; 0: that is not known.
func (b *Bridge) seqOf(ctx context.Context, t task, event string) (int, error) {
	filed, err := b.Store.Filings(ctx, t.Conversation)
	for _, e := range filed {
		if what, bad := parseBody(e); bad == nil && e.ID < t.ID && what.Edition == t.body.Edition && says(e, event) {
			return what.Seq, err
		}
	}
	return 0, err
}

// standsAlone says that an edit changes nothing in the record: what it edits is not there, or, when
// it was refused and is tried again, has a later wording there.
func (b *Bridge) standsAlone(ctx context.Context, t task) (bool, error) {
	if t.body.Instead != "" || t.body.Alone || t.body.Target == "" || t.Attempt < 2 {
		return t.body.Instead != "" || t.body.Alone, nil
	}
	filed, err := b.Store.Filings(ctx, t.Conversation)
	return slices.ContainsFunc(filed, func(e store.Effect) bool {
		what, err := parseBody(e)
		return err == nil && e.Kind == t.Kind && e.State == store.EffectDone && what.Target == t.body.Target &&
			what.Edition == t.body.Edition && what.Seq > t.body.Seq
	}), err
}

// answered names the message that a letter replies to, as the HIS knows it: by the event
// that was written, not by the one that stands for it at the other side.
func (b *Bridge) answered(ctx context.Context, item *his.Item, l letter, t task) error {
	if l.ReplyTo == "" {
		return nil
	}
	m, known, err := b.Store.MirrorsOf(ctx, l.ReplyTo)
	if err != nil || !known || m.Conversation != t.Conversation {
		return err
	}
	filed, err := b.Store.Filings(ctx, t.Conversation)
	if m.Kind == store.MirrorAnswer {
		item.InReplyTo = copyIn(filed, m.TargetEvent, t.body.Edition)
		return err
	}
	item.InReplyTo = his.MessageID(m.SourceEvent)
	for _, e := range filed {
		if what, err := parseBody(e); err == nil && says(e, m.SourceEvent) {
			item.InReplyTo = his.MessageID(what.inRecord(e))
		}
	}
	return err
}

// staffID is who of the staff of a practice wrote something, in all conversations the same and without
// a Matrix id. With another name they are another: what the HIS has is never renamed.
func staffID(practice, user, name string) uuid.UUID {
	return uuid.NewSHA1(staffSpace, []byte(practice+" "+user+" "+name))
}

var staffSpace = uuid.MustParse("5f0b7a2e-6c1d-4b53-9a0e-2d3c1f84b7a6")

// authorOf says who wrote a letter: a member of staff, or the patient.
func (b *Bridge) authorOf(ctx context.Context, c his.Conversation, l letter) (his.Author, error) {
	if !l.Staff {
		name := care.Answers{FirstName: c.Patient.FirstName, LastName: c.Patient.LastName}.Name()
		return his.Author{Name: name, Role: his.RolePatient}, nil
	}
	if l.As != "" {
		name, role, _ := strings.Cut(l.As, ", ")
		return his.Author{Name: name, Role: his.Role(cmp.Or(role, string(care.Doktersassist)))}, nil
	}
	m, known, err := b.Store.Staff(ctx, l.Sender)
	if !known { // no longer on the list of staff; never the patient's words
		m.Name, m.Role = "medewerker", care.Doktersassist
	}
	return his.Author{Name: m.Name, Role: his.Role(m.Role), ID: staffID(c.Practice.ID, l.Sender, m.Name)}, err
}
