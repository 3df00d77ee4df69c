//go:build conformance

package his_test

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/world"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/conformance"
)

func TestMain(m *testing.M) {
	code := m.Run()
	world.RemoveBinary()
	os.Exit(code)
}

// patience is the longest that anything may take to be in the record.
const patience = time.Minute

// A chart is the practice's HIS, looked at from behind.
type chart struct {
	testing.TB
	conformance.View
}

// until looks again until something holds: nobody announces it.
func (c chart) until(what string, holds func() bool) {
	c.Helper()
	tick, late := time.NewTicker(200*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			require.Fail(c, "it does not come: "+what, "%v", c.words())
		}
	}
}

// knows adds a patient to the HIS and gives its reference.
func (c chart) knows(p his.Patient) string {
	c.Helper()
	c.Know(c, p)
	found := c.All(c, "Patient", url.Values{"identifier": {"http://fhir.nl/fhir/NamingSystem/bsn|" + p.BSN}})
	require.Len(c, found, 1)
	return "Patient/" + found[0].Text("id")
}

// messages are the Communications that are part of a conversation, in the order in which the
// server got them.
func (c chart) messages() (all []conformance.Resource) {
	c.Helper()
	for _, r := range c.All(c, "Communication", url.Values{}) {
		if r.Text("partOf.reference") != "" {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b conformance.Resource) int {
		return cmp.Compare(c.made(a), c.made(b))
	})
	return all
}

// made is when the server got the first version of something.
func (c chart) made(r conformance.Resource) string {
	if r.Text("meta.versionId") == "1" {
		return r.Text("meta.lastUpdated")
	}
	return c.History(c, path(r))[0].Text("meta.lastUpdated")
}

func path(r conformance.Resource) string { return r.Text("resourceType") + "/" + r.Text("id") }

// words are what the messages say, for an error that has to be understood from a log.
func (c chart) words() (all []string) {
	for _, r := range c.messages() {
		all = append(all, r.Text("status")+" "+r.Text("subject.reference")+": "+r.Text("payload.contentString"))
	}
	return all
}

// said waits until the record of a patient has a message with this text, as it reads now.
func (c chart) said(patient, text string) (found conformance.Resource) {
	c.Helper()
	c.until(text, func() bool {
		for _, r := range c.messages() {
			if r.Text("payload.contentString") == text && r.Text("subject.reference") == patient && r.Text("status") != "entered-in-error" {
				found = r
			}
		}
		return found != nil
	})
	return found
}

// sender is who wrote a message, as the HIS names that person.
func (c chart) sender(message conformance.Resource) (name, function string) {
	c.Helper()
	who := c.Get(c, message.Text("sender.reference"))
	if who.Text("resourceType") != "PractitionerRole" {
		return who.Text("name.text"), who.Text("resourceType")
	}
	return c.Get(c, who.Text("practitioner.reference")).Text("name.text"), who.Text("code.text")
}

// about are the resources of a type that name something in an element.
func (c chart) about(kind, element, reference string) (all []conformance.Resource) {
	c.Helper()
	for _, r := range c.All(c, kind, url.Values{}) {
		named := []conformance.Resource{r}
		if list := r.List(element); list != nil {
			named = list
		} else if one, is := r.At(element).(map[string]any); is {
			named = []conformance.Resource{one}
		}
		if slices.ContainsFunc(named, func(n conformance.Resource) bool { return conformance.Relative(n.Text("reference")) == reference }) {
			all = append(all, r)
		}
	}
	return all
}

// tasks are the conversations about a patient.
func (c chart) tasks(patient string) []conformance.Resource {
	c.Helper()
	found := c.about("Task", "for", patient)
	require.NotEmpty(c, found)
	return found
}

// states are those that a Task has had, in order.
func (c chart) states(task conformance.Resource) (all []string) {
	c.Helper()
	for _, version := range c.History(c, path(task)) {
		all = append(all, version.Text("status"))
	}
	return slices.Compact(all)
}

// count is how many resources of a type there are.
func (c chart) count(kind string) int {
	c.Helper()
	status, answer := c.Do(c, http.MethodGet, kind+"?_summary=count", nil)
	require.Equal(c, http.StatusOK, status)
	total, _ := answer["total"].(float64)
	return int(total)
}

// documents are the files of some type in a patient's record.
func (c chart) documents(patient, contentType string) (all []conformance.Resource) {
	c.Helper()
	for _, d := range c.about("DocumentReference", "subject", patient) {
		if strings.HasPrefix(d.Text("content.attachment.contentType"), contentType) {
			all = append(all, d)
		}
	}
	return all
}

// content are the bytes of a document.
func (c chart) content(document conformance.Resource) []byte {
	c.Helper()
	binary := c.Get(c, conformance.Relative(document.Text("content.attachment.url")))
	data, err := base64.StdEncoding.DecodeString(binary.Text("data"))
	require.NoError(c, err)
	return data
}

// times is how often somebody reads a text in a room.
func times(who *client.Client, room, text string) (n int) {
	for _, body := range who.Room(room).Bodies() {
		n += strings.Count(body, text)
	}
	return n
}
