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
)

// Write writes one HTML page of Bundles, in the order in which they were filed. The page
// holds everything, photos too, and fetches nothing. zone is where the practice is.
func Write(w io.Writer, bundles []json.RawMessage, zone *time.Location) error {
	r := record{zone: zone, byURL: map[string]resource{}, binaries: map[string]resource{}, said: map[string]resource{}}
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
	byURL    map[string]resource // by fullUrl; a thing has the same in every Bundle
	binaries map[string]resource // by Binary/id
	said     map[string]resource // messages by their first identifier: an edit takes the old one's place
}

func (r *record) add(text json.RawMessage) error {
	var b struct {
		ResourceType string `json:"resourceType"`
		Entry        []struct {
			FullURL  string                       `json:"fullUrl"`
			Resource resource                     `json:"resource"`
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
		if _, known := r.byURL[e.FullURL]; known && e.Request.Method == "POST" {
			continue // made only when it is not there
		}
		r.byURL[e.FullURL] = e.Resource
		switch e.Resource.text("resourceType") {
		case "Binary":
			r.binaries["Binary/"+e.Resource.text("id")] = e.Resource
		case "Communication":
			if id := e.Resource.text("identifier.value"); e.Resource.at("partOf") != nil {
				r.said[id] = merge(r.said[id], e.Resource)
			}
		}
	}
	return nil
}

// merge keeps the words of what was only marked as a mistake.
func merge(before, now resource) resource {
	if now.text("status") != mistaken || before == nil {
		return now
	}
	all := resource{}
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
	Title, Practice, Patient, About, Status string
	Messages                                []message
	Documents                               []string
}

type message struct {
	From, Sent, When, Text, Note string
	Urgent, Mistaken             bool
	Files                        []file
}

type file struct {
	Name  string
	Image template.URL // a picture of a kind that browsers show; "": none
}

func (r *record) talks() (all []talk) {
	for url, task := range r.byURL {
		if task.text("resourceType") == "Task" {
			all = append(all, r.talk(url, task))
		}
	}
	slices.SortFunc(all, func(a, b talk) int { return cmp.Compare(a.Title, b.Title) })
	return all
}

var states = map[string]string{"requested": "nieuw", "in-progress": "loopt", "completed": "afgesloten", mistaken: "hoort niet in dit dossier"}

func (r *record) talk(url string, task resource) talk {
	t := talk{
		Title: task.text("description"), Status: states[task.text("status")],
		Practice: r.byURL[task.text("owner.reference")].text("name"), Patient: person(r.byURL[task.text("for.reference")]),
	}
	if writer := r.byURL[task.text("requester.reference")]; writer.text("resourceType") == "RelatedPerson" {
		t.About = person(writer) + ", " + writer.text("relationship.text")
	}
	for _, said := range r.said {
		if said.text("partOf.reference") == task.text("focus.reference") {
			t.Messages = append(t.Messages, r.message(said))
		}
	}
	slices.SortFunc(t.Messages, func(a, b message) int { return cmp.Compare(a.Sent, b.Sent) })
	for _, d := range r.byURL {
		if d.text("context.related.reference") == url && d.text("content.attachment.title") == t.Title+".txt" {
			t.Documents = append(t.Documents, string(r.data(d)))
		}
	}
	slices.Sort(t.Documents)
	return t
}

func (r *record) message(c resource) message {
	m := message{
		From: r.author(c), Sent: c.text("sent"), When: r.moment(c.text("sent")), Note: c.text("note.text"),
		Urgent: c.text("priority") == "urgent", Mistaken: c.text("status") == mistaken,
	}
	var words []string
	for _, p := range c.list("payload") {
		if said := p.text("contentString"); said != "" {
			words = append(words, said)
		}
		if d, is := r.byURL[p.text("contentReference.reference")]; is {
			m.Files = append(m.Files, r.file(d))
		}
	}
	m.Text = strings.Join(words, "\n")
	return m
}

// author is a patient, a relative of one, somebody of the practice with a function, or us.
func (r *record) author(c resource) string {
	who := r.byURL[c.text("sender.reference")]
	switch who.text("resourceType") {
	case "PractitionerRole":
		return r.byURL[who.text("practitioner.reference")].text("name.text") + " (" + who.text("code.text") + ")"
	case "Patient":
		return who.text("name.text") + " (patiënt)"
	case "RelatedPerson":
		return who.text("name.text") + " (" + who.text("relationship.text") + ")"
	}
	return c.text("sender.display")
}

// pictures are the types that every browser shows and none runs.
var pictures = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

func (r *record) file(d resource) file {
	f := file{Name: d.text("content.attachment.title")}
	kind := d.text("content.attachment.contentType")
	if data := r.data(d); len(data) > 0 && slices.Contains(pictures, kind) {
		f.Image = template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)) // #nosec G203 -- a picture of a kind in the list, encoded by us
	}
	return f
}

func (r *record) data(d resource) []byte {
	data, err := base64.StdEncoding.DecodeString(r.binaries[d.text("content.attachment.url")].text("data"))
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
	return at.In(r.zone).Format("02-01-2006 15:04")
}

func person(p resource) string {
	parts := []string{p.text("name.text")}
	if born, err := time.Parse(time.DateOnly, p.text("birthDate")); err == nil {
		parts = append(parts, "geboren "+born.Format("02-01-2006"))
	}
	for _, i := range p.list("identifier") {
		switch {
		case i.text("system") == "http://fhir.nl/fhir/NamingSystem/bsn":
			parts = append(parts, "BSN "+i.text("value"))
		case i.text("use") == "usual":
			parts = append(parts, "patiëntnummer "+i.text("value"))
		}
	}
	return strings.Join(parts, ", ")
}
