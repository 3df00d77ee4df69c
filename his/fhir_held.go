package his

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/rest"
)

const (
	// mostBroken is after how many resources that a server fails at it is given rest: it is sick, not they.
	mostBroken = 50
	// oldAnswer is for how long an answer that the server fails at is tried. Then staff hear of it, and
	// what comes after it goes on.
	oldAnswer = 24 * time.Hour
)

// heldUp is an error about one answer of a conversation that is known.
type heldUp struct{ error }

func (h heldUp) Unwrap() error { return h.error }

// given are the answers that could be read. One that the server fails at holds back what comes after it
// in the same conversation.
type given struct {
	answers []Answer
	held    map[uuid.UUID]bool // conversations
}

// take adds what was read of a conversation. An error is heldUp if it concerns that conversation only.
func (g *given) take(of uuid.UUID, read []Answer, err error) error {
	switch {
	case err != nil && of != uuid.Nil && failsAtOne(err):
		g.held[of] = true
		return heldUp{err}
	case err != nil || g.held[of]:
		return err
	}
	g.answers = append(g.answers, read...)
	return nil
}

// failsAtOne says that a server answers, and fails at what it was asked for: it may do better with
// something else.
func failsAtOne(err error) bool {
	var answered *rest.Error
	return errors.As(err, &answered) && answered.Status == http.StatusInternalServerError && RetryAfter(err) == 0
}

// isOld says that something has not been changed for longer than it is tried. Without a time it is not.
func isOld(r stored) bool {
	at, err := time.Parse(time.RFC3339Nano, r.updated())
	return err == nil && time.Since(at) > oldAnswer
}

// unreadable makes an answer one for staff, if it is known what it is about.
func (a *Answer) unreadable() bool {
	a.Problem, a.Text, a.Attachments = unreadableAnswer, "", nil
	return a.Conversation != uuid.Nil
}

const unreadableAnswer = "Het antwoord is niet te lezen."

func answersOf(a Answer, is bool) []Answer {
	if !is {
		return nil
	}
	return []Answer{a}
}
