package his

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// outcomes is what a server made of each entry of a transaction.
type outcomes struct {
	ResourceType string `json:"resourceType"`
	Entry        []struct {
		Response struct {
			Status   string          `json:"status"`
			Location string          `json:"location"`
			ETag     string          `json:"etag"`
			Outcome  json.RawMessage `json:"outcome"`
		} `json:"response"`
	} `json:"entry"`
}

// transact posts the Bundle. A success that does not tell of every entry is no answer: what
// became of it is unknown.
func (s *fhirServer) transact(ctx context.Context, b fhir.Bundle, _ *capabilities) (Receipt, error) {
	size, err := b.Size()
	if err != nil {
		return Receipt{}, err
	}
	answer, err := s.client.Do(ctx, rest.Request{
		Method: http.MethodPost, Header: map[string]string{"Prefer": "return=minimal"}, Body: rest.Body{Size: size, Write: buffered(ctx, b.Write)},
	})
	if err != nil {
		certain := rest.Untaken(err)
		if err = s.overtaken(ctx, b, err); certain {
			err = untaken{err}
		}
		return Receipt{}, err
	}
	var o outcomes
	if err := decode(answer.Body, &o); err != nil {
		return Receipt{}, err
	}
	if o.ResourceType != "Bundle" || len(o.Entry) != len(b.Entry) {
		return Receipt{}, &rest.Error{Status: answer.Status, Code: rest.CodeNotFHIR}
	}
	var receipt Receipt
	for i, e := range o.Entry {
		if !strings.HasPrefix(e.Response.Status, "2") {
			err := rest.EntryError(e.Response.Status, e.Response.Outcome)
			if b.Entry[i].Request.IfMatch != "" && err.Code == rest.CodeDouble {
				return Receipt{}, errOvertaken
			}
			return Receipt{}, err
		}
		receipt.note(b, i, filedAt{
			reference: s.reference(e.Response.Location, e.Response.ETag), made: !strings.HasPrefix(e.Response.Status, "200"),
		})
	}
	return receipt, nil
}

func buffered(ctx context.Context, write func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		out := bufio.NewWriterSize(&untilDoneWriter{ctx, w}, 64<<10)
		if err := write(out); err != nil {
			return err
		}
		return out.Flush()
	}
}

// filedAt is where one resource is, and whether it was made or changed just now.
type filedAt struct {
	reference string // with its version when the server told one
	made      bool
}

// note takes what a Receipt is about from the outcome of one entry. Without a Provenance the
// main resource tells whether the item was there.
func (r *Receipt) note(b fhir.Bundle, i int, at filedAt) {
	kinds := func(e fhir.Entry) bool { return e.Resource.Kind() == "Provenance" }
	if b.Entry[i].FullURL == b.Main {
		r.Reference = at.reference
		if !slices.ContainsFunc(b.Entry, kinds) {
			r.Already = !at.made
		}
	}
	if kinds(b.Entry[i]) {
		r.Already = !at.made
	}
}

// reference makes one form of what servers write in several.
func (s *fhirServer) reference(location, etag string) string {
	path, ok := s.client.Relative(location)
	if !ok {
		return ""
	}
	_, version, _ := strings.Cut(location, "/_history/")
	if version == "" {
		version = strings.Trim(strings.TrimPrefix(etag, "W/"), `"`)
	}
	return versioned(path, version)
}

// oneByOne files the Bundle's resources each by itself, what is referred to first and the
// Provenance last: until it is there the item is not, and the next try goes on.
func (s *fhirServer) oneByOne(ctx context.Context, b fhir.Bundle, can *capabilities) (receipt Receipt, err error) {
	known := map[string]string{}
	for _, i := range inOrder(b.Entry) {
		e := b.Entry[i]
		e.Known = known
		at, err := s.one(ctx, e, can)
		if err != nil {
			return Receipt{}, err
		}
		bare, _, _ := strings.Cut(at.reference, "/_history/")
		known[e.FullURL] = bare
		receipt.note(b, i, at)
	}
	return receipt, nil
}

// inOrder puts each entry after those it refers to.
func inOrder(entries []fhir.Entry) (order []int) {
	left := map[string]bool{}
	for _, e := range entries {
		left[e.FullURL] = true
	}
	placed := make([]bool, len(entries))
	place := func(i int) {
		order, placed[i] = append(order, i), true
		delete(left, entries[i].FullURL)
	}
	ready := func(e fhir.Entry) bool {
		return e.Resource.Kind() != "Provenance" && !slices.ContainsFunc(e.References(), func(r string) bool { return left[r] })
	}
	for progress := true; progress; {
		progress = false
		for i, e := range entries {
			if !placed[i] && ready(e) {
				place(i)
				progress = true
			}
		}
	}
	for i := range entries { // the Provenance
		if !placed[i] {
			place(i)
		}
	}
	return order
}

// one files one resource. Where the server cannot make it only if it is not there, we ask
// first; the caller's lock keeps others of ours away, and we look again afterwards.
func (s *fhirServer) one(ctx context.Context, e fhir.Entry, can *capabilities) (filedAt, error) {
	kind := e.Resource.Kind()
	target, query, conditional := strings.Cut(e.Request.URL, "?")
	if e.Request.IfNoneExist != "" {
		query = e.Request.IfNoneExist
	}
	a, _ := can.of(kind)
	switch {
	case e.Request.Method == http.MethodPut && !conditional:
		return s.write(ctx, e, target, e.Request.IfMatch, nil)
	case e.Request.Method == http.MethodPost && a.create:
		return s.write(ctx, e, kind, "", map[string]string{"If-None-Exist": query})
	}
	found, version, err := s.only(ctx, kind, query)
	switch {
	case err != nil:
		return filedAt{}, err
	case found == "":
		return s.create(ctx, e, query)
	case e.Request.Method == http.MethodPost:
		return filedAt{reference: versioned(found, version)}, nil
	default:
		_, e.ID, _ = strings.Cut(found, "/")
		return s.write(ctx, e, found, etag(version), nil)
	}
}

func (s *fhirServer) create(ctx context.Context, e fhir.Entry, query string) (filedAt, error) {
	kind := e.Resource.Kind()
	if _, err := s.write(ctx, e, kind, "", nil); err != nil {
		return filedAt{}, err
	}
	found, version, err := s.only(ctx, kind, query)
	if err == nil && found == "" {
		err = &rest.Error{Status: http.StatusOK, Code: rest.CodeBroken}
	}
	return filedAt{versioned(found, version), true}, err
}

// only finds the one resource that a query means, or none. More than one is an error: which
// of them the record is, only a person can say.
func (s *fhirServer) only(ctx context.Context, kind, query string) (reference, version string, err error) {
	form, err := url.ParseQuery(query)
	if err != nil {
		return "", "", err
	}
	count := 0
	err = s.client.Search(ctx, kind, form, func(raw json.RawMessage) bool {
		var r struct {
			ID   string
			Meta resourceMeta
		}
		if json.Unmarshal(raw, &r) == nil && r.ID != "" {
			count++
			reference, version = kind+"/"+r.ID, r.Meta.VersionID
		}
		return count < 2
	})
	if err == nil && count > 1 || errors.Is(err, rest.ErrMore) {
		err = &rest.Error{Status: http.StatusPreconditionFailed, Code: rest.CodeDouble, Where: kind}
	}
	return reference, version, err
}

func etag(version string) string {
	if version == "" {
		return ""
	}
	return `W/"` + version + `"`
}

// write sends one resource to Type or Type/id.
func (s *fhirServer) write(ctx context.Context, e fhir.Entry, path, match string, header map[string]string) (filedAt, error) {
	size, err := e.Size()
	if err != nil {
		return filedAt{}, err
	}
	method := http.MethodPost
	if strings.Contains(path, "/") {
		method = http.MethodPut
	}
	all := map[string]string{"Prefer": "return=minimal"}
	for name, value := range header {
		all[name] = value
	}
	if match != "" {
		all["If-Match"] = match
	}
	answer, err := s.client.Do(ctx, rest.Request{
		Method: method, Path: path, Header: all, Body: rest.Body{Size: size, Write: buffered(ctx, e.WriteResource)},
	})
	if match != "" && errors.Is(err, rest.CodeDouble) { // 412: what was matched has another version
		return filedAt{}, errOvertaken
	}
	if err != nil {
		return filedAt{}, err
	}
	at := filedAt{s.reference(answer.Header.Get("Location"), answer.Header.Get("ETag")), answer.Status == http.StatusCreated}
	if at.reference == "" && method == http.MethodPut {
		at.reference = versioned(path, strings.Trim(strings.TrimPrefix(answer.Header.Get("ETag"), "W/"), `"`))
	}
	if at.reference == "" && header != nil { // some tell no address when it was there
		reference, version, err := s.only(ctx, path, header["If-None-Exist"])
		return filedAt{versioned(reference, version), at.made}, err
	}
	return at, nil
}
