package bridge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// What the practice writes in its own system reaches the patient (requirement E4). answers.go
// asks the system and keeps what it gives; answer.go shows it.

const (
	askEvery  = 30 * time.Second
	askAlarm  = 15 * time.Minute // of failing
	maxPages  = 100              // asked at once; then others get a turn
	inAnswers = "answers "
	inStates  = "states "

	answerAct = "answer"
	stateAct  = "state"
)

// runAnswers asks one system from time to time, and when it knocks.
func (b *Bridge) runAnswers(ctx context.Context, lane string, system System) error {
	a, answers := system.Connector.(his.Answerer)
	_, tracks := system.Connector.(his.Tracker)
	var woken <-chan struct{}
	if answers {
		woken = a.Woken()
	}
	for answers || tracks {
		err := b.askSystem(ctx, lane, system.Connector)
		if errors.Is(err, store.ErrTakenOver) {
			return err
		}
		timer := time.NewTimer(max(cmp.Or(system.AskEvery, askEvery), b.paused(lane)))
		select {
		case <-ctx.Done():
		case <-woken:
		case <-timer.C:
		}
		if timer.Stop(); ctx.Err() != nil {
			return nil // stopped
		}
	}
	return nil
}

// askSystem asks a system once for all that it can tell, unless it wants to be left alone. Trouble
// that lasts is an alarm.
func (b *Bridge) askSystem(ctx context.Context, lane string, c his.Connector) (err error) {
	if b.paused(lane) > 0 {
		return nil
	}
	if a, can := c.(his.Answerer); can {
		err = b.askAnswers(ctx, lane, a)
	}
	behind := errors.Is(err, his.ErrBehind) && his.RetryAfter(err) == 0
	if tracker, can := c.(his.Tracker); can && (err == nil || behind) {
		err = errors.Join(err, b.askStates(ctx, lane, tracker, behind))
	}
	switch {
	case err == nil:
		b.asking.over(lane)
	case ctx.Err() == nil:
		b.leaveAlone(lane, err)
		b.asking.failed(lane, b.Now())
		b.Log.Warn().Err(err).Str("system", lane).Msg("Asking for answers failed, will be tried again")
	}
	return err
}

// unasked are the systems that could not be asked for long. A new start begins to count anew.
func (b *Bridge) unasked(context.Context) (all []store.Trouble, err error) {
	for _, p := range b.Practices {
		for _, lane := range slices.Sorted(maps.Keys(p.systems())) {
			if t, failing := b.asking.of(lane); failing && b.waited(t.since) >= askAlarm {
				all = append(all, store.Trouble{Practice: p.ID, Count: 1, Since: t.since})
			}
		}
	}
	return all, nil
}

// askAnswers keeps every answer that is new, each page with its cursor in one transaction. That some
// have to wait is an error once the others are kept.
func (b *Bridge) askAnswers(ctx context.Context, lane string, a his.Answerer) error {
	var behind error
	err := b.ask(ctx, inAnswers+lane, func(ctx context.Context, since string) (func(context.Context) error, string, error) {
		page, next, err := a.Answers(ctx, since)
		if behind = nil; errors.Is(err, his.ErrBehind) {
			behind, err = err, nil
		}
		if err == nil {
			page, err = b.inLists(ctx, lane, page)
		}
		if err != nil {
			return nil, "", err
		}
		var fresh, changed []answer
		for _, one := range page {
			row, known, err := b.Store.Answer(ctx, one.ID.String())
			if err != nil {
				return nil, "", err
			}
			if known {
				if is, err := b.isChanged(ctx, row, one); err != nil {
					return nil, "", err
				} else if is {
					changed = append(changed, headOf(one))
				}
				continue
			}
			read, err := b.readAnswer(one)
			if err != nil {
				return nil, "", err
			}
			fresh = append(fresh, read)
		}
		return func(ctx context.Context) error {
			for _, one := range fresh {
				if err := b.keepAnswer(ctx, lane, one); err != nil {
					return err
				}
			}
			for _, one := range changed {
				if err := b.tellChanged(ctx, one); err != nil {
					return err
				}
			}
			return nil
		}, next, nil
	})
	return cmp.Or(err, behind)
}

// ask reads something page by page. The cursor is kept together with what the page said.
func (b *Bridge) ask(ctx context.Context, name string, read func(context.Context, string) (keep func(context.Context) error, next string, err error)) error {
	for range maxPages {
		since, err := b.Store.Cursor(ctx, name)
		if err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, filingLimit)
		keep, next, err := read(limited, since)
		cancel()
		if err != nil {
			return err
		}
		err = b.Store.Transact(ctx, func(ctx context.Context) error {
			if err := keep(ctx); err != nil || next == since {
				return err
			}
			return b.Store.SetCursor(ctx, name, next)
		})
		if err != nil || next == since {
			b.Wake()
			return err
		}
	}
	b.Wake()
	return nil
}

// keepAnswer seals an answer and puts it in the queue of whom it is for; or says at once that it
// cannot be passed on.
func (b *Bridge) keepAnswer(ctx context.Context, lane string, a answer) error {
	if _, twice, err := b.Store.Answer(ctx, a.ID); err != nil || twice { // in one page
		return err
	}
	c, known, err := b.conversationOf(ctx, a)
	if err != nil {
		return err
	}
	if known && b.isReadIn(lane, c) {
		return nil
	}
	row := store.Answer{ID: a.ID, Lane: lane, Reference: a.Reference, State: store.AnswerReceived, At: b.Now()}
	_, practice, _ := strings.Cut(lane, ":")
	if known = known && c.Practice == practice; known {
		row.Person, row.Conversation = c.Person, c.ID
	}
	person, _, err := b.Store.Person(ctx, row.Person)
	if err != nil {
		return err
	}
	why, err := b.notFor(ctx, lane, c, person, a)
	if err != nil {
		return err
	}
	if why = cmp.Or(a.Problem, why); why != "" {
		row.State = store.AnswerFailed
		if err := b.Store.AddAnswer(ctx, row, nil); err != nil {
			return err
		}
		return b.notPassedOn(ctx, row, b.whyNot(why, practice))
	}
	says, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := errors.Join(b.Store.AddAnswer(ctx, row, says), b.Store.SavePrint(ctx, row.ID, a.Print)); err != nil {
		return err
	}
	if err := b.report(ctx, row, his.DeliveryReceived, ""); err != nil {
		return err
	}
	return b.addAct(ctx, person, act{Command: answerAct, Answer: a.ID}, "answer:"+a.ID)
}

// notFor is why an answer of a system is not for the patient, as the key of a text; "" = it is.
func (b *Bridge) notFor(ctx context.Context, lane string, c care.Conversation, person care.Person, a answer) (string, error) {
	if person.ID == "" {
		return "answer.unknown", nil
	}
	if _, name := b.systemOf(c); systemLane(name, c.Practice) != lane {
		return "answer.elsewhere", nil // that system has been told that it does not belong there
	}
	words := []string{a.Text, a.Name, a.Role}
	for _, f := range a.Files {
		words = append(words, f.Name)
	}
	if slices.ContainsFunc(words, care.ContainsBSN) {
		return "answer.bsn", nil
	}
	if a.For == nil {
		return "", nil
	}
	return b.notWhose(ctx, c, person, *a.For)
}

// notWhose is why a patient who was named with an answer is not one of its conversation, as the
// key of a text; "" = it is the account holder, or the Derde whose record the conversation is in.
func (b *Bridge) notWhose(ctx context.Context, c care.Conversation, person care.Person, w his.Whose) (string, error) {
	d, named, err := b.derdeOf(ctx, c)
	if err != nil {
		return "", err
	}
	if isWhose(w, person.Identity.PatientNumber, person.Answers.BirthDate) ||
		named && isWhose(w, d.Identity.PatientNumber, d.BirthDate) {
		return "", nil
	}
	return "answer.other_patient", nil
}

// isWhose says that all that is named is right, and that something is.
func isWhose(w his.Whose, number string, born care.Date) bool {
	return w != his.Whose{} &&
		(w.Number == "" || strings.EqualFold(w.Number, oneLine(number))) &&
		(w.Born.IsZero() || care.DateOf(w.Born) == born)
}

// addAct puts something that comes from elsewhere in the queue of a person.
func (b *Bridge) addAct(ctx context.Context, person care.Person, a act, key string) error {
	a.Person = person.ID
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return b.Store.AddAct(ctx, store.QueueOf(person.UserID), string(text), key, b.Now())
}

// conversationOf finds the conversation that an answer names.
func (b *Bridge) conversationOf(ctx context.Context, a answer) (care.Conversation, bool, error) {
	if a.In != uuid.Nil {
		return b.Store.Conversation(ctx, a.In.String())
	}
	return b.Store.ConversationByNumber(ctx, a.Number)
}

// report makes the effect that tells the system what became of an answer. why holds no personal
// data: it is what we say, or what the system said itself.
func (b *Bridge) report(ctx context.Context, a store.Answer, how his.Delivery, why string) error {
	e := job("report", "report:"+a.ID, body{Answer: a.ID, Delivery: how, Words: why})
	e.Lane, e.Person, e.Conversation = a.Lane, a.Person, a.Conversation
	return b.add(ctx, e)
}

func (b *Bridge) deliverReport(ctx context.Context, t task) (done delivery, err error) {
	a, known, err := b.Store.Answer(ctx, t.body.Answer)
	if err != nil {
		return done, err
	}
	system, err := b.systemIn(t.Lane)
	if err != nil {
		return done, err
	}
	answerer, can := system.Connector.(his.Answerer)
	if !known || !can {
		return delivery{dropped: "nobody to tell"}, nil
	}
	limited, cancel := context.WithTimeout(ctx, filingLimit)
	defer cancel()
	named, err := uuid.Parse(a.ID)
	if err != nil {
		return done, refused("answer %s has no UUID", a.ID)
	}
	err = answerer.Report(limited, his.Report{Answer: named, Reference: a.Reference, Delivery: t.body.Delivery, At: t.CreatedAt.In(b.Zone), Reason: t.body.Words})
	if errors.Is(err, his.ErrRefused) {
		return delivery{dropped: "the system takes no report"}, nil
	}
	return done, err
}

// notPassedOn tells the system and staff that an answer does not reach the patient.
func (b *Bridge) notPassedOn(ctx context.Context, a store.Answer, why string) error {
	return b.tellOfAnswer(ctx, a, "answer.not_passed_on", why)
}

func (b *Bridge) tellOfAnswer(ctx context.Context, a store.Answer, text, why string) error {
	return errors.Join(b.add(ctx, aboutAnswer(a, text, why)), b.report(ctx, a, his.DeliveryFailed, why))
}

// aboutAnswer tells staff something of an answer.
func aboutAnswer(a store.Answer, text, why string) store.Effect {
	_, practice, _ := strings.Cut(a.Lane, ":")
	told := job("tell", balie(practice), body{Text: text, Practice: practice, Words: why})
	told.Person, told.Conversation = a.Person, a.Conversation
	return told
}
