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
// same patient's record waits behind it; everybody else's answers go on. When the server fails at
// everything the cursor stays where it was, and nothing is held.

const (
	mostHeld  = 50               // more is a server that is not well
	oneAnswer = 10 * time.Second // for reading one of them, with its files
	aLook     = 20 * time.Second // for reading what is new: then what was read is given
	allAgain  = 15 * time.Second // for trying those again that are held
)

// errEnough ends a look that has taken long: the next one goes on from there.
var errEnough = errors.New("it takes long")

// A heldAnswer is a resource that may be an answer, and could not be read or waits behind one.
type heldAnswer struct {
	Ref string `json:"ref"` // Communication/12, Task/3
	Of  string `json:"of"`  // whose record it is in: Patient/7
}

// holding is what is held while answers are read.
type holding struct {
	s       *fhirServer
	held    []heldAnswer
	answers []Answer
	enough  time.Time // when to end the look
}

func (s *fhirServer) holding(held []heldAnswer) *holding {
	return &holding{s: s, held: slices.Clone(held), enough: time.Now().Add(aLook)}
}

// A reading makes answers of a resource; none when it is none.
type reading func(ctx context.Context, r stored) ([]Answer, error)

// each reads one resource after the other for changed.
func (h *holding) each(ctx context.Context, read reading) func(stored) error {
	return func(r stored) error {
		if h.has(r.reference()) { // its newest version is read when it is asked for again
			return nil
		}
		if time.Now().After(h.enough) {
			return errEnough
		}
		found, err := h.read(ctx, r, read)
		of := h.s.whose(r)
		switch {
		case err != nil && (of == "" || len(h.held) >= mostHeld || !h.s.failsAt(ctx, err)):
			return err
		case err != nil || len(found) > 0 && h.mustWait(of, len(h.held)):
			if len(h.held) >= mostHeld {
				return errors.New("too many answers cannot be read")
			}
			h.held = append(h.held, heldAnswer{r.reference(), of})
		default:
			h.answers = append(h.answers, found...)
		}
		return nil
	}
}

func (h *holding) read(ctx context.Context, r stored, read reading) ([]Answer, error) {
	limited, cancel := context.WithTimeout(ctx, oneAnswer)
	defer cancel()
	return read(limited, r)
}

func (h *holding) has(ref string) bool {
	return slices.ContainsFunc(h.held, func(held heldAnswer) bool { return held.Ref == ref })
}

// mustWait says that something in a record is held before the one at n, which would overtake it; in
// whose record an answer is may not be known.
func (h *holding) mustWait(of string, n int) bool {
	return slices.ContainsFunc(h.held[:n], func(held heldAnswer) bool { return of == "" || held.Of == of || held.Of == "" })
}

// again tries what is held, as long as something of it can be read. It begins elsewhere each time, so
// that a few slow ones are not all that is ever tried; in one record the order stays.
func (h *holding) again(ctx context.Context, begin int) error {
	end := time.Now().Add(allAgain)
	for more := true; more && len(h.held) > 0; {
		over, err := h.round(ctx, begin, end)
		if err != nil {
			return err
		}
		more = len(over) > 0
		h.held = slices.DeleteFunc(h.held, func(one heldAnswer) bool { return slices.Contains(over, one.Ref) })
	}
	return nil
}

// round tries each of what is held once, until the time is over.
func (h *holding) round(ctx context.Context, begin int, end time.Time) (over []string, err error) {
	for i := range h.held {
		n := (begin + i) % len(h.held)
		if h.waits(n, over) {
			continue
		}
		if time.Now().After(end) {
			break
		}
		found, err := h.readAgain(ctx, h.held[n])
		switch {
		case err == nil:
			h.answers = append(h.answers, found...)
			over = append(over, h.held[n].Ref)
		case !ofOne(err) && !h.s.failsAt(ctx, err):
			return nil, err
		}
	}
	return over, nil
}

// waits says that something before the one at n, in the same record, is not over.
func (h *holding) waits(n int, over []string) bool {
	return slices.ContainsFunc(h.held[:n], func(before heldAnswer) bool {
		same := before.Of == h.held[n].Of || before.Of == "" || h.held[n].Of == ""
		return same && !slices.Contains(over, before.Ref)
	})
}

// readAgain reads what is held as it is now. What is gone is over.
func (h *holding) readAgain(ctx context.Context, one heldAnswer) (found []Answer, err error) {
	limited, cancel := context.WithTimeout(ctx, oneAnswer)
	defer cancel()
	r, err := h.s.stored(limited, one.Ref)
	if errors.Is(err, rest.CodeMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return h.s.readings()[r.kind](limited, r)
}

// behind is the error that comes with answers while some are held.
func (h *holding) behind() error {
	if len(h.held) == 0 {
		return nil
	}
	return fmt.Errorf("the FHIR server fails at %d of its resources: %w", len(h.held), ErrBehind)
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

// whose is the address of the patient in whose record something is; "" when it does not say.
func (s *fhirServer) whose(r stored) string {
	for _, element := range []string{"subject", "for"} { // of a Communication, of a Task
		var ref fhir.Reference
		if json.Unmarshal(r.content[element], &ref) == nil {
			if path, ok := s.client.Relative(ref.Reference); ok && path != "" {
				return path
			}
		}
	}
	return ""
}

// failsAt says that an error is the server's failing at what was asked, while it is there for others:
// it is not away, not busy, and has not shut us out.
func (s *fhirServer) failsAt(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var answered *rest.Error
	if !errors.As(err, &answered) {
		return errors.Is(err, context.DeadlineExceeded) && s.answers(ctx)
	}
	return answered.Code == rest.CodeBroken && (!answered.Strange || s.answers(ctx))
}

// turn counts the looks for answers.
func (s *fhirServer) turn() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	return s.looks
}
