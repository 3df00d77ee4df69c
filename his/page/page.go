// Package page shows what was filed of a conversation to a person who knows neither FHIR nor
// Spreekkamer: question, who, whom it concerns, when, photo, answer, by whom. It reads the
// Bundles, and nothing else: what is on the page is what a HIS got.
package page

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/loose"
)

// Write writes one HTML page of Bundles, in the order in which they were filed. The page
// holds everything, photos too, and fetches nothing. zone is where the practice is.
func Write(w io.Writer, bundles []json.RawMessage, zone *time.Location) error {
	r := record{zone: zone, byURL: map[string]loose.Resource{}, binaries: map[string]loose.Resource{}, said: map[string]loose.Resource{}, before: map[string][]loose.Resource{}}
	for n, text := range bundles {
		if err := r.add(text); err != nil {
			return fmt.Errorf("bundle %d: %w", n+1, err)
		}
	}
	return sheet.Execute(w, r.talks())
}

// record is all that the Bundles hold.
type record struct {
	zone     *time.Location
	byURL    map[string]loose.Resource   // by fullUrl; a thing has the same in every Bundle
	binaries map[string]loose.Resource   // by Binary/id
	said     map[string]loose.Resource   // messages by their first identifier: an edit takes the old one's place
	before   map[string][]loose.Resource // what they were before, oldest first
}

func (r *record) add(text json.RawMessage) error {
	var b struct {
		ResourceType string `json:"resourceType"`
		Entry        []struct {
			FullURL  string                       `json:"fullUrl"`
			Resource loose.Resource               `json:"resource"`
			Request  struct{ Method, URL string } `json:"request"`
		} `json:"entry"`
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return err
	}
	if b.ResourceType != "Bundle" {
		return errors.New("it is no Bundle")
	}
	for _, e := range b.Entry {
		if was, known := r.byURL[e.FullURL]; known && e.Request.Method == "POST" {
			if was.Text("status") == "requested" && e.Resource.Text("status") == "in-progress" { // a system hears of that otherwise
				r.byURL[e.FullURL] = e.Resource
			}
			continue // made only when it is not there
		}
		r.byURL[e.FullURL] = e.Resource
		switch e.Resource.Text("resourceType") {
		case "Binary":
			r.binaries["Binary/"+e.Resource.Text("id")] = e.Resource
		case "Communication":
			if id := e.Resource.Text("identifier.value"); e.Resource.At("partOf") != nil {
				r.change(id, e.Resource)
			}
		}
	}
	return nil
}

// change puts a message where it was before, if it was.
func (r *record) change(id string, now loose.Resource) {
	before := r.said[id]
	if before != nil && now.Text("status") != mistaken {
		r.before[id] = append(r.before[id], before)
	}
	r.said[id] = merge(before, now)
}

// merge keeps the words of what was only marked as a mistake.
func merge(before, now loose.Resource) loose.Resource {
	if now.Text("status") != mistaken || before == nil {
		return now
	}
	all := loose.Resource{}
	for name, value := range before {
		all[name] = value
	}
	for name, value := range now {
		all[name] = value
	}
	return all
}

const mistaken = "entered-in-error"

type talk struct {
	Title, Practice, Patient, Concerns, Writer, Status string
	Messages                                           []message
	Documents                                          []string
}

type message struct {
	Kind, From, Sent, When, To, Text, About, Note string
	Urgent, Mistaken, Practice                    bool
	Files                                         []file
	Marks, Number                                 string    // by which letters and documents point to it
	Earlier                                       []message // its earlier wordings
	Removed                                       string    // when its sender took it out of the chat; "": it was not
}

// aboutDerde begins the note on a message about somebody else than the account holder.
const aboutDerde = "Gaat over: "

type file struct {
	Name  string
	Image template.URL // a picture of a kind that browsers show; "": none
}

func (r *record) talks() (all []talk) {
	for url, task := range r.byURL {
		if task.Text("resourceType") == "Task" {
			all = append(all, r.talk(url, task))
		}
	}
	slices.SortFunc(all, func(a, b talk) int { return cmp.Compare(a.Title, b.Title) })
	return all
}

var states = map[string]string{"requested": "nieuw", "in-progress": "loopt", "completed": "afgesloten", mistaken: "hoort niet in dit dossier"}

// state is how far a conversation is, and how it ended.
func state(task loose.Resource) string {
	why := task.Text("statusReason.text")
	status := states[task.Text("status")]
	if how, is := strings.CutPrefix(why, "Afgesloten "); is {
		return status + " " + how
	}
	return strings.Trim(status+"; "+why, "; ")
}

func (r *record) talk(url string, task loose.Resource) talk {
	t := talk{
		Title: task.Text("description"), Status: state(task),
		Practice: r.byURL[task.Text("owner.reference")].Text("name"), Patient: person(r.byURL[task.Text("for.reference")]),
	}
	if writer := r.byURL[task.Text("requester.reference")]; writer.Text("resourceType") == "RelatedPerson" {
		t.Writer = person(writer) + ", " + writer.Text("relationship.text")
	}
	removed := r.removals()
	for id, said := range r.said {
		if said.Text("partOf.reference") != task.Text("focus.reference") || r.removes(said) != "" {
			continue
		}
		m := r.message(said)
		for _, b := range r.before[id] {
			m.Earlier = append(m.Earlier, r.message(b))
		}
		if len(m.Earlier) > 0 { // its place is where it was first said
			m.Sent, m.When = m.Earlier[0].Sent, m.Earlier[0].When
		}
		m.Removed = removed[id]
		t.Messages = append(t.Messages, m)
	}
	slices.SortFunc(t.Messages, func(a, b message) int { return cmp.Compare(a.Sent, b.Sent) })
	t.tell()
	for _, d := range r.byURL {
		if d.Text("context.related.reference") == url && d.Text("content.attachment.title") == t.Title+".txt" {
			t.Documents = append(t.Documents, string(r.data(d)))
		}
	}
	slices.Sort(t.Documents)
	return t
}

// removes is the message that a notice says to be removed; "": it is no such notice, or the message is not here.
func (r *record) removes(c loose.Resource) string {
	id := c.Text("inResponseTo.identifier.value")
	if _, known := r.said[id]; known && c.Text("topic.text") == his.RemovedTopic {
		return id
	}
	return ""
}

// removals says when which message was removed.
func (r *record) removals() map[string]string {
	all := map[string]string{}
	for _, said := range r.said {
		if id := r.removes(said); id != "" {
			all[id] = r.moment(said.Text("sent"))
		}
	}
	return all
}

// tell says once, above, whom it is all about; and that the first message is the question.
func (t *talk) tell() {
	t.Concerns = "de patiënt zelf"
	for n := range t.Messages {
		m := &t.Messages[n]
		if n == 0 {
			t.Concerns = cmp.Or(m.About, t.Concerns)
			m.Kind = strings.Replace(m.Kind, "Bericht", "Vraag", 1)
		}
		if m.About != "" && m.About != t.Concerns {
			m.Note = strings.TrimSpace(aboutDerde + m.About + " " + m.Note)
		}
	}
}

func (r *record) message(c loose.Resource) message {
	m := message{
		From: r.author(c), Sent: c.Text("sent"), When: r.moment(c.Text("sent")),
		Urgent: c.Text("priority") == "urgent", Mistaken: c.Text("status") == mistaken,
	}
	m.Practice = !slices.Contains([]string{"Patient", "RelatedPerson"}, r.byURL[c.Text("sender.reference")].Text("resourceType"))
	m.Kind = map[bool]string{true: "Antwoord", false: "Bericht"}[m.Practice]
	if to, is := r.said[c.Text("inResponseTo.identifier.value")]; is {
		if before := r.before[c.Text("inResponseTo.identifier.value")]; len(before) > 0 { // the page shows it where it was first said
			to = before[0]
		}
		m.To = r.author(to) + ", " + r.moment(to.Text("sent"))
		if mark := marks(to); mark != "" {
			m.To += ", kenmerk " + mark
		}
		if r.author(to) == m.From { // more to it
			m.Kind = "Bericht"
		}
	}
	for _, note := range c.List("note") {
		if about, is := strings.CutPrefix(note.Text("text"), aboutDerde); is {
			m.About = about
		} else if marks, is := strings.CutPrefix(note.Text("text"), his.MarkNote); is {
			_, m.Number, _ = strings.Cut(marks, his.NumberNote)
		} else {
			m.Note = note.Text("text")
		}
	}
	if name, is := strings.CutSuffix(m.From, "(patiënt)"); is && m.About != "" {
		m.From = name + "(patiënt, schrijft over een ander)"
	}
	m.Marks = marks(c)
	var words []string
	for _, p := range c.List("payload") {
		if said := p.Text("contentString"); said != "" {
			words = append(words, said)
		}
		if d, is := r.byURL[p.Text("contentReference.reference")]; is {
			m.Files = append(m.Files, r.file(d))
		}
	}
	m.Text = strings.Join(words, "\n")
	return m
}

// marks are what a message is called in letters and documents: an edited one by its own mark and
// by that of the edit.
func marks(c loose.Resource) string {
	var all []string
	for _, i := range c.List("identifier") {
		if id, err := uuid.Parse(i.Text("value")); err == nil {
			all = append(all, his.Mark(id))
		}
	}
	return strings.Join(all, ", ")
}

// author is a patient, a relative of one, somebody of the practice with a function, or us.
func (r *record) author(c loose.Resource) string {
	who := r.byURL[c.Text("sender.reference")]
	switch who.Text("resourceType") {
	case "PractitionerRole":
		return r.byURL[who.Text("practitioner.reference")].Text("name.text") + " (" + who.Text("code.text") + ")"
	case "Patient":
		return who.Text("name.text") + " (patiënt)"
	case "RelatedPerson":
		return who.Text("name.text") + " (" + who.Text("relationship.text") + ")"
	}
	return c.Text("sender.display")
}

// pictures are the types that every browser shows and none runs.
var pictures = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

func (r *record) file(d loose.Resource) file {
	f := file{Name: d.Text("content.attachment.title")}
	kind := d.Text("content.attachment.contentType")
	if data := r.data(d); len(data) > 0 && slices.Contains(pictures, kind) {
		f.Image = template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)) // #nosec G203 -- a picture of a kind in the list, encoded by us
	}
	return f
}

func (r *record) data(d loose.Resource) []byte {
	data, err := base64.StdEncoding.DecodeString(r.binaries[d.Text("content.attachment.url")].Text("data"))
	if err != nil {
		return nil
	}
	return data
}

func (r *record) moment(s string) string {
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	return at.In(r.zone).Format("02-01-2006 om 15:04 uur")
}

func person(p loose.Resource) string {
	parts := []string{p.Text("name.text")}
	if born, err := time.Parse(time.DateOnly, p.Text("birthDate")); err == nil {
		parts = append(parts, "geboren "+born.Format("02-01-2006"))
	}
	for _, i := range p.List("identifier") {
		switch {
		case i.Text("system") == "http://fhir.nl/fhir/NamingSystem/bsn":
			parts = append(parts, "BSN "+i.Text("value"))
		case i.Text("use") == "usual":
			parts = append(parts, "patiëntnummer "+i.Text("value"))
		}
	}
	return strings.Join(parts, ", ")
}
