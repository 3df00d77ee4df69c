package conformance

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
)

// Installed is where `make conformance` installs what the tests run.
func Installed(t testing.TB, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("../../.cache/peers", name)) // of a test two directories down
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
	late := time.AfterFunc(5*time.Minute, func() { in.Close() })
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

// HAPI starts a HAPI server with these system properties.
func HAPI(t testing.TB, properties ...string) Peer {
	t.Helper()
	args := append([]string{"-Xmx1500m", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"}, properties...)
	base := serve(t, "java", append(args, "-cp", Installed(t, "hapi")+"/classes:"+Installed(t, "hapi")+"/lib/*", "nl.spreekkamer.Server")...) + "/fhir"
	v := View{Base: base}
	return Peer{Base: base, Streams: true, Empty: func(t testing.TB) {
		t.Helper()
		status, answer := v.Do(t, http.MethodPost, "$expunge", Resource{
			"resourceType": "Parameters", "parameter": []any{Resource{"name": "expungeEverything", "valueBoolean": true}},
		})
		require.Equal(t, http.StatusOK, status, "%v", answer)
	}}
}

// Medplum starts Medplum's router; /plain is without transactions.
func Medplum(t testing.TB, path string) Peer {
	t.Helper()
	base := serve(t, "node", Installed(t, "medplum")+"/server.mjs") + path
	v := View{Base: base}
	return Peer{Base: base, Empty: func(t testing.TB) { // it echoes what it got, so it does not stream
		t.Helper()
		status, _ := v.Do(t, http.MethodPost, "$expunge", nil)
		require.Equal(t, http.StatusOK, status)
	}}
}
