package fhir

import (
	"encoding/base64"
	"fmt"
	"io"
)

// Bundle is a transaction: a server takes all of it or nothing.
type Bundle struct {
	Identifier Identifier
	Timestamp  string
	Entry      []Entry
}

// Entry is one resource and what the server is to do with it.
type Entry struct {
	FullURL  string
	Resource Resource
	Request  Request
}

// Request is the act; IfNoneExist (a query, without "?") makes a POST a conditional create.
type Request struct {
	Method      string `json:"method"`
	URL         string `json:"url"`
	IfNoneExist string `json:"ifNoneExist,omitempty"`
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

// Write writes the Bundle as JSON, one entry a line. The same Bundle gives the same
// bytes. An error of a Binary's reader, or a reader that gives more or fewer than
// Size bytes, is returned; what was written until then is of no use.
func (b Bundle) Write(w io.Writer) error {
	out := &writer{w: w}
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
	if binary, ok := e.Resource.(Binary); ok {
		binary.write(out)
	} else {
		out.json(e.Resource)
	}
	out.text(`,"request":`)
	out.json(e.Request)
	out.text("}")
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
