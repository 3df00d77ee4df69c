package fhir

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Bundle is a transaction: a server takes all of it or nothing.
type Bundle struct {
	Main       string // fullUrl of what it is all about; not written
	Identifier Identifier
	Timestamp  string
	Entry      []Entry
}

// Entry is one resource and what the server is to do with it.
type Entry struct {
	FullURL  string
	Resource Resource
	Request  Request
	Meta     *Meta // what a server wants on everything; nil: nothing

	// ID is the server's id of the resource that this one takes the place of; "": none.
	ID string

	// Known are real addresses for references to other entries (urn:uuid:…), for a server
	// that gets the resources one by one.
	Known map[string]string
}

var referenceForm = regexp.MustCompile(`"reference":"(urn:uuid:[0-9a-f-]{36})"`)

// References are the other entries that this one refers to.
func (e Entry) References() (all []string) {
	text, err := marshal(e.Resource)
	if err != nil {
		return nil
	}
	for _, found := range referenceForm.FindAllSubmatch(text, -1) {
		all = append(all, string(found[1]))
	}
	return all
}

// resource is the resource's JSON. Quotation marks within what people wrote are escaped,
// so that nobody can write a reference.
func (e Entry) resource(r Resource) ([]byte, error) {
	text, err := marshal(r)
	if len(e.Known) > 0 {
		text = referenceForm.ReplaceAllFunc(text, func(found []byte) []byte {
			if known, ok := e.Known[string(referenceForm.FindSubmatch(found)[1])]; ok {
				return []byte(`"reference":"` + known + `"`)
			}
			return found
		})
	}
	return e.head(text, r.Kind()), err
}

// Request is the act; IfNoneExist (a query, without "?") makes a POST a conditional create.
type Request struct {
	Method      string `json:"method"`
	URL         string `json:"url"`
	IfMatch     string `json:"ifMatch,omitempty"`
	IfNoneExist string `json:"ifNoneExist,omitempty"`
}

// Meta is what a resource says of itself.
type Meta struct {
	Profile []string `json:"profile,omitempty"`
	Tag     []Coding `json:"tag,omitempty"`
}

// Raw is a resource as a server gave it, with changes of ours.
type Raw struct {
	Type string
	JSON []byte
}

// Kind is the resource's type.
func (r Raw) Kind() string { return r.Type }

// MarshalJSON gives it back.
func (r Raw) MarshalJSON() ([]byte, error) { return r.JSON, nil }

// Inline is a DocumentReference that holds its data itself, for a server without Binary.
type Inline struct {
	DocumentReference
	Data Binary
}

// Binary is data of Size bytes that is read only when the Bundle is written, and
// never held as a whole. Open is called once for each Write.
type Binary struct {
	ID          string
	ContentType string
	Size        int64
	Open        func() (io.ReadCloser, error)
}

// Kind is the resource's type.
func (Binary) Kind() string { return "Binary" }

// Size is how many bytes Write writes, without reading any Binary.
func (b Bundle) Size() (int64, error) {
	var n counter
	return n.count(func(w io.Writer) error { return b.Write(w) })
}

// Write writes the Bundle as JSON, one entry a line. The same Bundle gives the same
// bytes. An error of a Binary's reader, or a reader that gives more or fewer than
// Size bytes, is returned; what was written until then is of no use.
func (b Bundle) Write(w io.Writer) error {
	out := newWriter(w)
	out.open(struct {
		ResourceType string     `json:"resourceType"`
		Identifier   Identifier `json:"identifier"`
		Type         string     `json:"type"`
		Timestamp    string     `json:"timestamp"`
	}{"Bundle", b.Identifier, "transaction", b.Timestamp})
	between := `,"entry":[` + "\n"
	for _, e := range b.Entry {
		out.text(between)
		e.write(out)
		if out.err != nil {
			return fmt.Errorf("entry %s %s: %w", e.Resource.Kind(), e.FullURL, out.err)
		}
		between = ",\n"
	}
	out.text("\n]}\n")
	return out.err
}

func (e Entry) write(out *writer) {
	out.open(struct {
		FullURL string `json:"fullUrl"`
	}{e.FullURL})
	out.text(`,"resource":`)
	e.writeResource(out)
	out.text(`,"request":`)
	out.json(e.Request)
	out.text("}")
}

// Size is how many bytes WriteResource writes, without reading any Binary.
func (e Entry) Size() (int64, error) {
	var n counter
	return n.count(e.WriteResource)
}

// WriteResource writes the resource alone, for a request of its own.
func (e Entry) WriteResource(w io.Writer) error {
	out := newWriter(w)
	e.writeResource(out)
	return out.err
}

func (e Entry) writeResource(out *writer) {
	switch r := e.Resource.(type) {
	case Binary:
		r.write(out)
	case Inline:
		r.write(out, e)
	default:
		text, err := e.resource(r)
		out.fail(err)
		out.text(string(text))
	}
}

// head puts id and meta behind the resource's type, which is always the first member.
func (e Entry) head(text []byte, kind string) []byte {
	first := []byte(`{"resourceType":"` + kind + `"`)
	rest, ours := bytes.CutPrefix(text, first)
	if !ours {
		return text
	}
	if e.ID != "" {
		first = append(first, `,"id":"`+e.ID+`"`...)
	}
	if said, err := marshal(e.Meta); err == nil && e.Meta != nil {
		first = slices.Concat(first, []byte(`,"meta":`), said)
	}
	return append(first, rest...)
}

// write puts the data in the attachment, where its address would be.
func (i Inline) write(out *writer, e Entry) {
	const place = "\uE000data" // a private character: in no address of ours
	i.Content = slices.Clone(i.Content)
	i.Content[0].Attachment.URL = place
	text, err := e.resource(i.DocumentReference)
	out.fail(err)
	before, after, _ := strings.Cut(string(text), `"url":"`+place+`"`)
	if i.Data.Size == 0 { // FHIR has no empty elements
		out.text(strings.TrimSuffix(before, ",") + after)
		return
	}
	out.text(before + `"data":"`)
	out.fail(i.Data.writeData(out))
	out.text(`"` + after)
}

// write leaves data out when there is none: FHIR has no empty elements.
func (b Binary) write(out *writer) {
	out.open(struct {
		ResourceType string `json:"resourceType"`
		ID           string `json:"id"`
		ContentType  string `json:"contentType"`
	}{"Binary", b.ID, b.ContentType})
	if b.Size > 0 {
		out.text(`,"data":"`)
		out.fail(b.writeData(out))
		out.text(`"`)
	}
	out.text("}")
}

func (b Binary) writeData(w io.Writer) error {
	if out, ok := w.(*writer); ok && out.counts != nil {
		out.counts.n += int64(base64.StdEncoding.EncodedLen(int(b.Size)))
		return nil
	}
	r, err := b.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	encoder := base64.NewEncoder(base64.StdEncoding, w)
	n, err := io.Copy(encoder, io.LimitReader(r, b.Size+1))
	if err != nil {
		return err
	}
	if n != b.Size {
		return fmt.Errorf("the data is not the %d bytes that were announced", b.Size)
	}
	return encoder.Close()
}
