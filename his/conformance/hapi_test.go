//go:build conformance

package conformance_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/his/conformance"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// The strictest first: every request is judged by the validator too.
func TestHAPIWithValidation(t *testing.T) {
	p := conformance.HAPI(t, "-Dvalidate=true")
	histest.Run(t, func(t testing.TB) histest.Fixture { return conformance.Fixture(t, p) })
}

func TestHAPIOnPostgreSQL(t *testing.T) {
	pg, err := harness.StartPostgres(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, pg.Stop()) })
	uri, err := pg.NewDatabase(t.Context(), "fhir")
	require.NoError(t, err)
	at, err := url.Parse(uri)
	require.NoError(t, err)
	p := conformance.HAPI(t, "-Djdbc=jdbc:postgresql://"+at.Host+at.Path+"?user="+at.User.Username())
	histest.Run(t, func(t testing.TB) histest.Fixture {
		f := conformance.Fixture(t, p)
		f.Largest = 1 << 20 // 25 MB are shown above
		return f
	})
	conformance.Storm(t, p, 500, 3*time.Second, 20261125)
}

// Medplum's router is quick and sloppy: it says 200 of what is new, has no pages, and no
// transactions that undo anything. /plain has us do without them at all.
func TestMedplum(t *testing.T) {
	for _, path := range []string{"/fhir", "/plain"} {
		t.Run(path[1:], func(t *testing.T) {
			p := conformance.Medplum(t, path)
			histest.Run(t, func(t testing.TB) histest.Fixture { return conformance.Fixture(t, p) })
		})
	}
}
