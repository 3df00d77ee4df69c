package bridge

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// What was filed where it does not belong — in the record of another patient, or in the HIS when
// it is not about care — is withdrawn there and filed anew where it does (requirement E7). A
// record is never deleted: it is marked as entered in error.

// A misfiling is a conversation as it was filed until somebody said that it does not belong there.
type misfiling struct {
	before care.Conversation
	as     his.Conversation
	rows   []store.Effect
	here   bool // the decision was made in this conversation
}

// misfiled finds the conversations that a decision moves to another record or system.
func (b *Bridge) misfiled(ctx context.Context, before, after care.Case) (all []misfiling, err error) {
	var moved []care.Conversation
	_, from := b.systemOf(before.Conversation)
	_, to := b.systemOf(after.Conversation)
	was, named, err := b.derdeOf(ctx, before.Conversation)
	if err != nil {
		return nil, err
	}
	switch {
	case before.Person.Identity.PatientNumber != "" && before.Person.Identity != after.Person.Identity:
		moved, err = b.Store.ConversationsOf(ctx, before.Person.ID)
	case after.Derde != nil && named && was.ID == after.Derde.ID && was.Identity != after.Derde.Identity:
		moved, err = b.Store.ConversationsOf(ctx, before.Person.ID)
		moved = slices.DeleteFunc(moved, func(c care.Conversation) bool { return c.Derde != after.Derde.ID })
	case before.Conversation.ID != "" && before.Conversation.ID == after.Conversation.ID && from != to:
		moved = []care.Conversation{before.Conversation}
	}
	for _, c := range moved {
		if err != nil || c.Number == 0 { // nothing was passed on
			continue
		}
		m := misfiling{before: c, here: c.ID == before.Conversation.ID}
		m.as, err = b.conversationInHIS(ctx, c, before.Person)
		all = append(all, m)
	}
	return all, err
}

// fileAnew withdraws what was filed, and files again what can still be read. It is called after
// the decision was stored, in its transaction.
func (b *Bridge) fileAnew(ctx context.Context, m misfiling, by string) error {
	c, _, err := b.Store.Conversation(ctx, m.before.ID)
	if err != nil {
		return err
	}
	c.Edition = m.before.Edition + 1
	if err := b.Store.SaveConversation(ctx, c); err != nil {
		return err
	}
	if m.rows, err = b.Store.Filings(ctx, c.ID); err != nil { // also the end that the decision made
		return err
	}
	lanes := b.filedIn(m)
	for _, lane := range slices.Sorted(maps.Keys(lanes)) {
		if err := b.withdraw(ctx, m, c, lane, body{By: by, Perhaps: !lanes[lane]}); err != nil {
			return err
		}
	}
	lost, told := 0, len(lanes) > 0
	with := m.here || hasReport(m.rows, m.before.Edition) // a report that may be there is withdrawn, and so has to be filed anew
	for _, e := range m.rows {
		if isLeftOut(e, with) {
			continue
		}
		told = told || again[e.Kind] && editionOf(e) == m.before.Edition
		gone, err := b.anew(ctx, e, m.before.Edition, c)
		if err != nil {
			return err
		}
		lost += gone
	}
	if !told { // nothing was, and nothing is
		return nil
	}
	tell := job("tell", conversation(c.ID), body{Text: "desk.filed_anew", By: by, Count: lost})
	tell.Person, tell.Conversation = c.Person, c.ID
	return b.add(ctx, tell)
}

// filedIn is where something of a conversation may be: filed (true), or sent and perhaps taken. What was
// filed so long ago that we forgot it counts too.
func (b *Bridge) filedIn(m misfiling) map[string]bool {
	lanes, first := map[string]bool{}, 0
	for _, e := range m.rows {
		what, err := parseBody(e)
		if err != nil || what.Edition != m.before.Edition || !strings.HasPrefix(e.Kind, "file") {
			continue
		}
		first = cmp.Or(first, what.Seq)
		if mayBeThere(e) || e.Lane != keptLane && store.IsTakenOut(e) && e.Attempt > 0 {
			lanes[e.Lane] = lanes[e.Lane] || e.State == store.EffectDone
		}
	}
	if first == 0 || first != 1 && m.before.Edition == 0 {
		_, name := b.systemOf(m.before)
		lanes[systemLane(name, m.before.Practice)] = true
	}
	return lanes
}

// withdraw makes the effect that marks a conversation as entered in error. It names the patient as
// it was filed, so what is needed is sealed with it.
func (b *Bridge) withdraw(ctx context.Context, m misfiling, c care.Conversation, lane string, what body) error {
	as, err := json.Marshal(mistaking{Conversation: m.as})
	if err != nil {
		return err
	}
	what.Edition = m.before.Edition
	return b.addMistake(ctx, c, lane, what, as)
}

// addMistake makes the effect that says in a system that something does not belong there, behind
// what waits for the same file.
func (b *Bridge) addMistake(ctx context.Context, c care.Conversation, lane string, what body, as []byte) (err error) {
	if what.Seq, err = b.Store.NextFilingSeq(ctx, c.ID); err != nil {
		return err
	}
	name, _, _ := strings.Cut(lane, ":")
	e := job("file.mistake", fileIn(name, c.ID), what)
	e.Lane, e.Person, e.Conversation = lane, c.Person, c.ID
	return b.Store.AddSealedEffect(ctx, e, as)
}

// again are the kinds that are filed anew.
var again = map[string]bool{"file": true, "file.end": true, "file.summary": true, "file.answer": true, "file.withdrawal": true}

// isLeftOut says that nothing of an effect comes into the record where the conversation does belong: it was
// removed, taken out, or called off. But staff who put it in the wrong record by hand mean it to be in the
// right one; and so do those who called the report off of the conversation of which they say now where it belongs: it was
// refused, as a rule, for the number that was wrong.
func isLeftOut(e store.Effect, report bool) bool {
	switch {
	case e.State != store.EffectSkipped, !store.IsTakenOut(e) && e.Error == byHand:
		return false
	case store.IsTakenOut(e), !report:
		return true
	}
	return e.Kind != "file.end" && (e.Lane != keptLane || e.Error == "")
}

// anew puts an item in the new edition; 1 when its words are gone.
func (b *Bridge) anew(ctx context.Context, e store.Effect, edition int, c care.Conversation) (lost int, err error) {
	what, err := parseBody(e)
	if err != nil || what.Edition != edition || !strings.HasPrefix(e.Kind, "file") {
		return 0, nil
	}
	if err := b.unmarkFiled(ctx, e); err != nil {
		return 0, err
	}
	if e.State == store.EffectSkipped && e.Error != byHand && what.Text == "" {
		if gone, err := b.withdrawn(ctx, e.SourceEvent); err != nil || gone { // by who sent it
			return 0, err
		}
	}
	if !again[e.Kind] { // a removal: what was removed is not filed anew
		return 0, b.Store.CallOff(ctx, e.ID)
	}
	if e.State != store.EffectQueued && e.State != store.EffectFailed && e.SourceEvent != "" && what.Text == "" { // nothing is sealed with it
		row, known, err := b.Store.LedgerEvent(ctx, e.SourceEvent)
		if err != nil {
			return 0, err
		}
		if !known || row.State != store.LedgerKept && row.State != store.LedgerFailed {
			return 1, nil
		}
	}
	fresh, err := b.keepJob(ctx, e.Kind, c, func(now *body) {
		seq, category, at, taken := now.Seq, now.Category, now.Edition, what.Taken
		*now = what
		now.Seq, now.Category, now.Edition, now.Taken = seq, category, at, taken
		if what.Text != "" { // nothing else knows for ever when it was said
			now.At = cmp.Or(what.At, e.CreatedAt.UnixMilli())
		}
		now.First = what.First || what.Seq == 1
		now.Again = now.Again || e.State == store.EffectDone && what.Category != care.Practical
	})
	if err != nil {
		return 0, err
	}
	fresh.SourceEvent, fresh.SourceRoom = e.SourceEvent, e.SourceRoom
	return 0, b.Store.ReplaceEffect(ctx, e.ID, fresh)
}

// recordCommand: !dossier PATIENTNUMMER [BSN] [toch] says whose record this conversation belongs in.
func (b *Bridge) recordCommand(ctx context.Context, r request) error {
	var ok bool
	if r.couples, ok = couplingTyped(r.args); !ok {
		return b.usage(ctx, r, "record")
	}
	if r.couples.misplaced() {
		return b.mistake(ctx, r, "error.number_is_bsn")
	}
	c, err := b.caseInRoom(ctx, r.room)
	if err != nil {
		return err
	}
	d, named, err := b.derdeOf(ctx, c.Conversation)
	if err != nil {
		return err
	}
	id := r.couples.identity()
	return b.aboutConversation(ctx, r, func(c care.Case, _ care.Env) (care.Case, error) {
		if named {
			return care.CoupleDerde(c, d, id, r.Sender)
		}
		return care.CoupleAnew(c, id, r.Sender)
	})
}
