//go:build conformance

package conformance_test

import (
	"bufio"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/his/conformance"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// peers is where `make conformance` installs what the tests run.
func peers(t testing.TB, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("../../.cache/peers", name))
	require.NoError(t, err)
	return dir
}

// serve starts a program that prints "ready PORT", and ends when its standard input does.
func serve(t testing.TB, program string, args ...string) (address string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		cmd.Wait() //nolint:errcheck // it was told to end
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s said: %.5000s", filepath.Base(program), text)
		}
	})
	late := time.AfterFunc(3*time.Minute, func() { in.Close() })
	defer late.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if port, ready := strings.CutPrefix(lines.Text(), "ready "); ready {
			return "http://127.0.0.1:" + port
		}
	}
	text, _ := os.ReadFile(log.Name())
	require.Fail(t, "it does not start", "%.3000s", text)
	return ""
}

// hapi starts a HAPI server with these system properties.
func hapi(t testing.TB, properties ...string) conformance.Peer {
	t.Helper()
	args := append([]string{"-Xmx1500m", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"}, properties...)
	base := serve(t, "java", append(args, "-cp", peers(t, "hapi")+"/classes:"+peers(t, "hapi")+"/lib/*", "nl.spreekkamer.Server")...) + "/fhir"
	v := conformance.View{Base: base}
	return conformance.Peer{Base: base, Streams: true, Empty: func(t testing.TB) {
		t.Helper()
		status, answer := v.Do(t, http.MethodPost, "$expunge", conformance.Resource{
			"resourceType": "Parameters", "parameter": []any{conformance.Resource{"name": "expungeEverything", "valueBoolean": true}},
		})
		require.Equal(t, http.StatusOK, status, "%v", answer)
	}}
}

// The strictest first: every request is judged by the validator too.
func TestHAPIWithValidation(t *testing.T) {
	p := hapi(t, "-Dvalidate=true")
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
	p := hapi(t, "-Djdbc=jdbc:postgresql://"+at.Host+at.Path+"?user="+at.User.Username())
	histest.Run(t, func(t testing.TB) histest.Fixture {
		f := conformance.Fixture(t, p)
		f.Largest = 1 << 20 // 25 MB are shown above
		return f
	})
	conformance.Storm(t, p, 500, 3*time.Second, 20261125)
}

func medplum(t testing.TB, path string) conformance.Peer {
	t.Helper()
	base := serve(t, "node", peers(t, "medplum")+"/server.mjs") + path
	v := conformance.View{Base: base}
	return conformance.Peer{Base: base, Empty: func(t testing.TB) { // it echoes what it got, so it does not stream
		t.Helper()
		status, _ := v.Do(t, http.MethodPost, "$expunge", nil)
		require.Equal(t, http.StatusOK, status)
	}}
}

// Medplum's router is quick and sloppy: it says 200 of what is new, has no pages, and no
// transactions that undo anything. /plain has us do without them at all.
func TestMedplum(t *testing.T) {
	for _, path := range []string{"/fhir", "/plain"} {
		t.Run(path[1:], func(t *testing.T) {
			p := medplum(t, path)
			histest.Run(t, func(t testing.TB) histest.Fixture { return conformance.Fixture(t, p) })
		})
	}
}
