package his

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// A server may fail at one answer, time and again, while all else is well. Then that one is held: it
// is noted in the cursor, by its address, and asked for again each time. What comes after it in the
// same patient's record waits behind it for an hour at most; everybody else's answers go on. After
// three days staff hear that it cannot be read.

const (
	mostHeld    = 50               // no more is read while so many wait: the server is not well
	longestWait = time.Hour        // of what comes after what is held, in the same record
	longestHeld = 72 * time.Hour   // then it is for staff
	oneAnswer   = 10 * time.Second // for reading one for the first time, with its files; half of it after each that took longer
	atLeast     = time.Second      // of that
	allAgain    = 45 * time.Second // for trying those again that are held: the first may take it all
	onceMore    = 10 * time.Second // for those that were held just now
	longestTold = 14 * 24 * time.Hour
	longestRef  = 200 // bytes of an address
)

// errFull ends a look: nothing more can be held.
var errFull = errors.New("too many answers cannot be read")

// A heldAnswer is a resource that may be an answer, and could not be read or waits behind one.
type heldAnswer struct {
	Ref   string `json:"ref"`            // Communication/12, Task/3
	Of    string `json:"of"`             // whose record it is in: made of the address, which may be a number of the patient
	Since int64  `json:"since"`          // Unix seconds
	Told  bool   `json:"told,omitempty"` // staff know: it is only here so that it is not read as new
}

func (h heldAnswer) longer(than time.Duration) bool { return time.Since(time.Unix(h.Since, 0)) > than }

// holding is what is held while answers are read.
type holding struct {
	s       *fhirServer
	held    []heldAnswer
	answers []Answer
	over    []string      // that was held, and is no more
	first   time.Duration // for reading one for the first time
}

func (s *fhirServer) holding(held []heldAnswer) *holding {
	held = slices.DeleteFunc(slices.Clone(held), func(one heldAnswer) bool { return one.Told && one.longer(longestTold) })
	return &holding{s: s, held: held, first: oneAnswer}
}

// A reading makes answers of a resource; none when it is none.
type reading func(ctx context.Context, r stored) ([]Answer, error)

// readOn reads what is new of a type. At an error it is read from the same place again; what it gave
// comes again too.
func (h *holding) readOn(ctx context.Context, kind string, at *string) error {
	next, err := h.s.changed(ctx, kind, *at, h.each(ctx, h.s.readings()[kind]))
	if err == nil {
		*at = next
	}
	return err
}

// each reads one resource after the other for changed.
func (h *holding) each(ctx context.Context, read reading) func(stored) error {
	return func(r stored) error {
		if h.has(r.reference()) { // its newest version is read when it is asked for again
			return nil
		}
		found, err := h.read(ctx, r, read)
		of := h.s.whose(r)
		switch {
		case err != nil && (of == "" || !h.s.holdable(r) || !h.s.failsAt(ctx, err)):
			return err
		case err == nil && (len(found) == 0 || !h.mustWait(of, len(h.held))):
			h.add(r.reference(), found)
			return nil
		case h.waiting() >= mostHeld:
			return errFull
		}
		h.held = append(h.held, heldAnswer{Ref: r.reference(), Of: of, Since: time.Now().Unix()})
		return nil
	}
}

// read reads one for the first time. Several that hang must not take all the time there is.
func (h *holding) read(ctx context.Context, r stored, read reading) ([]Answer, error) {
	limited, cancel := context.WithTimeout(ctx, h.first)
	defer cancel()
	found, err := read(limited, r)
	if limited.Err() != nil {
		h.first = max(h.first/2, atLeast)
	}
	return found, err
}

// add takes the answers of a resource. Of one that changes while its page is read, and comes once more,
// only the last list counts.
func (h *holding) add(ref string, found []Answer) {
	h.answers = append(slices.DeleteFunc(h.answers, inList(ref)), found...)
}

func (h *holding) has(ref string) bool {
	return slices.Contains(h.over, ref) || slices.ContainsFunc(h.held, func(held heldAnswer) bool { return held.Ref == ref })
}

// waiting is how much of what is held is still asked for.
func (h *holding) waiting() (n int) {
	for _, one := range h.held {
		if !one.Told {
			n++
		}
	}
	return n
}

// mustWait says that something in a record is held, and not over, that the one at n would overtake;
// in whose record an answer is may not be known.
func (h *holding) mustWait(of string, n int) bool {
	return slices.ContainsFunc(h.held[:n], func(before heldAnswer) bool {
		same := before.Of == of || before.Of == "" || of == ""
		return same && !before.Told && !before.longer(longestWait) && !slices.Contains(h.over, before.Ref)
	})
}

// again tries what is held, as long as something of it can be read. It begins elsewhere each time, so
// that a few slow ones are not all that is ever tried; in one record the order stays.
func (h *holding) again(ctx context.Context, within time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	begin := h.s.turn()
	for before := -1; before != len(h.over) && limited.Err() == nil; {
		before = len(h.over)
		if err := h.round(ctx, limited, begin); err != nil {
			return err
		}
		h.held = slices.DeleteFunc(h.held, func(one heldAnswer) bool { return slices.Contains(h.over, one.Ref) })
	}
	return nil
}

// round tries each of what is held once, until the time is over.
func (h *holding) round(ctx, limited context.Context, begin int) error {
	for i := range h.held {
		n := (begin + i) % len(h.held)
		one := h.held[n]
		if one.Told || h.mustWait(one.Of, n) {
			continue
		}
		found, err := h.readAgain(limited, one)
		switch {
		case err == nil:
			h.add(one.Ref, found)
			h.over = append(h.over, one.Ref)
		case limited.Err() != nil:
			return ctx.Err()
		case !ofOne(err) && !h.s.failsAt(ctx, err):
			return err
		case one.longer(longestHeld):
			h.answers, h.held[n].Told = append(h.answers, h.s.unreadable(one)), true
		}
	}
	return nil
}

// readAgain reads what is held as it is now. What is gone is over.
func (h *holding) readAgain(ctx context.Context, one heldAnswer) (found []Answer, err error) {
	r, err := h.s.stored(ctx, one.Ref)
	if errors.Is(err, rest.CodeMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return h.s.readings()[r.kind](ctx, r)
}

// unreadable is for staff, and for whoever wrote it.
func (s *fhirServer) unreadable(one heldAnswer) Answer {
	return Answer{
		ID: derive(namespace, "answer", s.client.Base(), one.Ref), Reference: one.Ref, Written: time.Unix(one.Since, 0),
		Problem: ProblemUnreadable,
	}
}

// behind is the error that comes with answers while some are held, or could not be asked for.
func (h *holding) behind(err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrBehind, err)
	case h.waiting() > 0:
		return fmt.Errorf("the FHIR server fails at %d of its resources: %w", h.waiting(), ErrBehind)
	}
	return nil
}

// readings are how answers are read, by the type that they are in.
func (s *fhirServer) readings() map[string]reading {
	return map[string]reading{
		"Communication": func(ctx context.Context, r stored) ([]Answer, error) {
			a, is, err := s.answer(ctx, r)
			if err != nil || !is {
				return nil, err
			}
			return []Answer{a}, nil
		},
		"Task": s.outputs,
	}
}

// whose tells one patient's record from another's; "" when it is not said whose something is.
func (s *fhirServer) whose(r stored) string {
	for _, element := range []string{"subject", "for"} { // of a Communication, of a Task
		var ref fhir.Reference
		if json.Unmarshal(r.content[element], &ref) == nil {
			if path, ok := s.client.Relative(ref.Reference); ok && path != "" {
				return derive(namespace, "record", s.client.Base(), path).String()
			}
		}
	}
	return ""
}

// holdable says that something can be asked for again by its address.
func (s *fhirServer) holdable(r stored) bool {
	path, ok := s.client.Relative(r.reference())
	return ok && path == r.reference() && len(path) <= longestRef
}

// failsAt says that an error is the server's failing at what was asked, while it is there for others:
// it is not away, not busy, and has not shut us out.
func (s *fhirServer) failsAt(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var answered *rest.Error
	if errors.As(err, &answered) && (answered.Code != rest.CodeBroken || !answered.Strange) {
		return answered.Code == rest.CodeBroken
	}
	return s.answers(ctx)
}

// turn counts the looks for answers.
func (s *fhirServer) turn() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	return s.looks
}
