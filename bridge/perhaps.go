package bridge

import (
	"errors"

	"github.com/spreekkamer/spreekkamer/store"
)

// The answer of a system can be lost, and then it may have what we know nothing of. What it may have is
// never said not to be in the record; what it certainly has not is never said to be there.

// A perhaps is an error of a try that may have put something in a record all the same.
type perhaps struct{ error }

func (p perhaps) Unwrap() error { return p.error }

// vainOf is up to which try of an effect every one was certainly in vain, now that one more ended with err;
// nil: nothing was tried. One that was cut short, since we died, is not among them.
func vainOf(e store.Effect, err error) int {
	if p := (perhaps{}); errors.As(err, &p) || e.Vain != e.Attempt-1 {
		return e.Vain
	}
	return e.Attempt
}

// mayBeThere says that a system has what an effect files, or may have it; what staff took out (mistaken.go)
// does not count.
func mayBeThere(e store.Effect) bool {
	return e.Lane != keptLane && !store.IsTakenOut(e) && (e.State == store.EffectDone || e.Attempt > e.Vain)
}
