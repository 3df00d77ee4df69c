package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/config"
)

// healthy is a homeserver as it should be; a test changes one thing.
type healthy struct {
	kind     string
	err      error // of every answer
	clock    time.Time
	versions []string
	bot      string
	ping     error
	upload   int64
	unsigned bool
	signErr  error
	rooms    []RoomPower
	notAdmin bool
	redacted time.Duration
	search   bool
}

func (h *healthy) Version(context.Context) (string, string, error)    { return h.kind, "1.0", h.err }
func (h *healthy) Clock(context.Context) (time.Time, error)           { return h.clock, h.err }
func (h *healthy) RoomVersions(context.Context) ([]string, error)     { return h.versions, h.err }
func (h *healthy) Bot(context.Context) (string, error)                { return h.bot, h.err }
func (h *healthy) Ping(context.Context) error                         { return errors.Join(h.ping, h.err) }
func (h *healthy) UploadLimit(context.Context) (int64, error)         { return h.upload, h.err }
func (h *healthy) OwnRooms(context.Context) ([]RoomPower, error)      { return h.rooms, h.err }
func (h *healthy) Admin(context.Context) (bool, error)                { return !h.notAdmin, h.err }
func (h *healthy) RedactedFor(context.Context) (time.Duration, error) { return h.redacted, h.err }
func (h *healthy) Search(context.Context) (bool, error)               { return h.search, h.err }
func (h *healthy) Signed(context.Context) (bool, error) {
	return !h.unsigned, errors.Join(h.signErr, h.err)
}

// theTime is any moment; nothing here looks at the real clock.
var theTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func wellPatient(t *testing.T) (*Doctor, *healthy) {
	t.Helper()
	dir := t.TempDir()
	c := settings(t)
	c.Secrets.KeyFile = filepath.Join(dir, "master.key")
	c.Secrets.RecoveryKeyFile = filepath.Join(dir, "recovery.key")
	c.Database.URI = config.Secret(filepath.Join(dir, "spreekkamer.db"))
	c.Practices[0].HIS.Path = filepath.Join(dir, "his")
	_, err := c.CreateMasterKey()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(c.Secrets.RecoveryKeyFile, []byte("EsTx recovery"), 0o600))
	require.NoError(t, NewRegistration(c).Write(c.Registration))
	server := &healthy{
		kind: "Synapse", clock: theTime, versions: []string{"9", "10", "12"}, bot: "@spreekkamer:gp.example",
		upload: 50e6, rooms: []RoomPower{{"!a:gp.example", 100, 50}},
	}
	return &Doctor{
		Config: c, Server: server,
		Database: func(context.Context) error { return nil },
		HIS:      func(context.Context, config.Practice) error { return nil },
		Running:  func(context.Context) bool { return true },
		Free:     func(string) (uint64, error) { return 500e9, nil },
		Now:      func() time.Time { return theTime },
	}, server
}

// examine gives the verdict and the line about the named thing.
func examine(d *Doctor, name string) (healthy bool, line string) {
	var out bytes.Buffer
	healthy = d.Run(context.Background(), &out)
	for line := range strings.Lines(out.String()) {
		if _, rest, _ := strings.Cut(line, " "); strings.HasPrefix(rest, name+":") {
			return healthy, line
		}
	}
	return healthy, out.String()
}

func TestAWellSystemHasATickOnEveryLine(t *testing.T) {
	d, _ := wellPatient(t)
	var out bytes.Buffer
	require.True(t, d.Run(context.Background(), &out), out.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	assert.Len(t, lines, len(checks)+1)
	for _, line := range lines {
		assert.True(t, strings.HasPrefix(line, "✓ "), line)
		assert.NotContains(t, line, " — ", "nothing to do")
	}
}

func TestEachFailureIsNamedWithWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(d *Doctor, s *healthy)
		check  string
		found  string
		remedy string
	}{
		{"no master key", func(d *Doctor, _ *healthy) { d.Config.Secrets.KeyFile += "x" }, "master key", "does not exist", "spreekkamer keys"},
		{"a master key for all to read", func(d *Doctor, _ *healthy) { os.Chmod(d.Config.Secrets.KeyFile, 0o644) }, "master key", "0644", "chmod 600"},
		{"a lost recovery key", func(d *Doctor, _ *healthy) { os.Remove(d.Config.Secrets.RecoveryKeyFile) }, "recovery key", "is missing", "backup"},
		{"an empty recovery key", func(d *Doctor, _ *healthy) { os.WriteFile(d.Config.Secrets.RecoveryKeyFile, nil, 0o600) }, "recovery key", "is empty", "backup"},
		{"a recovery key for all to read", func(d *Doctor, _ *healthy) { os.Chmod(d.Config.Secrets.RecoveryKeyFile, 0o604) }, "recovery key", "0604", "chmod 600"},
		{"a recovery key that is a directory", func(d *Doctor, _ *healthy) { d.Config.Secrets.RecoveryKeyFile = filepath.Dir(d.Config.Registration) }, "recovery key", "directory", "backup"},
		{"a database of another key", func(d *Doctor, _ *healthy) {
			d.Database = func(context.Context) error { return errors.New("the key does not fit") }
		}, "database", "the key does not fit", "master key that was made for it"},
		{"a full disk", func(d *Doctor, _ *healthy) { d.Free = func(string) (uint64, error) { return 3e6, nil } }, "free disk", "3 MB left", "make room"},
		{"a homeserver that is down", func(_ *Doctor, s *healthy) { s.err = errors.New("does not answer") }, "homeserver", "does not answer", "start it"},
		{"a homeserver of old rooms", func(_ *Doctor, s *healthy) { s.versions = []string{"1", "2"} }, "room version", "of 1, 2 only", "version 10"},
		{"no registration", func(d *Doctor, _ *healthy) { d.Config.Registration += "x" }, "registration", "no such file", "restart the homeserver"},
		{"a registration of another bot", func(d *Doctor, _ *healthy) { d.Config.Bot.Localpart = "other" }, "registration", "no exclusive namespace", "restart"},
		{"a registration for all to read", func(d *Doctor, _ *healthy) { os.Chmod(d.Config.Registration, 0o666) }, "registration", "0666", "restart"},
		{"a token of another bot", func(_ *Doctor, s *healthy) { s.bot = "@x:gp.example" }, "bot", "acts as @x:gp.example", "load the registration"},
		{"a homeserver that cannot reach us", func(_ *Doctor, s *healthy) { s.ping = errors.New("M_CONNECTION_FAILED") }, "transactions", "M_CONNECTION_FAILED", "firewall"},
		{"a clock that is behind", func(_ *Doctor, s *healthy) { s.clock = theTime.Add(time.Minute) }, "clock", "differ by 1m0s", "NTP"},
		{"a clock that is ahead", func(_ *Doctor, s *healthy) { s.clock = theTime.Add(-11 * time.Second) }, "clock", "differ by 11s", "NTP"},
		{"a homeserver for small files", func(_ *Doctor, s *healthy) { s.upload = 1e6 }, "upload size", "takes 1000000 bytes", "relay.max_file_size"},
		{"a device without a signature", func(_ *Doctor, s *healthy) { s.unsigned = true }, "bot's identity", "not signed", "recovery key"},
		{"a room in which the bot lost its power", func(_ *Doctor, s *healthy) {
			s.rooms = append(s.rooms, RoomPower{"!b:gp.example", 0, 50})
		}, "redaction rights", "!b:gp.example (has 0 of 50)", "power level"},
		{"media that stay", func(_ *Doctor, s *healthy) { s.notAdmin = true }, "media erasure", "no administrator", "/admin"},
		{"originals that stay", func(_ *Doctor, s *healthy) { s.redacted = 168 * time.Hour }, "redacted originals", "for 168h", "redaction_retention_period: 0"},
		{"words in an index", func(_ *Doctor, s *healthy) { s.search = true }, "search", "indexes messages", "enable_search: false"},
		{"a virus scanner that is away", func(d *Doctor, _ *healthy) {
			d.Config.Relay.Clamd = "unix:/nowhere"
			d.Scanner = askScanner
		}, "virus scanner", "no such file", "start clamd"},
		{"a HIS that is away", func(d *Doctor, _ *healthy) {
			d.HIS = func(context.Context, config.Practice) error { return errors.New("no such directory") }
		}, "HIS", "practice voorbeeld cannot file: no such directory", "directory exists"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, server := wellPatient(t)
			tt.change(d, server)
			healthy, line := examine(d, tt.check)
			assert.False(t, healthy)
			assert.True(t, strings.HasPrefix(line, "✗ "), line)
			finding, remedy, _ := strings.Cut(line, " — ")
			assert.Contains(t, finding, tt.found)
			assert.Contains(t, remedy, tt.remedy)
		})
	}
}

func TestWhatCannotBeSeenIsNoFailure(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(d *Doctor, s *healthy)
		check  string
		found  string
	}{
		{"before the first start there is no recovery key", func(d *Doctor, s *healthy) {
			os.Remove(d.Config.Secrets.RecoveryKeyFile)
			s.signErr = ErrCannotTell
		}, "recovery key", "made at the first start"},
		{"Spreekkamer is not running", func(d *Doctor, _ *healthy) {
			d.Running = func(context.Context) bool { return false }
		}, "transactions", "not running on 127.0.0.1:29340"},
		{"a disk without numbers", func(d *Doctor, _ *healthy) {
			d.Free = func(string) (uint64, error) { return 0, errors.New("not supported") }
		}, "free disk", "not supported"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, server := wellPatient(t)
			tt.change(d, server)
			healthy, line := examine(d, tt.check)
			assert.True(t, healthy, line)
			assert.True(t, strings.HasPrefix(line, "? "), line)
			assert.Contains(t, line, tt.found)
		})
	}
}

func TestAHomeserverThatIsDownIsOneFailureAndTheRestIsUnknown(t *testing.T) {
	d, server := wellPatient(t)
	server.err = fmt.Errorf("%w: it does not answer", ErrCannotTell)
	var out bytes.Buffer
	assert.False(t, d.Run(context.Background(), &out))
	assert.Equal(t, 1, strings.Count(out.String(), "✗ "), out.String())
	assert.Contains(t, out.String(), "✗ homeserver: ")
	assert.Equal(t, 10, strings.Count(out.String(), "? "), out.String())
}

// stuck is a homeserver that takes the question and never answers.
type stuck struct{ *healthy }

func (stuck) Clock(ctx context.Context) (time.Time, error) {
	<-ctx.Done()
	return time.Time{}, ctx.Err()
}

func TestAnInterruptedDoctorEndsWithWhatItKnows(t *testing.T) {
	d, server := wellPatient(t)
	d.Server = stuck{server}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out bytes.Buffer
	assert.False(t, d.Run(ctx, &out))
	assert.Contains(t, out.String(), "✗ clock: context canceled")
	assert.Equal(t, len(checks)+1, strings.Count(out.String(), "\n"), "the others are told")
}

func TestEveryCheckHasANameAndARemedyOfItsOwn(t *testing.T) {
	names, remedies := map[string]bool{}, map[string]bool{}
	for _, c := range checks {
		assert.NotEmpty(t, c.name)
		assert.NotEmpty(t, c.remedy, c.name)
		assert.False(t, names[c.name], "%s is there twice", c.name)
		assert.False(t, remedies[c.remedy], "%s repeats a remedy", c.name)
		names[c.name], remedies[c.remedy] = true, true
	}
}

func TestTheManualNamesEveryCheckInItsOrder(t *testing.T) {
	manual, err := os.ReadFile("../docs/operating.md")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(manual), "## Doctor")
	rest, _, _ = strings.Cut(rest, "## Backup")
	rest = strings.Join(strings.Fields(rest), " ")
	for _, c := range checks {
		var found bool
		_, rest, found = strings.Cut(rest, ", "+c.name)
		assert.True(t, found, c.name)
	}
}

func TestTheDoctorChangesNoFile(t *testing.T) {
	d, _ := wellPatient(t)
	state := func() (all []string) {
		for _, path := range []string{d.Config.Secrets.KeyFile, d.Config.Registration} {
			entries, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			for _, entry := range entries {
				info, err := entry.Info()
				require.NoError(t, err)
				all = append(all, fmt.Sprint(entry.Name(), info.Mode(), info.Size(), info.ModTime()))
			}
		}
		return all
	}
	before := state()
	require.True(t, d.Run(context.Background(), new(bytes.Buffer)))
	assert.Equal(t, before, state())
}

func TestAKeyFromTheEnvironmentNeedsNoFile(t *testing.T) {
	d, _ := wellPatient(t)
	d.Config.Secrets = config.Secrets{
		Key:             config.Secret(base64.StdEncoding.EncodeToString(make([]byte, config.KeySize))),
		RecoveryKeyFile: d.Config.Secrets.RecoveryKeyFile,
	}
	healthy, line := examine(d, "master key")
	assert.True(t, healthy)
	assert.Contains(t, line, "set as secrets.key")
}

func TestWrongSettingsAreAllThereIsToSee(t *testing.T) {
	wrong := config.Mistakes{{Setting: "language", Remedy: "choose nl or en"}, {Setting: "listen", Remedy: "give a port"}}
	var out bytes.Buffer
	assert.False(t, NewDoctor(config.Config{}, wrong).Run(context.Background(), &out))
	assert.Equal(t, "✗ settings: language — choose nl or en\n✗ settings: listen — give a port\n", out.String())

	out.Reset()
	assert.False(t, NewDoctor(config.Config{}, errors.New("no file")).Run(context.Background(), &out))
	assert.Equal(t, "✗ settings: no file\n", out.String())
}

func TestEveryPlaceThatGrowsIsLookedAt(t *testing.T) {
	d, _ := wellPatient(t)
	var asked []string
	d.Free = func(path string) (uint64, error) { asked = append(asked, path); return 500e9, nil }
	dir := t.TempDir()
	d.Config.Database.URI = config.Secret("file:" + dir + "/a.db?_txlock=immediate")
	d.Config.Practices[0].HIS.Path = dir + "/not/made/yet"
	_, _ = examine(d, "free disk")
	assert.Equal(t, []string{dir, dir}, asked, "what does not exist is looked up at the nearest directory that does")
	assert.Equal(t, "/", existing("/no such directory/at all"))
}
