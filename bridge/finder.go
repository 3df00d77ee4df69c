package bridge

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
)

// find asks the system of the lane. What it cannot say, now or ever, staff have to know: they can
// look themselves.
func (b *Bridge) find(ctx context.Context, t task, person care.Person, what entry) (f lookup, err error) {
	f.bsn, f.number = what.bsn, what.number
	system, err := b.systemIn(t.Lane)
	if err != nil {
		return f, err
	}
	finder, can := system.Connector.(his.Finder)
	if !can {
		f.away = "find.refused"
		return f, nil
	}
	q := his.PatientQuery{BSN: what.bsn, Number: what.number}
	if q.BSN == "" && q.Number == "" {
		q = his.PatientQuery{LastName: person.Answers.LastName, BirthDate: b.day(person.Answers.BirthDate)}
	}
	filing := systemLane(hisName, t.body.Practice) // which may have heard that it wants to be left alone
	pause := b.paused(filing)
	if pause == 0 {
		limited, cancel := context.WithTimeout(ctx, findLimit)
		defer cancel()
		f.found, f.more, err = b.patientsOf(limited, finder, q)
		pause = b.leaveAlone(filing, err)
	} else {
		err = errors.New("the system wants to be left alone")
	}
	attempts, long := findAttempts, false
	if t.body.By != "" {
		attempts, long = findForStaff, b.waited(t.CreatedAt) >= findNoLonger
	}
	switch {
	case err == nil:
		return f, nil
	case ctx.Err() != nil: // stopped
		return f, err
	case errors.Is(err, errPanicked): // it would again
		f.away = "find.broken"
	case errors.Is(err, his.ErrRefused):
		f.away = "find.refused"
	case pause > findPatience || t.Attempt >= attempts || long:
		f.away = "find.away"
		if why, _ := his.WhyRefused(err); why == "login" {
			f.away = "find.refused"
		}
	default:
		return f, err
	}
	f.shut = errors.Is(err, his.ErrNoLookUp)
	b.Log.Warn().Err(err).Int64("effect", t.ID).Msg("Looking up a patient failed, staff are told")
	return f, nil
}

// errPanicked is of a connector that broke down while it looked somebody up.
var errPanicked = errors.New("the connector panicked")

// patientsOf asks a connector. One that panics over a patient does so whenever it is asked for them: it is
// not asked for ever, and staff hear of it. What it panics with may hold who was looked for.
func (b *Bridge) patientsOf(ctx context.Context, finder his.Finder, q his.PatientQuery) (found []his.Patient, more bool, err error) {
	defer func() {
		if recover() != nil {
			b.Log.Error().Bytes("stack", debug.Stack()).Msg("Looking up a patient panicked")
			found, more, err = nil, false, errPanicked
		}
	}()
	return finder.Find(ctx, q)
}
