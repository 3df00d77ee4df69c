//go:build conformance

package his_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/conformance"
)

// A visit is the story as far as it has come, and the record in which it is filed.
type visit struct {
	chart
	*story.Story
	between     *conformance.Proxy
	anneke, sem string // what the HIS calls the account holder, and whom she also asks about
}

var (
	anneke = his.Patient{FirstName: "Anneke", LastName: "de Berg", Number: "4711", BSN: "999990019", BirthDate: time.Date(1980, 5, 31, 0, 0, 0, 0, time.UTC)}
	sem    = his.Patient{FirstName: "Sem", LastName: "de Berg", Number: "4712", BSN: "123456782", BirthDate: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
)

// The main job with a FHIR server as HIS, of which every request is judged by HAPI's validator: a server
// that is emptied between two settings, the one that only asks first, since Subscriptions would stay in
// HAPI's memory.
func TestTheBridgeFilesInAFHIRServer(t *testing.T) {
	peer := conformance.HAPI(t, "-Dvalidate=true")
	if t.Run("asked, on Synapse with PostgreSQL", func(t *testing.T) { asked(t, peer) }) {
		peer.Empty(t)
		t.Run("it knocks, on Dendrite with SQLite", func(t *testing.T) { knocked(t, peer) })
	}
}

func knocked(t *testing.T, peer conformance.Peer) {
	v := &visit{chart: chart{t, conformance.View{Base: peer.Base}}, between: conformance.NewProxy(t, peer.Base)}
	v.anneke, v.sem = v.knows(anneke), v.knows(sem)
	w := world.InTest(t, world.Options{Kind: harness.Dendrite, Patients: 1, FHIR: v.between.URL})
	v.Story = &story.Story{World: w, Tell: t.Logf}
	inTurn(t, w, func(part *testing.T) *visit { v.TB = part; return v }, []part[*visit]{
		{"a question with a photo, and the answer", (*visit).asks},
		{"an edit and a removal of what was filed", (*visit).changes},
		{"an answer that is written in the HIS", (*visit).answeredInHIS},
		{"an answer that is written while the bridge is away", (*visit).answeredMeanwhile},
		{"closed with a summary", (*visit).closed},
		{"about someone who is a patient too", (*visit).aboutSem},
		{"moved to the other category", (*visit).moved},
		{"nothing twice, and nothing where it may not be", (*visit).clean},
		{"nothing of one side at the other", (*visit).leaveNoTrace},
	})
}

// A part of a story goes on where the one before it ended.
type part[S any] struct {
	name string
	does func(S)
}

// inTurn runs the parts until one fails. in gives the story to a test.
func inTurn[S any](t *testing.T, w *world.World, in func(*testing.T) S, parts []part[S]) {
	for _, p := range parts {
		if !t.Run(p.name, func(t *testing.T) { p.does(in(t)) }) {
			t.Logf("%s", w.Bridge().LogTail())
			return
		}
	}
}

// plays goes on with the story.
func (v *visit) plays(steps ...story.Step) {
	v.Helper()
	_, err := v.Play(v.Context(), steps)
	require.NoError(v, err)
}

// types lets someone write.
func (v *visit) types(who *client.Client, room, text string) (event string) {
	v.Helper()
	event, err := who.SendText(v.Context(), room, text)
	require.NoError(v, err)
	return event
}

// reads waits for a message.
func (v *visit) reads(who *client.Client, room, part string) client.Event {
	v.Helper()
	e, err := who.WaitText(v.Context(), room, part)
	require.NoError(v, err)
	return e
}

// asks is the story up to an answer by staff, who are told by the HIS who the patient may be.
func (v *visit) asks() {
	v.plays(story.Answered(v.World.Patients[0])...)
	v.reads(v.Joost, v.Beheer, "Anneke de Berg, geboren 31-05-1980: !goedkeuren")

	const words = "Ik heb een plek op mijn arm. Kunt u kijken?"
	question := v.said(v.anneke, words)
	assert.Equal(v, v.anneke, question.Text("sender.reference"))
	sent, _ := v.Patient.Room(v.Consulting).Text(words)
	at, err := time.Parse(time.RFC3339Nano, question.Text("sent"))
	require.NoError(v, err)
	assert.WithinDuration(v, sent.Sent, at, time.Second)
	answer := v.said(v.anneke, "Dat ziet er onschuldig uit.")
	name, function := v.sender(answer)
	assert.Equal(v, "Fatima, doktersassistent", name+", "+function)
	assert.Equal(v, v.anneke, answer.Text("recipient.reference"))
	v.until("the photos", func() bool { return len(v.documents(v.anneke, "image/")) == 2 })
	var photos [][]byte
	for _, photo := range v.documents(v.anneke, "image/") {
		photos = append(photos, v.content(photo))
	}
	assert.ElementsMatch(v, [][]byte{story.Picture, story.Explained}, photos)
	v.until("the work is taken up", func() bool { return v.tasks(v.anneke)[0].Text("status") == "in-progress" })
}

// changes: an edit is a new version, and what is removed after it was filed stays.
func (v *visit) changes() {
	event := v.types(v.Patient, v.Consulting, "Het jeukt ook.")
	before := v.said(v.anneke, "Het jeukt ook.")
	_, err := v.Patient.Edit(v.Context(), v.Consulting, event, "Het jeukt ook erg.")
	require.NoError(v, err)
	edited := v.said(v.anneke, "Het jeukt ook erg.")
	assert.Equal(v, path(before), path(edited))
	var said []string
	for _, version := range v.History(v, path(edited)) {
		said = append(said, version.Text("payload.contentString"))
	}
	assert.Equal(v, []string{"Het jeukt ook.", "Het jeukt ook erg."}, said)
	assert.Len(v, v.about("Provenance", "target", path(edited)), 2)

	event = v.types(v.Patient, v.Consulting, "Laat maar.")
	kept := v.said(v.anneke, "Laat maar.")
	_, err = v.Patient.Redact(v.Context(), v.Consulting, event, "")
	require.NoError(v, err)
	v.reads(v.Patient, v.Consulting, "Het stond al in uw dossier bij de praktijk. Daar blijft het staan")
	v.reads(v.Fatima, v.TalkRoom, "dit bericht was al vastgelegd in het dossier")
	assert.Equal(v, kept, v.Get(v, path(kept)), "the record keeps what it has")
	v.until("the notice", func() bool {
		for _, m := range v.messages() {
			if m.Text("topic.text") == his.RemovedTopic && m.Text("inResponseTo.identifier.value") == kept.Text("identifier.value") {
				return true
			}
		}
		return false
	})
}

// answeredInHIS: HAPI knocks, since nobody would ask before five minutes have passed.
func (v *visit) answeredInHIS() {
	reference := v.answers("Smeer het twee weken in.")
	v.delivered(reference, "Smeer het twee weken in.")
}

func (v *visit) answeredMeanwhile() {
	require.NoError(v, v.World.Bridge().Stop())
	reference := v.answers("Kom anders even langs.")
	require.NoError(v, v.World.StartBridge(v.Context()))
	v.delivered(reference, "Kom anders even langs.")
	for _, text := range []string{"Smeer het twee weken in.", "Kom anders even langs."} {
		assert.Equal(v, 1, times(v.Patient, v.Consulting, text), text)
	}
}

// closed: question, answers and summary are one document, and both sides hear that it is filed.
func (v *visit) closed() {
	v.types(v.Patient, v.Consulting, "dossier")
	v.reads(v.Patient, v.Consulting, "berichten in uw dossier bij de praktijk.")
	v.types(v.Fatima, v.TalkRoom, "!samenvatting Plek op arm, zalf.")
	v.reads(v.Fatima, v.TalkRoom, "Uw samenvatting komt bij het gesprek")
	assert.NotContains(v, strings.Join(v.Patient.Room(v.Consulting).Bodies(), "\n"), "staat nu in uw dossier")
	v.types(v.Fatima, v.TalkRoom, "!sluiten")
	v.reads(v.Patient, v.Consulting, "Wat er in dit gesprek is geschreven, staat nu in uw dossier")
	v.reads(v.Fatima, v.TalkRoom, "Dit gesprek staat nu in het HIS.")
	documents := v.documents(v.anneke, "text/plain")
	require.Len(v, documents, 1)
	text := string(v.content(documents[0]))
	for _, words := range []string{
		"Ik heb een plek op mijn arm. Kunt u kijken?", "Dat ziet er onschuldig uit.", "Het jeukt ook erg.",
		"Smeer het twee weken in.", "P. Bakker", "Plek op arm, zalf.",
	} {
		assert.Contains(v, text, words)
	}
	assert.Equal(v, []string{"requested", "in-progress", "completed"}, v.states(v.tasks(v.anneke)[0]))
}

func (v *visit) leaveNoTrace() { nowhereElse(v, v.Story) }

// nowhereElse looks at everything that the bot sent for what only the other side may know.
func nowhereElse(t testing.TB, of interface {
	Leaks(ctx context.Context, nowhere ...string) (found []string, looked int, err error)
}) {
	t.Helper()
	found, looked, err := of.Leaks(t.Context())
	require.NoError(t, err)
	assert.Empty(t, found)
	assert.Greater(t, looked, 20)
}
