package bridge

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/media/mediatest"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// A talkingHIS gives answers and states in pages of one, and takes reports.
type talkingHIS struct {
	keepingHIS
	answers []his.Answer
	states  []his.StatusChange
	reports []his.Report
	tracked []his.Status
	refuses bool // reports
}

func (h *talkingHIS) Answers(_ context.Context, since string) ([]his.Answer, string, error) {
	n, _ := strconv.Atoi(since)
	if n >= len(h.answers) {
		return nil, since, h.err
	}
	return h.answers[n : n+1], strconv.Itoa(n + 1), h.err
}

func (h *talkingHIS) Report(_ context.Context, r his.Report) error {
	if h.refuses {
		return his.ErrRefused
	}
	h.reports = append(h.reports, r)
	return nil
}

func (h *talkingHIS) Woken() <-chan struct{} { return nil }

func (h *talkingHIS) Track(_ context.Context, c his.Conversation, _ time.Time) error {
	h.tracked = append(h.tracked, c.Status)
	return nil
}

func (h *talkingHIS) Tracked(_ context.Context, since string) ([]his.StatusChange, string, error) {
	n, _ := strconv.Atoi(since)
	if n >= len(h.states) {
		return nil, since, nil
	}
	return h.states[n : n+1], strconv.Itoa(n + 1), nil
}

func (h *talkingHIS) told() (all []his.Delivery) {
	for _, r := range h.reports {
		all = append(all, r.Delivery)
	}
	return all
}

// answering is a world in which a patient has asked something, and a HIS that can answer.
func asking(t *testing.T, change ...func(*Settings)) (w *world, h *talkingHIS, consulting, talk id.RoomID) {
	t.Helper()
	h = &talkingHIS{keepingHIS: keepingHIS{files: map[string][]byte{}}}
	w = newWorld(t, append([]func(*Settings){func(s *Settings) { s.Practices[0].Connector = h }}, change...)...)
	consulting, talk = w.talking(anna, "Een vraag")
	return w, h, consulting, talk
}

// asks asks the HIS of the practice, and does what follows.
func (w *world) asks() {
	w.Helper()
	lane := systemLane(hisName, linde)
	if a, can := w.Practices[0].Connector.(his.Answerer); can {
		require.NoError(w, w.askAnswers(w.Context(), lane, a))
	}
	if tracker, can := w.Practices[0].Connector.(his.Tracker); can {
		require.NoError(w, w.askStates(w.Context(), lane, tracker, false))
	}
	w.settles()
}

func (w *world) current() uuid.UUID { return uuid.MustParse(w.person(anna).Current) }

// an answer of a GP in the open conversation.
func (w *world) gp(text string) his.Answer {
	return his.Answer{
		ID: uuid.New(), Reference: "Communication/7", Conversation: w.current(), Text: text, Written: w.clock,
		Author: his.Author{Name: "P. Bakker", Role: his.RoleHuisarts},
	}
}

func TestAnAnswerFromTheHISReachesPatientAndStaffOnce(t *testing.T) {
	w, h, consulting, talk := asking(t)
	a := w.gp("kanarie: smeer dit twee keer per dag")
	a.InReplyTo = h.filed[0].ID
	h.answers = append(h.answers, a)
	w.asks()
	for _, room := range []id.RoomID{consulting, talk} {
		assert.Equal(t, 1, strings.Count(w.heard(room), "P. Bakker, huisarts: kanarie: smeer dit"))
	}
	relation := w.lastOf(consulting, event.EventMessage)["m.relates_to"].(map[string]any)
	assert.Contains(t, relation, "m.in_reply_to", "it replies to the patient's own question")
	mention := w.lastOf(consulting, event.EventMessage)["m.mentions"].(map[string]any)
	assert.Equal(t, []any{string(anna)}, mention["user_ids"], "it rings")
	assert.Equal(t, []his.Delivery{his.DeliveryReceived, his.DeliveryDelivered}, h.told())
	assert.Len(t, h.filed, 1, "the HIS has it already")
	assert.Equal(t, []his.Status{his.StatusOpen}, h.tracked, "the practice has taken it up")
	_, known, err := w.Store.ReadAnswer(t.Context(), a.ID.String())
	require.NoError(t, err)
	assert.False(t, known, "its words are kept no longer than needed")

	h.answers = append(h.answers, a) // the system gives it again
	w.asks()
	assert.Equal(t, 1, strings.Count(w.heard(consulting), "smeer dit"))
	w.writes(fatima, talk, "!sluiten")
	assert.Equal(t, []string{"Anneke de Berg: Een vraag", "P. Bakker: kanarie: smeer dit twee keer per dag"}, h.texts(t))
	assert.NotContains(t, w.log.String(), "kanarie")
}

func TestAnAnswerIsKeptSealedUntilItIsThere(t *testing.T) {
	w, h, consulting, _ := asking(t)
	h.answers = append(h.answers, w.gp("kanarie"))
	w.matrix.fails = func(call string, room id.RoomID) error {
		if call == "send" && room == consulting {
			return assert.AnError
		}
		return nil
	}
	w.asks()
	assert.Equal(t, []his.Delivery{his.DeliveryReceived}, h.told())
	h.answers = nil // whoever lost it in the HIS cannot lose it here
	w.matrix.fails = nil
	w.passes(maxBackoff)
	assert.Contains(t, w.heard(consulting), "kanarie")
	assert.Equal(t, []his.Delivery{his.DeliveryReceived, his.DeliveryDelivered}, h.told())
}

func TestAFileInAnAnswerIsPassedOnCleaned(t *testing.T) {
	w, h, consulting, talk := asking(t)
	a := w.gp("")
	photo := mediatest.JPEGWithPlace(40, 30, 1)
	a.Attachments = []his.Attachment{{
		Name: "uitleg.jpg", ContentType: "image/jpeg", Size: int64(len(photo)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(photo)), nil },
	}}
	h.answers = append(h.answers, a)
	w.asks()
	for _, room := range []id.RoomID{consulting, talk} {
		content := w.lastOf(room, event.EventMessage)
		assert.Equal(t, "m.image", content["msgtype"], w.log.String())
		assert.Equal(t, "P. Bakker, huisarts", content["body"])
	}
	assert.Equal(t, []his.Delivery{his.DeliveryReceived, his.DeliveryDelivered}, h.told())
}

func TestAnAnswerThatCannotBePassedOnIsToldToStaffAndTheHIS(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *world, a *his.Answer)
		why    string
	}{
		"something is wrong with it":     {func(_ *world, a *his.Answer) { a.Problem = his.ProblemOtherPatient }, "Het antwoord staat bij een andere patiënt dan de vraag."},
		"something we have no words for": {func(_ *world, a *his.Answer) { a.Problem = "in_chinese" }, "Het antwoord is niet te lezen."},
		"no such conversation":           {func(_ *world, a *his.Answer) { a.Conversation = uuid.New() }, "Dit gesprek kennen wij niet."},
		"no such number":                 {func(_ *world, a *his.Answer) { a.Conversation, a.Number = uuid.Nil, 99 }, "Dit gesprek kennen wij niet."},
		"consent withdrawn":              {func(w *world, _ *his.Answer) { w.writes(anna, w.consulting(anna), "intrekken") }, "De patiënt kan nu geen berichten krijgen."},
		"a BSN":                          {func(_ *world, a *his.Answer) { a.Text = "kanarie 1234.56.782" }, "Er staat een burgerservicenummer in."},
		"a BSN in the name of a file": {func(_ *world, a *his.Answer) {
			a.Attachments = []his.Attachment{{Name: "123456782.txt", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("kanarie")), nil }}}
		}, "Er staat een burgerservicenummer in."},
		"a file too large": {func(w *world, a *his.Answer) {
			a.Attachments = []his.Attachment{{Name: "x", Size: w.MaxFile + 1}}
		}, "Een bestand is te groot voor de chat."},
	} {
		t.Run(name, func(t *testing.T) {
			w, h, consulting, talk := asking(t)
			a := w.gp("kanarie")
			tt.change(w, &a)
			h.answers = append(h.answers, a)
			w.asks()
			assert.NotContains(t, w.heard(consulting)+w.heard(talk)+w.heard(w.balie()), "kanarie")
			assert.Contains(t, w.heard(w.balie()), tt.why)
			assert.Contains(t, w.heard(w.balie()), "De patiënt heeft het niet gekregen")
			last := h.reports[len(h.reports)-1]
			assert.Equal(t, his.DeliveryFailed, last.Delivery)
			assert.Contains(t, last.Reason, tt.why)
			assert.Equal(t, "Communication/7", last.Reference)
			_, known, err := w.Store.ReadAnswer(t.Context(), a.ID.String())
			require.NoError(t, err)
			assert.False(t, known)
		})
	}
}

func TestAnAnswerThatTheHomeserverRefusesIsNoSilence(t *testing.T) {
	w, h, consulting, talk := asking(t)
	w.matrix.fails = func(call string, room id.RoomID) error {
		if call == "send" && room == consulting {
			return ErrRefused
		}
		return nil
	}
	h.answers = append(h.answers, w.gp("kanarie"))
	w.asks()
	assert.Equal(t, []his.Delivery{his.DeliveryReceived, his.DeliveryFailed}, h.told())
	assert.Contains(t, w.heard(w.balie()), "is niet doorgegeven")
	_ = talk
}

func TestAHISThatTakesNoReportHoldsUpNothing(t *testing.T) {
	w, h, consulting, _ := asking(t)
	h.refuses = true
	h.answers = append(h.answers, w.gp("kanarie"), w.gp("twee"))
	w.asks()
	assert.Contains(t, w.heard(consulting), "twee")
	assert.Empty(t, w.refusedNow())
	h.err = assert.AnError
	assert.ErrorIs(t, w.askAnswers(t.Context(), systemLane(hisName, linde), h), assert.AnError)
}

func TestAnAnswerInTheFolderIsSentWithItsAuthorAndPutAway(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	dir := filepath.Join(w.his, "antwoorden")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	put := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	put("1.txt", "Gesprek: 1\nPatiënt: P-4711\nVan: P. Bakker (huisarts)\n\nDat ziet er goed uit.\n")
	put("2.txt", "Gesprek: 77\nPatiënt: P-4711\nVan: P. Bakker (huisarts)\n\nVoor niemand.\n")
	put("3.txt", "Gesprek: 1\nVan: P. Bakker (huisarts)\n\nVoor wie?\n")
	w.asks()
	w.asks()
	assert.Equal(t, 1, strings.Count(w.heard(consulting), "P. Bakker, huisarts: Dat ziet er goed uit."))
	assert.Contains(t, w.heard(talk), "Dat ziet er goed uit.")
	assert.Contains(t, w.heard(w.balie()), "Dit gesprek kennen wij niet.")
	left, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	require.NoError(t, err)
	assert.Empty(t, left)
	sent, err := filepath.Glob(filepath.Join(dir, "verzonden", "*.txt"))
	require.NoError(t, err)
	assert.Len(t, sent, 1)
	why, err := filepath.Glob(filepath.Join(dir, "mislukt", "3.*.reden.txt"))
	require.NoError(t, err)
	require.Len(t, why, 1)
	reason, err := os.ReadFile(why[0])
	require.NoError(t, err)
	assert.Equal(t, w.Texts.Text("nl", "answer.why.no_line_patient", texts.Args{})+"\n", string(reason), "in words of the texts")
	assert.Contains(t, w.heard(w.balie()), "Er staat niet bij voor welke patiënt het is (Patiënt:")
}

func TestAConversationThatIsClosedInTheHISIsClosedHere(t *testing.T) {
	w, h, consulting, talk := asking(t)
	change := func(s his.Status) {
		h.states = append(h.states, his.StatusChange{Conversation: w.current(), Status: s, At: w.clock})
	}
	change(his.StatusRequested)
	change(his.StatusOpen)
	id := w.current()
	h.states = append(h.states, his.StatusChange{Conversation: uuid.New(), Status: his.StatusClosed, At: w.clock})
	w.asks()
	c, _, err := w.Store.Conversation(t.Context(), id.String())
	require.NoError(t, err)
	assert.False(t, c.TakenAt.IsZero())
	assert.Empty(t, h.tracked, "the HIS said so itself")
	change(his.StatusClosed)
	h.states = append(h.states, h.states[len(h.states)-1])
	w.asks()
	assert.Equal(t, 1, strings.Count(w.heard(talk), "Dit gesprek is in het HIS gesloten."))
	assert.Contains(t, w.heard(consulting), "De praktijk heeft dit gesprek afgesloten")
	assert.Equal(t, his.KindClosing, h.filed[len(h.filed)-1].Kind)
	lines, err := w.Store.AuditOf(t.Context(), w.person(anna).ID)
	require.NoError(t, err)
	assert.Contains(t, lines[len(lines)-1].Actor, "his")
}

func TestAnAnswerAfterTheEndStillArrives(t *testing.T) {
	w, h, consulting, talk := asking(t)
	a := w.gp("Toch nog dit")
	w.writes(fatima, talk, "!sluiten")
	h.answers = append(h.answers, a)
	w.asks()
	assert.Contains(t, w.heard(consulting), "Toch nog dit")
	w.noneKept(talk)
}

func TestAnAnswerInAPracticeIsForItsOwnConversationsOnly(t *testing.T) {
	w, _, consulting, _ := asking(t, func(s *Settings) {
		s.Practices = append(s.Practices, Practice{Practice: care.Practice{ID: "eik", Name: "De Eik"}, System: System{Connector: &talkingHIS{}}})
	})
	other := w.Practices[1].Connector.(*talkingHIS)
	other.answers = append(other.answers, w.gp("kanarie"))
	require.NoError(t, w.Prepare(t.Context()))
	require.NoError(t, w.askAnswers(t.Context(), systemLane(hisName, "eik"), other))
	w.settles()
	assert.NotContains(t, w.heard(consulting), "kanarie")
	assert.Contains(t, w.heard(w.roomFor(store.RoomBalie, "eik")), "Dit gesprek kennen wij niet.")
}

func TestAnAnswerOfASystemThatHasTheConversationNoLongerIsNotPassedOn(t *testing.T) {
	old := &talkingHIS{keepingHIS: keepingHIS{files: map[string][]byte{}}}
	w, _, consulting, talk := asking(t, func(s *Settings) { s.Practices[0].CRM = &System{Connector: old} })
	old.answers = append(old.answers, w.gp("kanarie"))
	require.NoError(t, w.askSystem(t.Context(), systemLane(crmName, linde), old))
	w.settles()
	assert.NotContains(t, w.heard(consulting)+w.heard(talk), "kanarie")
	assert.Contains(t, w.heard(w.balie()), "Dit gesprek wordt nu in een ander systeem vastgelegd.")
	assert.Equal(t, []his.Delivery{his.DeliveryFailed}, old.told())
}

func TestAHISThatCannotBeAskedForLongIsAnAlarm(t *testing.T) {
	w, h, _, _ := asking(t)
	lane := systemLane(hisName, linde)
	const begins = "Wij kunnen geen of niet alle antwoorden ophalen uit het HIS, sinds 02-03-2026"
	h.err = assert.AnError
	require.Error(t, w.askSystem(t.Context(), lane, h))
	w.clock = w.clock.Add(askAlarm - time.Second)
	assert.Empty(t, w.alarmed(begins))
	require.Error(t, w.askSystem(t.Context(), lane, h))
	w.clock = w.clock.Add(time.Second)
	assert.Len(t, w.alarmed(begins), 1)
	w.clock = w.clock.Add(day)
	assert.Len(t, w.alarmed(begins), 2, "and the next day")
	h.err = nil
	require.NoError(t, w.askSystem(t.Context(), lane, h))
	w.clock = w.clock.Add(2 * day)
	assert.Len(t, w.alarmed(begins), 2)
}

func TestAskingGoesOnUntilItIsStopped(t *testing.T) {
	w, h, _, _ := asking(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	assert.NoError(t, w.runAnswers(ctx, systemLane(hisName, linde), System{Connector: h}))
	assert.NoError(t, w.runAnswers(t.Context(), systemLane(hisName, linde), System{Connector: &brokenHIS{}}), "a system that cannot answer is not asked")
}
