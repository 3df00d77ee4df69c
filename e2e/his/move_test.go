//go:build conformance

package his_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// answers lets the huisarts write an answer in the HIS.
func (v *visit) answers(text string) (reference string) {
	v.Helper()
	bakker := his.Author{Name: "P. Bakker", Role: his.RoleHuisarts}
	return v.View.Answer(v, v.said(v.anneke, "Het jeukt ook erg."), histest.Written{Author: bakker, Text: text})
}

// delivered waits until both sides have an answer and the HIS knows it.
func (v *visit) delivered(reference, text string) {
	v.Helper()
	read := v.reads(v.Patient, v.Consulting, text)
	assert.True(v, strings.HasPrefix(read.Body(), "P. Bakker, huisarts"), read.Body())
	v.reads(v.Fatima, v.TalkRoom, text)
	v.until("the status of an answer", func() bool {
		now := v.Get(v, reference)
		return now.Text("status") == "completed" && now.Text("received") != ""
	})
}

// aboutSem: what was asked about Sem is in the account holder's record until staff say that he is
// a patient; then it is withdrawn there and is in his, from someone related to him.
func (v *visit) aboutSem() {
	const asked = "Mijn kind hoest al een week"
	v.types(v.Patient, v.Consulting, asked)
	for _, line := range [][2]string{
		{"iemand anders", "Hoe heet"}, {"Sem de Berg", "geboortedatum van Sem de Berg"}, {"1-1-2000", "Wie is Sem de Berg voor u?"},
		{"1", "Wat klopt?"}, {"2", "Wij hebben uw vraag ontvangen"},
	} {
		v.types(v.Patient, v.Consulting, line[0])
		v.reads(v.Patient, v.Consulting, line[1])
	}
	room, err := v.Fatima.WaitInvite(v.Context(), v.World.Bot)
	require.NoError(v, err)
	require.NoError(v, v.Fatima.Join(v.Context(), room))
	v.TalkRoom = room
	v.reads(v.Fatima, v.TalkRoom, asked)
	mistaken := v.said(v.anneke, asked)
	assert.Equal(v, v.anneke, mistaken.Text("sender.reference"))

	v.types(v.Fatima, v.TalkRoom, "!dossier "+sem.Number+" "+sem.BSN)
	v.reads(v.Fatima, v.TalkRoom, "in diens eigen dossier")
	right := v.said(v.sem, asked)
	v.until("the withdrawal", func() bool { return v.Get(v, path(mistaken)).Text("status") == "entered-in-error" })
	v.types(v.Patient, v.Consulting, "Hij slaapt er slecht van.")
	v.said(v.sem, "Hij slaapt er slecht van.")
	name, kind := v.sender(right)
	assert.Equal(v, "Anneke de Berg, RelatedPerson", name+", "+kind)
	assert.Equal(v, v.sem, v.Get(v, right.Text("sender.reference")).Text("patient.reference"))
	consent := v.about("Consent", "patient", v.sem)
	require.Len(v, consent, 1)
	assert.Equal(v, "active", consent[0].Text("status"))
}

// moved: what is no care is withdrawn from the HIS, and is in the CRM from then on.
func (v *visit) moved() {
	v.types(v.Fatima, v.TalkRoom, "!praktisch")
	v.reads(v.Fatima, v.TalkRoom, "Dit is nu een praktische vraag")
	v.types(v.Fatima, v.TalkRoom, "Belt u ons daarover.")
	v.until("the withdrawal", func() bool {
		for _, m := range v.messages() {
			if m.Text("subject.reference") == v.sem && m.Text("status") != "entered-in-error" {
				return false
			}
		}
		return v.tasks(v.sem)[0].Text("status") == "entered-in-error"
	})
	v.until("the CRM", func() bool {
		var all strings.Builder
		letters, err := filepath.Glob(filepath.Join(v.World.HIS, anneke.Number, "*", "*.txt"))
		require.NoError(v, err)
		for _, file := range letters {
			text, err := os.ReadFile(file)
			require.NoError(v, err)
			all.Write(text)
		}
		for _, words := range []string{"Mijn kind hoest al een week", "Hij slaapt er slecht van.", "Belt u ons daarover."} {
			if strings.Count(all.String(), words) != 1 {
				return false
			}
		}
		return true
	})
	assert.NotContains(v, strings.Join(v.words(), "\n"), "Belt u ons daarover.")
}

// clean looks at everything that the story left.
func (v *visit) clean() {
	assert.Len(v, v.All(v, "Patient", url.Values{}), 2, "nobody is in the HIS twice")
	assert.Len(v, v.All(v, "Organization", url.Values{}), 1)
	provenances := v.All(v, "Provenance", url.Values{})
	assert.Len(v, v.All(v, "AuditEvent", url.Values{}), len(provenances))
	for _, m := range v.messages() {
		assert.NotEmpty(v, v.about("Provenance", "target", path(m)), "%s", m.Text("payload.contentString"))
	}
	log, err := os.ReadFile(v.World.LogFile())
	require.NoError(v, err)
	for _, secret := range []string{anneke.BSN, sem.BSN, "jeukt", "Berg", "Bakker"} {
		assert.NotContains(v, string(log), secret)
		for _, address := range v.between.Seen() {
			assert.NotContains(v, address, secret)
		}
	}
}
