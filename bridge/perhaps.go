package bridge

import (
	"errors"
	"strconv"

	"github.com/spreekkamer/spreekkamer/store"
)

// The answer of a system can be lost, and then it may have what we know nothing of. What it may have is
// never said not to be in the record; what it certainly has not is never said to be there.

// A perhaps is an error of a try that may have put something in a record all the same.
type perhaps struct{ error }

func (p perhaps) Unwrap() error { return p.error }

// inVain begins what is noted with an effect of which every try, up to a number, was certainly in vain.
// While it is tried once more, and when we die then, the number no longer is that of its tries.
const inVain = "in vain "

func vain(attempt int) string { return inVain + strconv.Itoa(attempt) }

// outcomeOf is what is noted with an effect that is to be tried again; nil: nothing was tried.
func outcomeOf(e store.Effect, err error) string {
	if p := (perhaps{}); errors.As(err, &p) || e.Attempt > 1 && e.Error != vain(e.Attempt-1) {
		return "failed"
	}
	return vain(e.Attempt)
}

// mayBeThere says that a system has what an effect files, or may have it.
func mayBeThere(e store.Effect) bool {
	tried := e.State == store.EffectQueued && e.Attempt > 0 && e.Error != vain(e.Attempt)
	return e.Lane != keptLane && (e.State == store.EffectDone || tried)
}
