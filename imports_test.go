package spreekkamer_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/spreekkamer/spreekkamer"

// mayImport is the architecture: each package, and which of our own it may use. "." is the
// root, which carries the example config. A package is named by its longest prefix here, so
// that what lies below a package follows its rule; "*" is everything.
var mayImport = map[string]string{
	".":               "",
	"care":            "",
	"texts":           "",
	"store":           "care internal/faultpoint",
	"appservice":      "care store internal/faultpoint",
	"his":             "care his internal/faultpoint",
	"media":           "",
	"bridge":          "care texts store his media",
	"config":          "care .",
	"app":             "*",
	"cmd/spreekkamer": "app config",
	"e2e":             "*",

	"internal/faultpoint": "",
}

// parsers only read text, though their path looks like the network's.
var parsers = []string{"net/mail", "net/url", "net/netip"}

// notInCare is what makes a rule depend on the world. Time is handed in as a value.
var notInCare = []string{
	"database/sql", "net", "os", "maunium.net/go/mautrix", "go.mau.fi/util",
	"github.com/lib/pq", "github.com/mattn/go-sqlite3",
}

// imports lists every package of the module with what it imports itself, tests left out.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-tags", "goolm", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		all[short(words[0])] = words[1:]
	}
	return all
}

func short(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// rule finds the row of mayImport for a package.
func rule(pkg string) (row string, found bool) {
	for row = pkg; row != "." || pkg == "."; row = filepath.Dir(row) {
		if _, found = mayImport[row]; found {
			return row, true
		}
	}
	return "", false
}

func TestPackagesImportOnlyWhatTheArchitectureAllows(t *testing.T) {
	for pkg, all := range imports(t) {
		row, known := rule(pkg)
		if !assert.True(t, known, "%s has no row in mayImport: add it, and to docs/architecture.md", pkg) {
			continue
		}
		allowed := strings.Fields(mayImport[row])
		for _, imported := range all {
			if imported != module && !strings.HasPrefix(imported, module+"/") || slices.Contains(allowed, "*") {
				continue
			}
			target, _ := rule(short(imported))
			assert.True(t, target == row || slices.Contains(allowed, target),
				"%s imports %s; it may import only: %s", pkg, short(imported), mayImport[row])
		}
	}
}

func TestTheRulesOfCareDependOnNothingOutside(t *testing.T) {
	for pkg, all := range imports(t) {
		if row, _ := rule(pkg); row != "care" {
			continue
		}
		for _, imported := range all {
			for _, forbidden := range notInCare {
				outside := imported == forbidden || strings.HasPrefix(imported, forbidden+"/")
				assert.False(t, outside && !slices.Contains(parsers, imported), "%s imports %s", pkg, imported)
			}
		}
	}
}

var asksTheClock = regexp.MustCompile(`\btime\.(Now|Since|Until|Sleep|After|Tick|NewTimer|NewTicker)\b`)

func TestTheRulesOfCareAreToldTheTime(t *testing.T) {
	files, err := filepath.Glob("care/*.go")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Empty(t, asksTheClock.FindString(string(text)), "%s asks the clock", file)
	}
}
