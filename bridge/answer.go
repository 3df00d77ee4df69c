package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/google/uuid"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/media"
	"github.com/spreekkamer/spreekkamer/store"
)

// answerCame shows an answer that was written in the practice's system to the patient and, in
// the room of the conversation, to staff. It is not filed: the system has it.
func (b *Bridge) answerCame(ctx context.Context, p place, a act, person care.Person) error {
	row, known, err := b.Store.Answer(ctx, a.Answer)
	if err != nil || !known || row.State != store.AnswerReceived {
		return b.finishUnless(ctx, p, err)
	}
	c, _, err := b.Store.Conversation(ctx, row.Conversation)
	if err != nil {
		return err
	}
	if person.State != care.Active || c.State != care.Open && c.State != care.Closed {
		return b.finish(ctx, p, func(ctx context.Context) error { return b.dropAnswer(ctx, row, "answer.no_patient") })
	}
	if stands, err := b.stands(ctx, c); err != nil {
		return err
	} else if !stands {
		return b.finish(ctx, p, func(ctx context.Context) error { return b.dropAnswer(ctx, row, "answer.ground_ended") })
	}
	says, _, err := b.answerSays(ctx, row.ID)
	if err != nil {
		return err
	}
	return b.finish(ctx, p, func(ctx context.Context) error {
		if err := b.take(ctx, &c); err != nil {
			return err
		}
		return b.showAnswer(ctx, row, c, says)
	})
}

func (b *Bridge) finishUnless(ctx context.Context, p place, err error) error {
	if err != nil {
		return err
	}
	return b.finish(ctx, p, nil)
}

// showAnswer writes the effects of an answer: the words and each file, at both sides.
func (b *Bridge) showAnswer(ctx context.Context, row store.Answer, c care.Conversation, says answer) error {
	parts := len(says.Files) + 1
	if err := b.Store.ShowAnswer(ctx, row.ID, 2*parts); err != nil {
		return err
	}
	for part := range parts {
		for _, to := range []string{consulting(c.Person), conversation(c.ID)} {
			e := job("answer", to, body{Answer: row.ID, Part: part, Last: part == parts-1})
			e.Person, e.Conversation = c.Person, c.ID
			if err := b.add(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropAnswer ends an answer that cannot be shown; why is the key of a text.
func (b *Bridge) dropAnswer(ctx context.Context, row store.Answer, why string) error {
	if err := b.Store.DropAnswer(ctx, row.ID); err != nil {
		return err
	}
	_, practice, _ := strings.Cut(row.Lane, ":")
	return b.notPassedOn(ctx, row, b.Texts.Text(b.Language, why, b.practiceArgs(b.practice(practice))))
}

func (b *Bridge) answerSays(ctx context.Context, id string) (says answer, known bool, err error) {
	data, known, err := b.Store.ReadAnswer(ctx, id)
	if err != nil || !known {
		return says, known, err
	}
	return says, true, json.Unmarshal(data, &says)
}

// deliverAnswer shows one part of an answer in one room: the words, or a file.
func (b *Bridge) deliverAnswer(ctx context.Context, t task) (done delivery, err error) {
	row, known, err := b.Store.Answer(ctx, t.body.Answer)
	if err != nil {
		return done, err
	}
	says, there, err := b.answerSays(ctx, t.body.Answer)
	if err != nil {
		return done, err
	}
	if !known || !there && t.EventID == "" {
		return delivery{dropped: "the answer is gone"}, nil
	}
	if t.body.Part == 0 && says.Text == "" && t.EventID == "" {
		done.dropped = "there are no words, only files"
		done.after = func(ctx context.Context) error { return b.Store.AnswerShown(ctx, row.ID) }
		return done, nil
	}
	l, err := b.answerLeg(ctx, t, says)
	if err != nil {
		return done, err
	}
	if t.EventID == "" {
		content, err := b.answerContent(ctx, t, l, says)
		if err != nil {
			return done, err
		}
		t.body.Reply, err = b.answerReply(ctx, t, l.room, says.ReplyTo)
		if err != nil {
			return done, err
		}
		done.event, err = b.send(ctx, t, l.room, event.EventMessage, answering(content, t.body.Reply))
		if errors.Is(err, ErrTooLarge) {
			return done, refused("the answer is too long for one message")
		}
		if err != nil {
			return done, err
		}
	} else {
		done.event = id.EventID(t.EventID)
	}
	done.after = func(ctx context.Context) error { return b.answerShown(ctx, t, row, l.room, done.event) }
	return done, nil
}

// answerShown records that a part of an answer is there. Its words are kept for the document, by
// reference; the system learns when the patient has all of it.
func (b *Bridge) answerShown(ctx context.Context, t task, row store.Answer, room string, shown id.EventID) error {
	if err := b.Store.AnswerShown(ctx, row.ID); err != nil {
		return err
	}
	if err := b.shownTwice(ctx, t, room, shown); err != nil || !toPatient(t.Effect) {
		return err
	}
	c, _, err := b.Store.Conversation(ctx, t.Conversation)
	if err != nil {
		return err
	}
	if t.body.Part == 0 && (c.State == care.Open || b.copies(c)) {
		said, err := b.keepJob(ctx, "file.answer", c)
		if err != nil {
			return err
		}
		said.SourceEvent, said.SourceRoom = string(shown), room
		if err := b.add(ctx, said); err != nil {
			return err
		}
	}
	if !t.body.Last || row.State == store.AnswerFailed { // the system has heard what is missing
		return nil
	}
	if err := b.Store.MoveAnswer(ctx, row.ID, store.AnswerDelivered); err != nil {
		return err
	}
	return b.report(ctx, row, his.DeliveryDelivered, "")
}

// errAnswerFile says that a file of an answer cannot be passed on; the rest of the answer can.
var errAnswerFile = errors.New("a file of the answer cannot be passed on")

// answerGivenUp ends a part of an answer that a room can never get, and with it the answer, unless
// it is a file and the patient gets the rest.
func (b *Bridge) answerGivenUp(ctx context.Context, e store.Effect, cause error) error {
	what, err := parseBody(e)
	if err != nil {
		return nil
	}
	row, known, err := b.Store.Answer(ctx, what.Answer)
	if err != nil || !known {
		return err
	}
	file := errors.Is(cause, errAnswerFile)
	if !toPatient(e) || file && row.State == store.AnswerFailed { // one word about it is enough
		return b.Store.AnswerShown(ctx, row.ID)
	}
	says, _, err := b.answerSays(ctx, row.ID)
	switch {
	case err != nil:
		return err
	case file && (says.Text != "" || len(says.Files) > 1):
		return b.dropFile(ctx, row)
	case file:
		return b.dropAnswer(ctx, row, "answer.file")
	case errors.Is(cause, errGroundEnded):
		return b.dropAnswer(ctx, row, "answer.ground_ended")
	}
	return b.dropAnswer(ctx, row, "answer.no_patient")
}

// dropFile ends one file of an answer: staff must not think that the patient has nothing of it.
func (b *Bridge) dropFile(ctx context.Context, row store.Answer) error {
	err := errors.Join(b.Store.AnswerShown(ctx, row.ID), b.Store.MoveAnswer(ctx, row.ID, store.AnswerFailed))
	if err != nil {
		return err
	}
	_, practice, _ := strings.Cut(row.Lane, ":")
	why := b.Texts.Text(b.Language, "answer.file_alone", b.practiceArgs(b.practice(practice)))
	return b.tellOfAnswer(ctx, row, "answer.not_all_passed_on", why)
}

// answerLeg is how an answer is shown: with the name and function of who wrote it.
func (b *Bridge) answerLeg(ctx context.Context, t task, says answer) (l leg, err error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return l, err
	}
	l.language = b.Language
	if toPatient(t.Effect) {
		if err := b.mayReach(ctx, person); err != nil {
			return l, err
		}
		l.language, l.mention = person.Language, person.UserID
	}
	if err := b.mustStand(ctx, t); err != nil {
		return l, err
	}
	if l.room, err = b.roomOfDestination(ctx, t); err != nil {
		return l, err
	}
	practice := b.practice(person.Answers.Practice)
	if l.who = says.Name; l.who == "" {
		l.who = practice.Name
	}
	l.role = says.Role
	if key := "role." + says.Role; b.Texts.Has(key) {
		l.role = b.Texts.Text(l.language, key, b.practiceArgs(practice))
	}
	l.scrub = b.scrubberFor(ctx, person, l.language)
	return l, nil
}

func (b *Bridge) answerContent(ctx context.Context, t task, l leg, says answer) (map[string]any, error) {
	if t.body.Part == 0 {
		return b.sayAs(ctx, &event.MessageEventContent{MsgType: event.MsgText, Body: says.Text}, l)
	}
	if t.body.Part > len(says.Files) {
		return nil, refused("the answer has no part %d", t.body.Part)
	}
	sent := says.Files[t.body.Part-1]
	if err := b.scan(ctx, sent.Data, t.TxnID, calm); err != nil {
		return nil, asRefused(err)
	}
	f, err := media.Clean(sent.Data, sent.Name, b.Files)
	if err != nil {
		return nil, errors.Join(errAnswerFile, refused("it is not fit for the chat"))
	}
	file, err := b.upload(ctx, f.Data, l.room)
	if err != nil {
		return nil, err
	}
	m := &event.MessageEventContent{MsgType: event.MsgImage, Body: sent.Name, FileName: sent.Name}
	content := map[string]any{
		"msgtype": string(shownAs(m.MsgType, f.Type)), "filename": l.scrub.fileName(m, f.Type), "file": file, "info": fileInfo(m, f),
	}
	content["com.beeper.per_message_profile"] = profile(l)
	return spoken(content, l, words{}), nil
}

// asRefused makes what cannot be carried final.
func asRefused(err error) error {
	if why := reasonOf(err); why != "" {
		return errors.Join(errAnswerFile, refused("%s", why))
	}
	return err
}

// answerReply finds the event in a room that an answer replies to, by what the system calls it.
func (b *Bridge) answerReply(ctx context.Context, t task, room string, to uuid.UUID) (string, error) {
	if to == uuid.Nil || t.body.Part > 0 {
		return "", nil
	}
	filings, err := b.Store.Filings(ctx, t.Conversation)
	if err != nil {
		return "", err
	}
	for _, e := range filings {
		what, err := parseBody(e)
		if e.SourceEvent == "" || err != nil || his.EditionID(his.MessageID(what.inRecord(e)), what.Edition) != to {
			continue
		}
		if e.SourceRoom == room {
			return e.SourceEvent, nil
		}
		target, _, err := b.Store.MirrorOf(ctx, e.SourceEvent, room)
		return target, err
	}
	return "", nil
}
