package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/spreekkamer/spreekkamer/app"
	"github.com/spreekkamer/spreekkamer/config"
)

const valid = `
homeserver: {domain: gp.example}
organisation:
  name: Huisartsen De Linde
  website: https://delinde.example
  privacy: {url: https://delinde.example/privacy}
  terms: {url: https://delinde.example/terms}
practices:
  - {id: linde, name: De Linde, phone: "020 123 4567", huisartsenpost: "0880 003 0600", his: {type: folder, path: his}}
staff:
  - {user: "@fatima:gp.example", name: Fatima, role: doktersassistent, practice: linde}
`

// place is an empty directory with a config file, in which commands run as an operator does.
func place(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("config.yaml", []byte(valid), 0o600))
}

// told is what a command said and how it ended.
type told struct {
	code     int
	out, err string
}

func command(ctx context.Context, run func(context.Context, config.Config, zerolog.Logger) error, args ...string) told {
	var out, errOut bytes.Buffer
	code := execute(ctx, program{run: run, out: &out, err: &errOut}, args)
	return told{code, out.String(), errOut.String()}
}

func do(args ...string) told { return command(context.Background(), nil, args...) }

func TestRunGetsTheSettingsAndLogsAsTheySay(t *testing.T) {
	place(t)
	var got config.Config
	result := command(context.Background(), func(_ context.Context, c config.Config, log zerolog.Logger) error {
		got = c
		log.Info().Msg("started")
		log.Debug().Msg("too much")
		return nil
	}, "run")
	assert.Zero(t, result.code, result.err)
	assert.Equal(t, "gp.example", got.Homeserver.Domain)
	assert.Contains(t, result.err, `"message":"started"`)
	assert.NotContains(t, result.err, "too much")
}

func TestRunSaysWhyItEndsInOneSentence(t *testing.T) {
	place(t)
	result := command(context.Background(), func(context.Context, config.Config, zerolog.Logger) error {
		return errors.New("the database is in use")
	}, "run")
	assert.Equal(t, told{1, "", "spreekkamer: the database is in use\n"}, result)
}

func TestBeingToldToStopIsNoFailure(t *testing.T) {
	place(t)
	ctx, cancel := context.WithCancel(context.Background())
	result := command(ctx, func(ctx context.Context, _ config.Config, _ zerolog.Logger) error {
		cancel() // as a signal does
		<-ctx.Done()
		return ctx.Err()
	}, "run")
	assert.Equal(t, told{0, "", ""}, result)
}

func TestAnInnerCancellationIsAFailure(t *testing.T) {
	place(t)
	result := command(context.Background(), func(context.Context, config.Config, zerolog.Logger) error {
		return context.Canceled
	}, "run")
	assert.Equal(t, 1, result.code)
}

func TestEveryCommandThatNeedsSettingsNamesAllTheirMistakes(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("bad.yaml", []byte(valid+"\nlanguage: fr\nretention: {messages: 31d}"), 0o600))
	for _, name := range []string{"run", "registration", "keys", "healthcheck"} {
		result := do("-c", "bad.yaml", name)
		assert.Equal(t, 1, result.code, name)
		assert.Equal(t, "spreekkamer: 2 things to mend in the settings (bad.yaml):\n"+
			"  language: choose nl or en\n"+
			"  retention.messages: 30d is the longest: what matters for care is in the HIS by then\n", result.err, name)
	}
	result := do("-c", "bad.yaml", "doctor")
	assert.Equal(t, 1, result.code)
	assert.Empty(t, result.err, "all has been said in the report")
	assert.Contains(t, result.out, "✗ settings: language — choose nl or en\n")

	require.NoError(t, os.WriteFile("bad.yaml", []byte(valid+"\nlanguage: fr"), 0o600))
	assert.Contains(t, do("-c", "bad.yaml", "run").err, "1 thing to mend")
}

func TestAMissingFileAndAWrongCommandAreNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	result := do("run")
	assert.Equal(t, 1, result.code)
	assert.Contains(t, result.err, "there is no config.yaml: copy config.example.yaml")
	assert.Equal(t, 1, do("dance").code)
	assert.Equal(t, 1, do("run", "fast").code)
	assert.Zero(t, do("--help").code)
}

func TestARegistrationIsPrintedUntilThereIsOne(t *testing.T) {
	place(t)
	first, second := do("registration"), do("registration")
	require.Zero(t, first.code, first.err)
	assert.NotEqual(t, first.out, second.out, "fresh tokens each time")
	assert.NoFileExists(t, "registration.yaml")

	require.Zero(t, do("registration", "--write").code)
	info, err := os.Stat("registration.yaml")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	written, err := os.ReadFile("registration.yaml")
	require.NoError(t, err)
	assert.Equal(t, string(written), do("registration").out, "the one that exists")

	again := do("registration", "--write")
	assert.Zero(t, again.code)
	assert.Contains(t, again.err, "nothing was changed")
	after, err := os.ReadFile("registration.yaml")
	require.NoError(t, err)
	assert.Equal(t, written, after)

	var r app.Registration
	require.NoError(t, yaml.Unmarshal(after, &r))
	assert.NotContains(t, again.err, r.ASToken)
}

func TestARegistrationThatDoesNotFitIsNotReplaced(t *testing.T) {
	place(t)
	require.NoError(t, os.WriteFile("registration.yaml", []byte("id: old"), 0o600))
	for _, args := range [][]string{{"registration"}, {"registration", "--write"}} {
		result := do(args...)
		assert.Equal(t, 1, result.code)
		assert.Contains(t, result.err, "as_token or hs_token is missing")
	}
	t.Setenv("SPREEKKAMER_REGISTRATION", filepath.Join("no", "directory"))
	assert.Equal(t, 1, do("registration", "--write").code)
}

func TestTheMasterKeyIsMadeOnce(t *testing.T) {
	place(t)
	assert.Contains(t, do("keys").err, "wrote spreekkamer.key")
	first, err := os.ReadFile("spreekkamer.key")
	require.NoError(t, err)
	again := do("keys")
	assert.Zero(t, again.code)
	assert.Contains(t, again.err, "nothing was changed")
	second, err := os.ReadFile("spreekkamer.key")
	require.NoError(t, err)
	assert.Equal(t, first, second)

	require.NoError(t, os.WriteFile("spreekkamer.key", []byte("no key"), 0o600))
	assert.Equal(t, 1, do("keys").code, "what is no key is not replaced either")
	t.Setenv("SPREEKKAMER_SECRETS_KEY_FILE", filepath.Join("no", "directory"))
	assert.Equal(t, 1, do("keys").code)
	t.Setenv("SPREEKKAMER_SECRETS_KEY", strings.TrimSpace(string(first)))
	assert.Contains(t, do("keys").err, "no file was made")
}

func TestTheDoctorEndsWithOneWhenSomethingIsWrong(t *testing.T) {
	place(t)
	t.Setenv("SPREEKKAMER_HOMESERVER_URL", "http://127.0.0.1:1")
	result := do("doctor")
	assert.Equal(t, 1, result.code)
	assert.Contains(t, result.out, "✗ master key: ")
	assert.Contains(t, result.out, "✗ homeserver: ")
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	assert.Len(t, entries, 1, "the doctor only looks")
}

func TestTheBinaryIsItsOwnHealthCheck(t *testing.T) {
	place(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	t.Setenv("SPREEKKAMER_LISTEN", strings.TrimPrefix(server.URL, "http://"))
	assert.Equal(t, told{0, "well\n", ""}, do("healthcheck"))
	server.Close()
	assert.Equal(t, 1, do("healthcheck").code)
}

func TestTheVersionTellsWhatWasBuilt(t *testing.T) {
	assert.Contains(t, do("version").out, "spreekkamer ")
	var out bytes.Buffer
	p := program{out: &out}
	p.version(&debug.BuildInfo{
		GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.0.0"},
		Deps:     []*debug.Module{{Path: "example.org/a", Version: "v2.0.0"}},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}},
	})
	assert.Equal(t, "spreekkamer v1.0.0\ncommit abc of unknown, changed since: unknown\n"+
		"go1.26.8 linux/arm64\nexample.org/a v2.0.0\n", out.String())
}

func TestALogForPeopleIsNoJSON(t *testing.T) {
	var out bytes.Buffer
	log := newLog(config.Log{Level: "debug", Format: "console"}, &out)
	log.Debug().Msg("hello")
	assert.NotContains(t, out.String(), "{")
	assert.Contains(t, out.String(), "hello")
	assert.Equal(t, zerolog.InfoLevel, newLog(config.Log{Level: "?"}, &out).GetLevel())
}
