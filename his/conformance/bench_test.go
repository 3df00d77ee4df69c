//go:build conformance

package conformance_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/conformance"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// perTalk is how many messages a conversation has.
const perTalk = 10

// nth is the n-th message of all, in conversations of their own for each series.
func nth(series string, n int) his.Item {
	item := histest.Message(n%perTalk + 1)
	item.ID = his.MessageID(fmt.Sprintf("$bench-%s-%d", series, n))
	item.Conversation.ID = uuid.NewSHA1(uuid.NameSpaceURL, []byte(fmt.Sprint(series, n/perTalk)))
	item.Conversation.Number = int64(n/perTalk + 1)
	item.Conversation.Patient.BSN, item.Conversation.Patient.Number = "", fmt.Sprint(series, n/perTalk)
	return item
}

// BenchmarkFiling files messages one after the other on HAPI: by the connector, and the same
// Bundles by a bare HTTP client. The two take turns, so that what else the machine does
// strikes both. It reports both rates, their ratio in percent, within how many milliseconds half of them
// and 95 % of them were filed, and how much slower the last tenth was than the first.
func BenchmarkFiling(b *testing.B) {
	p := conformance.HAPI(b)
	p.Empty(b)
	c := conformance.Connect(b, p.Base, 0)
	var ours, bare []time.Duration
	took := func(all *[]time.Duration, do func()) {
		began := time.Now()
		do()
		*all = append(*all, time.Since(began))
	}
	one := func(n int) {
		took(&ours, func() {
			_, err := c.File(b.Context(), nth("ours", n))
			require.NoError(b, err)
		})
		took(&bare, func() { post(b, p.Base, nth("bare", n)) })
	}
	for n := range 5 * perTalk { // the server warms up
		one(n)
	}
	ours, bare = nil, nil
	for n := 0; b.Loop(); n++ {
		one(5*perTalk + n)
	}
	b.ReportMetric(rate(ours), "filed/s")
	b.ReportMetric(rate(bare), "bare/s")
	b.ReportMetric(100*rate(ours)/rate(bare), "%ofbare")
	b.ReportMetric(within(ours, 50), "ms-median")
	b.ReportMetric(within(bare, 50), "ms-median-bare")
	b.ReportMetric(within(ours, 95), "ms-95%")
	b.ReportMetric(within(bare, 95), "ms-95%-bare")
	if tenth := len(ours) / 10; tenth > 0 {
		b.ReportMetric(100*rate(ours[len(ours)-tenth:])/rate(ours[:tenth]), "%last/first")
	}
}

// within is the time in milliseconds within which that many percent were done.
func within(all []time.Duration, percent int) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return float64(sorted[(len(sorted)-1)*percent/100].Microseconds()) / 1000
}

func rate(all []time.Duration) float64 {
	var sum time.Duration
	for _, d := range all {
		sum += d
	}
	return float64(len(all)) / sum.Seconds()
}

// post makes the Bundle and sends it, as somebody would without a connector.
func post(b *testing.B, base string, item his.Item) {
	bundle, err := his.Bundle(item)
	require.NoError(b, err)
	var body bytes.Buffer
	require.NoError(b, bundle.Write(&body))
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, base, &body)
	require.NoError(b, err)
	req.Header.Set("Content-Type", "application/fhir+json")
	req.Header.Set("Prefer", "return=minimal")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b, err)
	defer resp.Body.Close()
	var answer bytes.Buffer
	_, err = answer.ReadFrom(resp.Body)
	require.NoError(b, err)
	require.Equal(b, http.StatusOK, resp.StatusCode, "%.300s", answer.String())
}
