package conformance

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// talks is over how many patients a Storm is spread.
const talks = 10

// Storm files so many messages of ten patients through a network of which three in ten
// requests come to grief, in every way that there is. As the bridge does, it files those of
// one patient in order and tries each until it is taken, also after a refusal (staff press
// "again"). Then each has to be there once, and in order. patience is how long the connector
// waits for an answer. The seed is in the log.
func Storm(t *testing.T, p Peer, messages int, patience time.Duration, seed uint64) {
	p.Empty(t)
	between := NewProxy(t, p.Base)
	dice := rand.New(rand.NewPCG(seed, seed))
	t.Logf("seed %d", seed)
	var mu sync.Mutex
	all, faulty := Troubles(), 0
	between.Set(func(w http.ResponseWriter, r *http.Request, pass http.HandlerFunc) bool {
		mu.Lock()
		strikes, which := dice.Float64() < 0.3, dice.IntN(len(all))
		if strikes {
			faulty++
		}
		mu.Unlock()
		return strikes && all[which].Fault(w, r, pass)
	})
	c := Connect(t, between.URL, patience)
	var group sync.WaitGroup
	for n := range talks {
		group.Go(func() {
			for seq := 1; seq <= messages/talks; seq++ {
				if !fileUntilTaken(t, c, stormy(n, seq)) {
					return
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d of %d requests came to grief", faulty, len(between.Seen()))
	View{p.Base}.allThereOnce(t, messages)
}

func fileUntilTaken(t *testing.T, c his.Connector, item his.Item) bool {
	var err error
	for range 100 {
		if _, err = c.File(t.Context(), item); err == nil {
			return true
		}
	}
	return assert.NoError(t, err, "it is never taken")
}

// stormy is a message of the n-th patient.
func stormy(n, seq int) his.Item {
	item := histest.Message(seq)
	item.ID = his.MessageID(fmt.Sprintf("$storm-%d-%d", n, seq))
	item.Text = fmt.Sprintf("Bericht %d.", seq)
	item.Conversation.ID = uuid.NewSHA1(item.Conversation.ID, []byte{byte(n)})
	item.Conversation.Number = int64(n + 1)
	item.Conversation.Patient.Number, item.Conversation.Patient.BSN = fmt.Sprint(1000+n), ""
	if seq%3 == 0 {
		item.Author = his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}
	}
	return item
}

// allThereOnce: the messages of each conversation, in the order in which the server got
// them, and of everything that they share only one.
func (v View) allThereOnce(t *testing.T, messages int) {
	t.Helper()
	byTalk := map[string][]Resource{}
	for _, c := range v.All(t, "Communication", url.Values{}) {
		if header := c.Text("partOf.reference"); header != "" {
			byTalk[Relative(header)] = append(byTalk[Relative(header)], c)
		}
	}
	require.Len(t, byTalk, talks)
	for header, got := range byTalk {
		slices.SortStableFunc(got, func(a, b Resource) int { return cmp.Compare(a.Text("meta.lastUpdated"), b.Text("meta.lastUpdated")) })
		var said, want []string
		for n, c := range got {
			said = append(said, c.Text("payload.contentString"))
			assert.Equal(t, "1", c.Text("meta.versionId"), "nothing is written twice")
			want = append(want, fmt.Sprintf("Bericht %d.", n+1))
		}
		assert.Equal(t, want, said, header)
		assert.Len(t, got, messages/talks, header)
	}
	for kind, want := range map[string]int{"Organization": 1, "Practitioner": 1, "Patient": talks, "Task": talks, "Provenance": messages, "AuditEvent": messages} {
		assert.Len(t, v.All(t, kind, url.Values{}), want, kind)
	}
}
