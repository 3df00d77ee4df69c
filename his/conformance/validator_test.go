//go:build conformance

package conformance_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/conformance"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// explained are the warnings that we know of, and why they stay. Any other fails the test.
var explained = map[string]string{
	"unterminated bi-di":         "what a patient wrote is kept to the letter, also a character that turns its direction",
	"NamingSystem/uzi-rolcode":   "the code system of the UZI register is not among the validator's",
	"dom-6":                      "a narrative would repeat what the resource says, and be a second place to get it wrong",
	"'Consent PolicyRule Codes'": "none of the codes is an attestation by the patient; OPTIN of v3-ActCode is the nearest, with the words beside it",
	"'SecurityRoleType'":         "the codes are roles in a system; a parent or a person with permission is GUARD or DELEGATEE of v3-RoleCode",
	"'V3 Value SetPurposeOfUse'": "why staff withdraw a message is in their own words; no code says that",
}

func bundlesIn(t *testing.T, dir string) (n int) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if filepath.Ext(path) == ".json" {
			n++
		}
		return err
	}))
	return n
}

// errorsIn are the lines that say more than a warning.
func errorsIn(said []byte) string {
	var out strings.Builder
	for line := range strings.Lines(string(said)) {
		if !strings.Contains(line, ": warning: ") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// HIS_BUNDLES names a directory with other Bundles to judge as well: make conformance gives what
// the end-to-end tests left.
func TestTheValidatorFindsNoErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, item his.Item) {
		bundle, err := his.Bundle(item)
		require.NoError(t, err)
		var text bytes.Buffer
		require.NoError(t, bundle.Write(&text))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json"), text.Bytes(), 0o600))
	}
	for n, s := range histest.Samples() {
		write(fmt.Sprintf("sample-%02d", n), s.Item)
	}
	for n, bad := range histest.Hostile() {
		write(fmt.Sprintf("hostile-%02d", n), histest.HostileMessage(bad))
	}
	dirs := []string{dir}
	if more := os.Getenv("HIS_BUNDLES"); more != "" {
		require.Greater(t, bundlesIn(t, more), 100, "the end-to-end tests leave hundreds")
		dirs = append(dirs, more)
	}
	jars := conformance.Installed(t, "hapi")
	args := append([]string{"-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", jars + "/classes:" + jars + "/lib/*", "nl.spreekkamer.Validate"}, dirs...)
	var broke bytes.Buffer
	judge := exec.CommandContext(t.Context(), "java", args...)
	judge.Stderr = &broke
	said, err := judge.Output()
	require.NoError(t, err, "%.5000s\n%.5000s", errorsIn(said), broke.String())
	count := map[string]int{}
	for line := range strings.Lines(string(said)) {
		if !strings.Contains(line, ": warning: ") {
			continue
		}
		known := false
		for warning := range explained {
			if strings.Contains(line, warning) {
				known = true
				count[warning]++
			}
		}
		assert.True(t, known, "a warning that is not explained: %s", line)
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	t.Logf("judged: %s", lines[len(lines)-1])
	for warning, why := range explained {
		t.Logf("%d warnings %s: %s", count[warning], warning, why)
	}
}
