package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spreekkamer/spreekkamer/config"
)

// ErrCannotTell marks what cannot be seen from here, now, or on this kind of homeserver. It
// makes a question mark, not a failure.
var ErrCannotTell = errors.New("cannot be seen")

// checkTime is how long one check may take: a homeserver that hangs must not hang the doctor.
const checkTime = 20 * time.Second

// DoctorServer is what the doctor asks of the homeserver. Every method only looks, and gives
// ErrCannotTell where this homeserver has no answer.
type DoctorServer interface {
	// Version is the kind of homeserver ("Synapse", "Dendrite") and its version.
	Version(ctx context.Context) (kind, version string, err error)
	// Clock is the homeserver's time.
	Clock(ctx context.Context) (time.Time, error)
	// RoomVersions are the room versions in which it makes rooms.
	RoomVersions(ctx context.Context) ([]string, error)
	// Bot is the user id as which our token acts.
	Bot(ctx context.Context) (string, error)
	// Ping makes the homeserver call us.
	Ping(ctx context.Context) error
	// UploadLimit is the largest file it takes, in bytes.
	UploadLimit(ctx context.Context) (int64, error)
	// Signed tells whether the bot's devices are signed by its identity.
	Signed(ctx context.Context) (bool, error)
	// OwnRooms are the rooms that the bot made and is in.
	OwnRooms(ctx context.Context) ([]RoomPower, error)
	// Admin tells whether the bot may use the homeserver's administration.
	Admin(ctx context.Context) (bool, error)
	// RedactedFor is how long it keeps the original of what was redacted.
	RedactedFor(ctx context.Context) (time.Duration, error)
	// Search tells whether it indexes messages for searching.
	Search(ctx context.Context) (bool, error)
}

// RoomPower is the bot's power level in a room, and the one it takes to redact others' events.
type RoomPower struct {
	Room         string
	Have, Redact int64
}

// Doctor looks at everything that can be wrong and says what to do. It never changes anything.
type Doctor struct {
	Config   config.Config
	Settings error // what config.Load said
	Server   DoctorServer
	// Database opens the database for a look: the master key fits and it can be written.
	// ErrCannotTell when there is none yet, or when a running Spreekkamer holds it.
	Database func(ctx context.Context) error
	// HIS tells whether the practice's connector could file now.
	HIS func(ctx context.Context, practice config.Practice) error
	// Scanner asks the virus scanner at an address which version it is, and whether it looks at
	// files of a size in bytes.
	Scanner func(ctx context.Context, address string, size int64) (version string, err error)
	// Running tells whether Spreekkamer itself answers on the address it listens on.
	Running func(ctx context.Context) bool
	// Free is the space left on the disk that holds the path, in bytes.
	Free func(path string) (uint64, error)
	Now  func() time.Time
}

// A check looks at one thing. What it found is for the operator; an error is a failure, or a
// question mark when it wraps ErrCannotTell.
type check struct {
	name   string
	run    func(context.Context, *Doctor) (found string, err error)
	remedy string
}

// checks is everything the doctor looks at, in the order in which one would mend it.
var checks = []check{
	{"master key", masterKey, "keep the file where secrets.key_file says, with `chmod 600`; `spreekkamer keys` makes a first one"},
	{"recovery key", recoveryKey, "put the file back from the backup, with `chmod 600`; without it the bot's identity is stuck"},
	{"database", database, "give Spreekkamer a database it may write, with the master key that was made for it"},
	{"free disk", freeDisk, "make room: nothing can be kept on a full disk, and then nothing is acknowledged either"},
	{"homeserver", homeserver, "start it, or correct homeserver.url"},
	{"room version", roomVersion, "use a homeserver that makes rooms of version 10: in others, redaction or muting fails"},
	{"registration", registration, "name the registration file in the homeserver's configuration and restart the homeserver"},
	{"bot", bot, "let the homeserver load the registration file that we use, and restart it"},
	{"transactions", transactions, "let the homeserver reach the address in the registration; check firewall and containers"},
	{"clock", clock, "synchronise both machines' clocks (NTP): retention is counted from the homeserver's times"},
	{"upload size", uploadSize, "lower relay.max_file_size, or raise the homeserver's limit (Synapse: max_upload_size)"},
	{"bot's identity", identity, "start Spreekkamer with its recovery key; otherwise patients see a warning"},
	{"redaction rights", redactionRights, "give the bot back its power level in these rooms: it cannot erase there"},
	{"media erasure", mediaErasure, "make the bot an administrator: PUT /_synapse/admin/v1/users/{bot}/admin with {\"admin\": true}"},
	{"redacted originals", redactedOriginals, "on Synapse set redaction_retention_period: 0 (its default is 7 days) and restart it"},
	{"search", search, "set enable_search: false (Synapse) or sync_api.search.enabled: false (Dendrite): an index keeps words after redaction"},
	{"virus scanner", virusScanner, "start clamd, or correct relay.clamd; until then no file is passed on"},
	{"HIS", hisCanFile, "make sure that the directory exists and may be written, or correct his in the settings"},
}

// Run looks at everything, writes a line for each, and tells whether nothing failed. Without
// good settings there is nothing else to look at.
func (d *Doctor) Run(ctx context.Context, out io.Writer) (healthy bool) {
	if d.Settings != nil {
		d.tellMistakes(out)
		return false
	}
	line(out, "✓", "settings", "complete", "")
	healthy = true
	for _, c := range checks {
		ctx, cancel := context.WithTimeout(ctx, checkTime)
		found, err := c.run(ctx, d)
		cancel()
		switch {
		case err == nil:
			line(out, "✓", c.name, found, "")
		case errors.Is(err, ErrCannotTell):
			line(out, "?", c.name, err.Error(), "")
		default:
			healthy = false
			line(out, "✗", c.name, err.Error(), c.remedy)
		}
	}
	return healthy
}

func (d *Doctor) tellMistakes(out io.Writer) {
	var found config.Mistakes
	if !errors.As(d.Settings, &found) {
		line(out, "✗", "settings", d.Settings.Error(), "")
		return
	}
	for _, one := range found {
		line(out, "✗", "settings", one.Setting, one.Remedy)
	}
}

// line writes: mark name: what was found — what to do.
func line(out io.Writer, mark, name, found, remedy string) {
	if remedy != "" {
		remedy = " — " + remedy
	}
	fmt.Fprintf(out, "%s %s: %s%s\n", mark, name, found, remedy)
}
