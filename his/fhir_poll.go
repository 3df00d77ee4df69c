package his

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/spreekkamer/spreekkamer/his/rest"
)

// firstLook is how far back the very first look goes: a chat is never older.
const firstLook = 31 * 24 * time.Hour

// overlap is how much is read again: what is written later may have been given an earlier
// time, when its transaction began.
const overlap = 30 * time.Second

// pageSize is how many resources are asked for at once.
const pageSize = "50"

// changed gives the resources of a type that were changed since the cursor, oldest first,
// and the next cursor: the time of the last one. What was read a moment ago comes again; who
// reads goes by ids. The cursor is never in the future: the clock of a server that was ahead will
// be set right, and what it has then comes behind it.
func (s *fhirServer) changed(ctx context.Context, kind, since string, each func(stored) error) (next string, err error) {
	now := time.Now()
	if since == "" {
		since = now.Add(-firstLook).UTC().Format(time.RFC3339)
	}
	at, bad := time.Parse(time.RFC3339Nano, since)
	if bad != nil {
		return "", errors.New("a cursor that is not ours")
	}
	if at.After(now) {
		at, since = now, now.UTC().Format(time.RFC3339)
	}
	next, since = since, at.Add(-overlap).UTC().Format(time.RFC3339)
	var failed error
	take := func(raw json.RawMessage) bool {
		r, ok := readStored(kind, raw)
		if !ok {
			return true
		}
		if failed = each(r); failed != nil {
			return false
		}
		if updated := r.updated(); !isAfter(updated, now) {
			next = later(next, updated)
		}
		return true
	}
	form := url.Values{"_lastUpdated": {"ge" + since}, "_sort": {"_lastUpdated"}, "_count": {pageSize}}
	err = s.client.Search(ctx, kind, form, take)
	if errors.Is(err, rest.CodeInvalid) { // it cannot search by that
		err = s.history(ctx, kind, since, take)
	}
	if err = errors.Join(failed, err); err != nil {
		return "", fmt.Errorf("read what is new (%s): %w", kind, err)
	}
	return next, nil
}

// history comes newest first, and every version of a thing; only the newest counts.
func (s *fhirServer) history(ctx context.Context, kind, since string, take func(json.RawMessage) bool) error {
	seen := map[string]bool{}
	var all []json.RawMessage
	err := s.client.History(ctx, kind, since, func(raw json.RawMessage) bool {
		if r, ok := readStored(kind, raw); ok && !seen[r.id] {
			seen[r.id] = true
			all = append(all, raw)
		}
		return true
	})
	for i := len(all) - 1; i >= 0 && err == nil; i-- {
		if !take(all[i]) {
			return nil
		}
	}
	return err
}

// ofOne says that an error is about the one resource that was asked for, and stays: who goes
// over a page passes it by, or nothing behind it would ever be read.
func ofOne(err error) bool {
	return err != nil && !errors.Is(err, rest.ErrLogin) && slices.ContainsFunc([]rest.Code{
		rest.CodeInvalid, rest.CodeTooLarge, rest.CodeDouble, rest.CodeLogin, rest.CodeMissing, rest.CodeNotFHIR, rest.CodeElsewhere,
	}, func(code rest.Code) bool { return errors.Is(err, code) })
}

func (r stored) updated() string {
	var meta resourceMeta
	if json.Unmarshal(r.content["meta"], &meta) != nil || len(meta.LastUpdated) > longestMoment {
		return ""
	}
	return meta.LastUpdated
}

func isAfter(moment string, now time.Time) bool {
	at, err := time.Parse(time.RFC3339Nano, moment)
	return err == nil && at.After(now)
}

// later compares moments, not texts: zones and fractions differ.
func later(a, b string) string {
	atA, errA := time.Parse(time.RFC3339Nano, a)
	atB, errB := time.Parse(time.RFC3339Nano, b)
	if errB != nil || errA == nil && !atB.After(atA) {
		return a
	}
	return b
}

// read fills in a struct from the resource.
func (r stored) read(into any) bool {
	text, err := json.Marshal(r.content)
	return err == nil && json.Unmarshal(text, into) == nil
}

// put writes a changed resource back, unless somebody else changed it in between: then it is
// for the next try.
func (s *fhirServer) put(ctx context.Context, r stored, elements map[string]any) error {
	header := map[string]string{"Prefer": "return=minimal"}
	if match := etag(r.version); match != "" {
		header["If-Match"] = match
	}
	_, err := s.client.Do(ctx, rest.Request{Method: "PUT", Path: r.reference(), Header: header, Body: rest.JSON(r.with(elements))})
	var answered *rest.Error
	if errors.As(err, &answered) && (answered.Status == 412 || answered.Status == 409) {
		return errOvertaken
	}
	return err
}

func (s *fhirServer) stored(ctx context.Context, reference string) (stored, error) {
	path, ok := s.client.Relative(reference)
	if !ok {
		return stored{}, rest.CodeElsewhere
	}
	var raw json.RawMessage
	if err := s.askFor(ctx, path, &raw); err != nil {
		return stored{}, err
	}
	r, ok := readStored(typeOfPath(path), raw)
	if !ok {
		return stored{}, rest.CodeNotFHIR
	}
	return r, nil
}
