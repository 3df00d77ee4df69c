package bridge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// deliverFile files one message, edit or answer in the HIS.
func (b *Bridge) deliverFile(ctx context.Context, t task) (done delivery, err error) {
	l, err := b.letterOf(ctx, t.Effect, triesOf(t.Effect))
	if errors.Is(err, ErrRedacted) || errors.Is(err, ErrNotFound) {
		return done, nil // removed by its sender before it was filed
	}
	if err != nil {
		return done, err
	}
	item, err := b.itemFor(ctx, t)
	if err != nil {
		return done, err
	}
	if err := b.addressed(ctx, &item, t, l); err != nil {
		return done, err
	}
	_, err = b.connector(item).File(ctx, item)
	return done, err
}

// deliverFileEnd files that a conversation was closed.
func (b *Bridge) deliverFileEnd(ctx context.Context, t task) (done delivery, err error) {
	item, err := b.itemFor(ctx, t)
	if err != nil {
		return done, err
	}
	item.ID, item.Kind = uuid.NewSHA1(item.Conversation.ID, []byte("closing")), his.KindClosing
	item.Author = his.Author{Role: his.RoleBridge}
	item.Sent, item.Conversation.Status = t.CreatedAt, his.StatusClosed
	_, err = b.connector(item).File(ctx, item)
	return done, err
}

func (b *Bridge) connector(item his.Item) his.Connector {
	return b.practice(item.Conversation.Practice.ID).Connector
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
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return item, refused("conversation %s has no UUID", c.ID)
	}
	p := b.practice(c.Practice)
	item.Seq, item.Filed = t.body.Seq, t.CreatedAt
	item.Conversation = his.Conversation{
		Category: categories[c.Category],
		ID:       id, Number: c.Number, Opened: c.OpenedAt.In(b.Zone), Status: his.StatusOpen, Patient: b.patientInHIS(person),
		Practice: his.Practice{ID: p.ID, Name: p.Name, AGB: p.AGB},
	}
	d, named, err := b.derdeOf(ctx, c)
	if err == nil && named {
		item.Conversation.Derde = b.derdeInHIS(d, person.Language)
	}
	return item, err
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

func (b *Bridge) derdeInHIS(d care.Derde, language string) *his.Derde {
	return &his.Derde{
		Name: d.Name, BirthDate: b.day(d.BirthDate), Ground: grounds[d.Ground], AttestedAt: d.AttestedAt.In(b.Zone),
		Relation:         b.Texts.Text(b.Language, "relation."+d.Relation, b.practiceArgs(b.practice(""))),
		StatementVersion: b.consentText(language, care.DerdeData).version, StatementURI: b.Privacy.URL,
	}
}

func (b *Bridge) day(d care.Date) time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, b.Zone)
}

// addressed puts the words of a letter, and who wrote them, in an item.
func (b *Bridge) addressed(ctx context.Context, item *his.Item, t task, l letter) error {
	item.ID, item.Kind, item.Sent, item.Text = his.MessageID(t.SourceEvent), his.KindMessage, l.Sent.In(b.Zone), l.Text
	if t.body.Instead != "" { // the record never had what it edits
		item.ID = his.MessageID(t.body.Instead)
	} else if l.Replaces != "" {
		item.Kind, item.Replaces = his.KindEdit, his.MessageID(l.Replaces)
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
	return b.signed(ctx, item, l)
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
	item.InReplyTo = his.MessageID(m.SourceEvent)
	return nil
}

// signed says who wrote a letter: a member of staff, or the patient.
func (b *Bridge) signed(ctx context.Context, item *his.Item, l letter) error {
	m, known, err := b.Store.Staff(ctx, l.Sender)
	if err != nil {
		return err
	}
	if l.Staff {
		item.Author = his.Author{Name: m.Name, Role: his.Role(m.Role), ID: uuid.NewSHA1(item.Conversation.ID, []byte(l.Sender))}
		if !known { // no longer on the list of staff; never the patient's words
			item.Author.Name, item.Author.Role = "medewerker", his.Role(care.Doktersassist)
		}
		return nil
	}
	p := item.Conversation.Patient
	item.Author = his.Author{Name: care.Answers{FirstName: p.FirstName, LastName: p.LastName}.Name(), Role: his.RolePatient}
	return nil
}

// A letter is what there is to file of one event.
type letter struct {
	Sender   string
	Staff    bool // written in the conversation room
	Sent     time.Time
	Text     string
	ReplyTo  string
	Replaces string
	Files    []letterFile
}

type letterFile struct {
	Name, Type string
	Data       []byte
}

// letterOf reads what an effect files: from the chat, or sealed when the chat had to go
// before the HIS took it (requirement D6).
func (b *Bridge) letterOf(ctx context.Context, e store.Effect, t tries) (l letter, err error) {
	if l, found, err := b.sealedLetter(ctx, e.ID); err != nil || found {
		return l, err
	}
	evt, err := b.Matrix.Read(ctx, task{Effect: e}.sourceRoom(), task{Effect: e}.sourceEvent())
	if err != nil {
		return l, err
	}
	room, _, err := b.Store.Room(ctx, e.SourceRoom)
	if err != nil {
		return l, err
	}
	l = letter{Sender: string(evt.Sender), Staff: room.Kind == store.RoomConversation, Sent: time.UnixMilli(evt.Timestamp)}
	what, err := parseBody(e)
	if err != nil {
		return l, err
	}
	if what.Text != "" { // a text of ours that a command sent
		l.Text, err = b.adviceText(ctx, task{e, what})
		return l, err
	}
	m, ok := b.readable(evt, b.Language)
	if !ok {
		return l, nil // something that cannot be carried: that it was there is filed
	}
	person, _, err := b.Store.Person(ctx, e.Person)
	if err != nil {
		return l, err
	}
	if err := b.fillLetter(ctx, &l, m, b.scrubberFor(ctx, person, b.Language), t); err != nil {
		return l, err
	}
	if what.Late {
		l.Text = strings.TrimSpace(b.lateMark(b.Language, l.Sent) + " " + l.Text)
	}
	return l, nil
}

func (b *Bridge) fillLetter(ctx context.Context, l *letter, m *event.MessageEventContent, s scrubber, t tries) error {
	if m.RelatesTo != nil {
		l.ReplyTo = string(m.RelatesTo.GetReplyTo())
		if m.RelatesTo.Type == event.RelReplace {
			l.Replaces = string(m.RelatesTo.EventID)
		}
	}
	if m.NewContent != nil && l.Replaces != "" {
		m = m.NewContent
	}
	if m.File == nil && m.URL == "" {
		l.Text = s.words(m).plain
		if m.MsgType == event.MsgLocation {
			l.Text += "\n" + places.FindString(m.GeoURI)
		}
		return nil
	}
	l.Text = s.caption(m).plain
	f, err := b.fetch(ctx, m, t)
	if why := reasonOf(err); why != "" { // the record says that there was a file, and why it is not there
		missing := b.Texts.Text(b.Language, "filing.missing", texts.Args{Reason: b.Texts.Text(b.Language, "filing."+why, texts.Args{})})
		l.Text = strings.TrimPrefix(l.Text+"\n"+missing, "\n")
		return nil
	}
	if err != nil {
		return err
	}
	// What staff see is what is filed: cleaned, and called what it is.
	l.Files = []letterFile{{Name: s.fileName(m, f.Type), Type: typeOf(m, f.Type), Data: f.Data}}
	return nil
}
