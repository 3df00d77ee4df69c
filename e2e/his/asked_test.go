//go:build conformance

package his_test

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/practice"
	"github.com/spreekkamer/spreekkamer/e2e/world"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/conformance"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// A round is a practice with two open conversations, whose HIS is asked for answers and never knocks.
type round struct {
	chart
	*practice.Practice
	between  *conformance.Proxy
	patients []string // what the HIS calls them
	answers  []string // what the first of them is told from the HIS
}

// What the HIS writes: an answer of its own, and what is added to a Task one after the other.
const (
	fetched  = "Smeer het twee weken in."
	noted    = "Koel het vandaag ook."
	referred = "Bel ons als het morgen erger is."
	before   = "Niet krabben."
)

func asked(t *testing.T, peer conformance.Peer) {
	r := &round{chart: chart{t, conformance.View{Base: peer.Base}}, between: conformance.NewProxy(t, peer.Base)}
	pg, err := harness.StartPostgres(t.Context(), filepath.Join(t.TempDir(), "postgres"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, pg.Stop()) })
	var databases []string
	for _, name := range []string{"spreekkamer", "synapse"} {
		uri, err := pg.NewDatabase(t.Context(), name)
		require.NoError(t, err)
		databases = append(databases, uri)
	}
	w := world.InTest(t, world.Options{
		Kind: harness.Synapse, Database: databases[0], Homeserver: harness.Options{PostgresURI: databases[1]},
		Patients: 2, FHIR: r.between.URL, NewRecords: true, AskEvery: time.Second,
	})
	r.Practice, err = practice.Open(t.Context(), w)
	require.NoError(t, err)
	inTurn(t, w, func(part *testing.T) *round { r.TB = part; return r }, []part[*round]{
		{"a question of each patient", (*round).askedBoth},
		{"an answer that is fetched", (*round).fetched},
		{"answers that are added to a Task", (*round).added},
		{"closed in the HIS", (*round).closedThere},
		{"closed by staff with a summary", (*round).closedHere},
		{"nothing twice after a restart, and nothing for another", (*round).once},
		{"nothing of one side at the other", (*round).leaveNoTrace},
	})
}

// askedBoth finds whom the HIS has made of the patients.
func (r *round) askedBoth() {
	for _, question := range []string{"Vraag van nummer 01.", "Vraag van nummer 02."} {
		r.until(question, func() bool { return r.question(question) != nil })
		r.patients = append(r.patients, r.question(question).Text("subject.reference"))
	}
	assert.NotEqual(r, r.patients[0], r.patients[1])
}

func (r *round) question(text string) conformance.Resource {
	for _, m := range r.messages() {
		if m.Text("payload.contentString") == text {
			return m
		}
	}
	return nil
}

// reads waits for a message.
func (r *round) reads(who *client.Client, room, part string) string {
	r.Helper()
	e, err := who.WaitText(r.Context(), room, part)
	require.NoError(r, err)
	return e.Body()
}

func (r *round) types(who *client.Client, room, text string) {
	r.Helper()
	_, err := who.SendText(r.Context(), room, text)
	require.NoError(r, err)
}

// arrives waits until both sides have an answer of the HIS under its author's name.
func (r *round) arrives(author, text string) {
	r.Helper()
	read := r.reads(r.Talks[0].Patient, r.Talks[0].Consulting, text)
	assert.True(r, strings.HasPrefix(read, author), read)
	r.reads(r.Fatima, r.Talks[0].Desk, text)
	r.answers = append(r.answers, text)
}

// received waits until the HIS knows that the patient has a Communication.
func (r *round) received(reference string) {
	r.Helper()
	r.until("the status of an answer", func() bool {
		now := r.Get(r, reference)
		return now.Text("status") == "completed" && now.Text("received") != ""
	})
}

func (r *round) fetched() {
	bakker := his.Author{Name: "P. Bakker", Role: his.RoleHuisarts}
	reference := r.View.Answer(r, r.question("Vraag van nummer 01."), histest.Written{Author: bakker, Text: fetched})
	r.arrives("P. Bakker, huisarts", fetched)
	r.received(reference)
	r.until("the work is taken up", func() bool { return r.tasks(r.patients[0])[0].Text("status") == "in-progress" })
	assert.Empty(r, r.All(r, "Subscription", url.Values{}), "nobody asked the HIS to knock")
}

// added: an answer in so many words, and one that is a Communication; then another before both.
func (r *round) added() {
	visser := r.works("M. Visser")
	letter := r.Create(r, conformance.Resource{
		"resourceType": "Communication", "status": "completed", "subject": conformance.Resource{"reference": r.patients[0]},
		"sender": conformance.Resource{"reference": visser}, "payload": []any{conformance.Resource{"contentString": referred}},
	})
	said := output("valueString", noted)
	letterOutput := output("valueReference", conformance.Resource{"reference": letter})
	r.onTask(conformance.Resource{"owner": conformance.Resource{"reference": r.works("P. Bakker")}, "output": []any{said, letterOutput}})
	r.arrives("P. Bakker, huisarts", noted)
	r.arrives("M. Visser, huisarts", referred)
	r.received(letter)
	r.until("the Task says so", func() bool {
		return r.tasks(r.patients[0])[0].Text("businessStatus.text") == "Antwoord afgeleverd bij de patiënt"
	})
	r.onTask(conformance.Resource{"output": []any{output("valueString", before), said, letterOutput}})
	r.arrives("P. Bakker, huisarts", before)
}

func output(element string, value any) conformance.Resource {
	return conformance.Resource{"type": conformance.Resource{"text": "Antwoord"}, element: value}
}

// works adds a huisarts to the HIS.
func (r *round) works(name string) (reference string) {
	who := r.Create(r, conformance.Resource{"resourceType": "Practitioner", "name": []any{conformance.Resource{"text": name}}})
	return r.Create(r, conformance.Resource{
		"resourceType": "PractitionerRole", "practitioner": conformance.Resource{"reference": who},
		"code": []any{conformance.Resource{"text": string(his.RoleHuisarts)}},
	})
}

// onTask changes the first patient's Task, as somebody does who works in the HIS.
func (r *round) onTask(elements conformance.Resource) {
	r.Helper()
	task := r.tasks(r.patients[0])[0]
	maps.Copy(task, elements)
	status, answer := r.Do(r, http.MethodPut, path(task), task)
	require.Equal(r, http.StatusOK, status, "%v", answer)
}

// closedThere: a Task that is completed in the HIS ends the conversation at both sides.
func (r *round) closedThere() {
	r.onTask(conformance.Resource{"status": "completed"})
	r.reads(r.Fatima, r.Talks[0].Desk, "Dit gesprek is in het HIS gesloten.")
	r.reads(r.Talks[0].Patient, r.Talks[0].Consulting, "heeft dit gesprek afgesloten")
	r.filedOnce(0, append([]string{"Vraag van nummer 01.", "P. Bakker", "M. Visser", "door de praktijk, in het eigen systeem"}, r.answers...)...)
}

// closedHere: staff answer, sum up and close.
func (r *round) closedHere() {
	talk := r.Talks[1]
	r.types(r.Fatima, talk.Desk, "Dat is niet erg.")
	r.reads(talk.Patient, talk.Consulting, "Dat is niet erg.")
	r.until("the work is taken up", func() bool { return r.tasks(r.patients[1])[0].Text("status") == "in-progress" })
	r.types(r.Fatima, talk.Desk, "!samenvatting Wratje, gerustgesteld.")
	r.reads(r.Fatima, talk.Desk, "Uw samenvatting komt bij het gesprek")
	r.types(r.Fatima, talk.Desk, "!sluiten")
	r.reads(talk.Patient, talk.Consulting, "heeft dit gesprek afgesloten")
	r.reads(r.Fatima, talk.Desk, "Dit gesprek staat nu in het HIS.")
	r.filedOnce(1, "Vraag van nummer 02.", "Dat is niet erg.", "Wratje, gerustgesteld.")
	assert.Regexp(r, `^Afgesloten .*door Fatima \(doktersassistent\)$`, r.tasks(r.patients[1])[0].Text("statusReason.text"))
}

// filedOnce: a patient's record has one conversation, which is over, and one document of all of it.
func (r *round) filedOnce(n int, words ...string) {
	r.Helper()
	patient := r.patients[n]
	r.until("the document", func() bool { return len(r.documents(patient, "text/plain")) > 0 })
	documents, tasks := r.documents(patient, "text/plain"), r.tasks(patient)
	require.Len(r, documents, 1)
	require.Len(r, tasks, 1)
	text := string(r.content(documents[0]))
	for _, w := range words {
		assert.Contains(r, text, w)
	}
	assert.Equal(r, []string{"requested", "in-progress", "completed"}, r.states(tasks[0]))
	header := r.Get(r, tasks[0].Text("focus.reference"))
	assert.Equal(r, "completed", header.Text("status"))
}

// once: the bridge reads again what is new, and says nothing again.
func (r *round) once() {
	require.NoError(r, r.World.Bridge().Stop())
	provenances := r.count("Provenance")
	seen := r.rounds()
	require.NoError(r, r.StartBridge(r.Context()))
	r.until("the HIS is asked again", func() bool { return r.rounds() >= seen+2 })
	for _, talk := range r.Talks {
		r.types(talk.Patient, talk.Consulting, "Dank u wel.")
		r.reads(talk.Patient, talk.Consulting, "Over wie gaat uw vraag?")
	}
	first, second := r.Talks[0], r.Talks[1]
	for _, text := range append(slices.Clone(r.answers), "heeft dit gesprek afgesloten") {
		assert.Equal(r, 1, times(first.Patient, first.Consulting, text), text)
	}
	for _, text := range append(slices.Clone(r.answers), "Dit gesprek is in het HIS gesloten.") {
		assert.Equal(r, 1, times(r.Fatima, first.Desk, text), text)
		assert.Zero(r, times(second.Patient, second.Consulting, text), text)
		assert.Zero(r, times(r.Fatima, second.Desk, text), text)
	}
	assert.Zero(r, times(first.Patient, first.Consulting, "Dat is niet erg."))
	for n := range r.patients {
		r.filedOnce(n)
	}
	assert.Equal(r, provenances, r.count("Provenance"), "nothing was filed again")
	assert.Equal(r, provenances, r.count("AuditEvent"))
	assert.Equal(r, 2, r.count("Patient"))
	log, err := os.ReadFile(r.LogFile())
	require.NoError(r, err)
	for _, secret := range append(slices.Clone(r.answers), "Bakker", "Visser", "Wratje", "de Berg") {
		assert.NotContains(r, string(log), secret)
	}
}

// rounds is how often the HIS was asked for everything: the states of Tasks come last, after their outputs.
func (r *round) rounds() (n int) {
	for _, request := range r.between.Seen() {
		if strings.HasPrefix(request, "POST ") && strings.Contains(request, "/Task/_search") {
			n++
		}
	}
	return n / 2
}

func (r *round) leaveNoTrace() { nowhereElse(r, r.Practice) }
