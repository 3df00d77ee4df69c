package fhir

import (
	"bytes"
	"encoding/json"
	"io"
)

// writer remembers the first error and does nothing after it.
type writer struct {
	w      io.Writer
	err    error
	counts *counter // not nil: the bytes are only counted
}

func newWriter(w io.Writer) *writer {
	counts, _ := w.(*counter)
	return &writer{w: w, counts: counts}
}

// counter counts what would be written.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

func (c *counter) count(write func(io.Writer) error) (int64, error) {
	err := write(c)
	return c.n, err
}

// Write lets an encoder write through it.
func (o *writer) Write(p []byte) (n int, err error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err = o.w.Write(p)
	o.fail(err)
	return n, err
}

func (o *writer) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

func (o *writer) text(s string) {
	if o.err == nil {
		_, err := io.WriteString(o.w, s)
		o.fail(err)
	}
}

func (o *writer) json(v any) {
	text, err := marshal(v)
	o.fail(err)
	o.text(string(text))
}

// open writes v, an object with members, without its closing brace.
func (o *writer) open(v any) {
	text, err := marshal(v)
	o.fail(err)
	o.text(string(bytes.TrimSuffix(text, []byte("}"))))
}

// marshal leaves <, > and & as they are: what people wrote stays readable.
func marshal(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}
