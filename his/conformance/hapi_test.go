//go:build conformance

package conformance_test

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
	base := os.Getenv("HAPI")
	if base == "" {
		args := append([]string{"-Xmx1500m", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"}, properties...)
		base = serve(t, "java", append(args, "-cp", peers(t, "hapi")+"/classes:"+peers(t, "hapi")+"/lib/*", "nl.spreekkamer.Server")...) + "/fhir"
	}
	v := conformance.View{Base: base}
	return conformance.Peer{Base: base, Streams: true, Empty: func(t testing.TB) {
		t.Helper()
		status, answer := v.Do(t, http.MethodPost, "$expunge", conformance.Resource{
			"resourceType": "Parameters", "parameter": []any{conformance.Resource{"name": "expungeEverything", "valueBoolean": true}},
		})
		require.Equal(t, http.StatusOK, status, "%v", answer)
	}}
}

func TestHAPI(t *testing.T) {
	p := hapi(t)
	histest.Run(t, func(t testing.TB) histest.Fixture { return conformance.Fixture(t, p) })
}
