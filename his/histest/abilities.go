package histest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his"
)

func canRefuse(_ testing.TB, f Fixture) bool { return f.Refuse != nil }
func canLose(_ testing.TB, f Fixture) bool   { return f.Lose != nil }
func canStall(_ testing.TB, f Fixture) bool  { return f.Stall != nil }

func canAnswer(t testing.TB, f Fixture) bool {
	_, can := f.Connector.(his.Answerer)
	assert.Equal(t, can, f.Answer != nil && f.Reported != nil, "an Answerer has to be shown with Fixture.Answer and Reported")
	return can
}

// canDraft is for systems where an answer has a state and a patient of its own.
func canDraft(t testing.TB, f Fixture) bool              { return f.State != nil && canAnswer(t, f) }
func canAnswerAboutAnother(t testing.TB, f Fixture) bool { return canDraft(t, f) }

func canTrack(t testing.TB, f Fixture) bool {
	_, can := f.Connector.(his.Tracker)
	assert.Equal(t, can, f.State != nil && f.SetState != nil, "a Tracker has to be shown with Fixture.State and SetState")
	return can
}

func canFind(t testing.TB, f Fixture) bool {
	_, can := f.Connector.(his.Finder)
	assert.Equal(t, can, f.Know != nil, "a Finder has to be shown with Fixture.Know")
	return can
}

func refusesWhatTheSystemRefuses(t *testing.T, f Fixture) {
	repair := f.Refuse(t)
	item := Message(1)
	_, err := f.Connector.File(t.Context(), item)
	require.ErrorIs(t, err, his.ErrRefused)
	Discreet(t, err, item)
	repair()
	file(t, f.Connector, item)
	only(t, f)
}

func survivesLostAnswer(t *testing.T, f Fixture) {
	for seq := 1; seq <= 3; seq++ {
		item := Message(seq)
		if seq == 3 {
			item.Kind, item.Replaces = his.KindEdit, Message(2).ID
		}
		f.Lose(t)
		_, err := f.Connector.File(t.Context(), item)
		require.Error(t, err)
		assert.NotErrorIs(t, err, his.ErrRefused)
		file(t, f.Connector, item)
		assert.Len(t, f.Filed(t), seq)
	}
}

func survivesSilence(t *testing.T, f Fixture) {
	asked, repair := f.Stall(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := f.Connector.File(ctx, Message(1))
		ended <- err
	}()
	asked()
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	repair()
	file(t, f.Connector, Message(1))
	only(t, f)
}

func filesInTheRightRecord(t *testing.T, f Fixture) {
	for seq, derde := range []*his.Derde{nil, Child(nil), Child(ChildPatient())} {
		item := Message(seq + 1)
		item.Conversation.ID = uuid.NewSHA1(item.Conversation.ID, []byte{byte(seq)})
		item.Conversation.Derde = derde
		file(t, f.Connector, item)
	}
	filed := f.Filed(t)
	require.Len(t, filed, 3)
	if filed[0].Subject == "" {
		return // the record's words say it: the case above
	}
	account, child := Conversation().Patient.BSN, ChildPatient().BSN
	assert.Equal(t, []string{account, account, child}, []string{filed[0].Subject, filed[1].Subject, filed[2].Subject})
	if filed[0].Sender != "" {
		assert.Equal(t, []string{"Patient", "Patient", "RelatedPerson"}, []string{filed[0].Sender, filed[1].Sender, filed[2].Sender})
	}
}

// filesAnew: a message filed with the wrong patient, marked, and filed with the right one.
func filesAnew(t *testing.T, f Fixture) {
	wrong := Message(1)
	wrong.Attachments = []his.Attachment{Photo("plek.jpg", []byte("a photo"))}
	file(t, f.Connector, wrong)
	mistake := Message(2)
	mistake.Kind, mistake.Text, mistake.Author = his.KindMistake, "Verkeerde patiënt.", his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}
	file(t, f.Connector, mistake)
	assert.True(t, file(t, f.Connector, mistake).Already)
	anew := wrong
	anew.Conversation.Edition = 1
	anew.Conversation.Patient = *ChildPatient()
	assert.False(t, file(t, f.Connector, anew).Already)
	assert.True(t, file(t, f.Connector, anew).Already)
	byID := map[uuid.UUID]Filed{}
	for _, item := range f.Filed(t) {
		byID[item.ID] = item
	}
	assert.True(t, byID[wrong.ID].Mistaken)
	right := byID[his.EditionID(wrong.ID, 1)]
	assert.False(t, right.Mistaken)
	assert.Contains(t, right.Record, wrong.Text)
	assert.Len(t, right.Attachments, 1)
	if right.Subject != "" {
		assert.Equal(t, ChildPatient().BSN, right.Subject)
	}
}

var gp = his.Author{Name: "P. Bakker", Role: his.RoleHuisarts}

// read gives everything that the system has to say, page by page.
func read(t testing.TB, f Fixture, since string) (all []his.Answer, next string) {
	t.Helper()
	a := f.Connector.(his.Answerer)
	for seen := map[uuid.UUID]bool{}; ; since = next {
		page, after, err := a.Answers(t.Context(), since)
		require.NoError(t, err)
		for _, answer := range page {
			if !seen[answer.ID] {
				all = append(all, answer)
			}
			seen[answer.ID] = true
		}
		if next = after; next == since {
			return all, next
		}
	}
}

func readsAnswer(t *testing.T, f Fixture) {
	item := Message(1)
	file(t, f.Connector, item)
	own := Message(2)
	own.Author, own.InReplyTo = his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}, item.ID
	file(t, f.Connector, own)
	none, _ := read(t, f, "")
	assert.Empty(t, none, "what we filed ourselves is no answer")
	f.Answer(t, Written{InReplyTo: item, Author: gp, Text: "Dat is <niet> erg & geneest.\nKom anders langs."})
	all, _ := read(t, f, "")
	require.Len(t, all, 1)
	got := all[0]
	assert.Equal(t, "Dat is <niet> erg & geneest.\nKom anders langs.", got.Text)
	assert.Equal(t, gp, his.Author{Name: got.Author.Name, Role: got.Author.Role})
	assert.Empty(t, got.Problem)
	assert.False(t, got.Written.IsZero())
	assert.True(t, got.Conversation == item.Conversation.ID || got.Conversation == uuid.Nil && got.Number == item.Conversation.Number)
	assert.Contains(t, []uuid.UUID{uuid.Nil, item.ID}, got.InReplyTo)
	assert.NotContains(t, got.Reference, item.Conversation.Patient.Number)
}

func readsAnswersInOrder(t *testing.T, f Fixture) {
	item := Message(1)
	file(t, f.Connector, item)
	var want []string
	for _, text := range []string{"Een.", "Twee.", "Drie."} {
		f.Answer(t, Written{InReplyTo: item, Author: gp, Text: text})
		want = append(want, text)
	}
	first, since := read(t, f, "")
	assert.Equal(t, want, texts(first))
	f.Answer(t, Written{InReplyTo: item, Author: gp, Text: "Vier."})
	later, _ := read(t, f, since)
	fresh := map[uuid.UUID]string{}
	for _, a := range later {
		fresh[a.ID] = a.Text
	}
	for _, a := range first {
		delete(fresh, a.ID)
	}
	require.Len(t, fresh, 1, "an answer keeps its id")
	again, _ := read(t, f, "")
	assert.Equal(t, append(want, "Vier."), texts(again), "a lost cursor loses nothing")
}

func texts(all []his.Answer) (said []string) {
	for _, a := range all {
		said = append(said, a.Text)
	}
	return said
}

func leavesDrafts(t *testing.T, f Fixture) {
	item := Message(1)
	file(t, f.Connector, item)
	f.Answer(t, Written{InReplyTo: item, Author: gp, Text: "Nog niet af", Draft: true})
	all, _ := read(t, f, "")
	assert.Empty(t, all)
}

func stopsWrongAnswer(t *testing.T, f Fixture) {
	item := Message(1)
	file(t, f.Connector, item)
	other := Message(2)
	other.Conversation.Derde = Child(ChildPatient())
	other.Conversation.ID = uuid.NewSHA1(other.Conversation.ID, []byte("child"))
	file(t, f.Connector, other)
	f.Answer(t, Written{InReplyTo: item, Author: gp, Text: "Over een ander.", Subject: ChildPatient().BSN})
	all, _ := read(t, f, "")
	require.Len(t, all, 1)
	assert.NotEmpty(t, all[0].Problem)
	assert.Empty(t, all[0].Text)
}

func reports(t *testing.T, f Fixture) {
	item := Message(1)
	file(t, f.Connector, item)
	f.Answer(t, Written{InReplyTo: item, Author: gp, Text: "Komt aan."})
	f.Answer(t, Written{InReplyTo: item, Author: gp, Text: "Komt niet aan."})
	all, since := read(t, f, "")
	require.Len(t, all, 2)
	a := f.Connector.(his.Answerer)
	at := monday.Add(time.Hour)
	for _, answer := range all {
		require.NoError(t, a.Report(t.Context(), his.Report{Reference: answer.Reference, Delivery: his.DeliveryReceived, At: at}))
	}
	for range 2 {
		require.NoError(t, a.Report(t.Context(), his.Report{Reference: all[0].Reference, Delivery: his.DeliveryDelivered, At: at}))
		require.NoError(t, a.Report(t.Context(), his.Report{Reference: all[1].Reference, Delivery: his.DeliveryFailed, At: at, Reason: "De patiënt heeft zich afgemeld."}))
	}
	assert.Equal(t, his.DeliveryDelivered, f.Reported(t, all[0]))
	assert.Equal(t, his.DeliveryFailed, f.Reported(t, all[1]))
	known := map[uuid.UUID]bool{all[0].ID: true, all[1].ID: true}
	after, _ := read(t, f, since)
	for _, answer := range after {
		assert.True(t, known[answer.ID], "a report makes no new answer")
	}
}

func tracks(t *testing.T, f Fixture) {
	tracker := f.Connector.(his.Tracker)
	item := Message(1)
	item.Conversation.Status = his.StatusRequested
	unknown := item.Conversation
	unknown.ID = uuid.NewSHA1(unknown.ID, []byte("never filed"))
	require.NoError(t, tracker.Track(t.Context(), unknown, monday))
	file(t, f.Connector, item)
	assert.Equal(t, his.StatusRequested, f.State(t, item.Conversation))
	item.Conversation.Status = his.StatusOpen
	for range 2 {
		require.NoError(t, tracker.Track(t.Context(), item.Conversation, monday.Add(time.Hour)))
		assert.Equal(t, his.StatusOpen, f.State(t, item.Conversation))
	}
	closing := Message(2)
	closing.Kind, closing.Text, closing.Closing = his.KindClosing, "", Document()
	file(t, f.Connector, closing)
	assert.Equal(t, his.StatusClosed, f.State(t, item.Conversation))
	require.NoError(t, tracker.Track(t.Context(), item.Conversation, monday.Add(2*time.Hour)))
	assert.Equal(t, his.StatusClosed, f.State(t, item.Conversation), "work that has ended is not begun again by a late word")
}

func seesStates(t *testing.T, f Fixture) {
	tracker := f.Connector.(his.Tracker)
	item := Message(1)
	file(t, f.Connector, item)
	last := func(since string) (status his.Status, next string) {
		for {
			changes, after, err := tracker.Tracked(t.Context(), since)
			require.NoError(t, err)
			for _, c := range changes {
				if c.Conversation == item.Conversation.ID {
					status = c.Status
				}
			}
			if after == since {
				return status, after
			}
			since = after
		}
	}
	status, since := last("")
	assert.Equal(t, his.StatusOpen, status)
	f.SetState(t, item.Conversation, his.StatusClosed)
	status, _ = last(since)
	assert.Equal(t, his.StatusClosed, status)
}

func findsPatients(t *testing.T, f Fixture) {
	finder := f.Connector.(his.Finder)
	jan, sanne := Conversation().Patient, *ChildPatient()
	f.Know(t, jan)
	f.Know(t, sanne)
	for _, tt := range []struct {
		name string
		q    his.PatientQuery
		want []string
	}{
		{"by BSN", his.PatientQuery{BSN: jan.BSN}, []string{jan.Number}},
		{"by name and day", his.PatientQuery{LastName: sanne.LastName, BirthDate: sanne.BirthDate}, []string{sanne.Number}},
		{"by number", his.PatientQuery{Number: sanne.Number}, []string{sanne.Number}},
		{"a number that nobody has", his.PatientQuery{Number: "P-999999"}, nil},
		{"a hostile number", his.PatientQuery{Number: jan.Number + "," + sanne.Number}, nil},
		{"nobody of that day", his.PatientQuery{LastName: sanne.LastName, BirthDate: sanne.BirthDate.AddDate(0, 0, 1)}, nil},
		{"a name alone is not enough", his.PatientQuery{LastName: jan.LastName}, nil},
		{"a day alone is not enough", his.PatientQuery{BirthDate: jan.BirthDate}, nil},
		{"a hostile name", his.PatientQuery{LastName: "de Vries&_id=1|2,3$", BirthDate: jan.BirthDate}, nil},
	} {
		found, more, err := finder.Find(t.Context(), tt.q)
		require.NoError(t, err, tt.name)
		assert.False(t, more, tt.name)
		var numbers []string
		for _, p := range found {
			numbers = append(numbers, p.Number)
		}
		assert.Equal(t, tt.want, numbers, tt.name)
	}
}
