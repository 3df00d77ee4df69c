package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A Kind is a homeserver program.
type Kind string

// The homeservers we are tested on.
const (
	Dendrite Kind = "dendrite"
	Synapse  Kind = "synapse"
)

// Kinds lists every kind, for tests that run on all of them.
var Kinds = []Kind{Dendrite, Synapse}

// Options say what homeserver to start.
type Options struct {
	Kind Kind
	// Dir is its own directory: configuration, data and log. It is made if needed. With what
	// an earlier homeserver of the same options left there it goes on where that stopped, under
	// the same name and at the same ports.
	Dir string
	// Registrations are the paths of appservice registration files. Both servers read them
	// when they start only.
	Registrations []string
	// Federation lets it talk to the other homeservers of this machine that have it. Its name
	// is then "localhost:PORT", the address of a TLS listener with a certificate of its own.
	Federation bool
	// ServerName is its name if it does not federate; empty: "KIND-PORT.test", which is
	// unique on this machine while it runs.
	ServerName string
	// PostgresURI is its database (Synapse only); empty: SQLite in Dir.
	PostgresURI string
	// CensorEvery is how often Synapse removes redacted content from its database; zero:
	// every second. Without the harness that is fixed to five minutes.
	CensorEvery time.Duration
}

// A Homeserver is a homeserver of our own, running or stopped.
type Homeserver struct {
	Kind       Kind
	URL        string // of the client-server API, without a slash at the end
	ServerName string
	Dir        string
	LogFile    string
	DataDirs   DataDirs

	opts    Options
	kind    serverKind
	address address
	secret  string // for registering users

	mu      sync.Mutex
	process *Process
	admin   string // access token of the harness's own admin user, once made
}

// Pid is the process id while it runs.
func (h *Homeserver) Pid() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.process.Pid()
}

// DataDirs is where a homeserver keeps what people wrote.
type DataDirs struct {
	Database string // SQLite files; empty when the database is PostgreSQL
	Media    string
}

// A serverKind is what differs between the homeserver programs.
type serverKind interface {
	// configure writes the configuration and whatever must exist before the first start.
	configure(ctx context.Context, h *Homeserver) error
	// command is what starts the server.
	command(h *Homeserver) (Command, error)
	// makeAdmin gives an existing user the rights of a server admin.
	makeAdmin(ctx context.Context, h *Homeserver, userID string) error
	// scrub makes the database give up what was deleted.
	scrub(ctx context.Context, h *Homeserver) error
}

var serverKinds = map[Kind]serverKind{Dendrite: dendrite{}, Synapse: synapse{}}

// StartHomeserver configures a homeserver, starts it and waits until it answers. The context
// bounds that wait, not the life of the server: end it with Stop or Kill.
func StartHomeserver(ctx context.Context, opts Options) (*Homeserver, error) {
	h, err := newHomeserver(opts)
	if err != nil {
		return nil, err
	}
	if err := h.kind.configure(ctx, h); err != nil {
		return nil, fmt.Errorf("configure %s in %s: %w", h.Kind, h.Dir, err)
	}
	if err := h.Start(ctx); err != nil {
		return nil, err
	}
	return h, nil
}

func newHomeserver(opts Options) (*Homeserver, error) {
	h := &Homeserver{Kind: opts.Kind, opts: opts, kind: serverKinds[opts.Kind], secret: "harness"}
	if h.kind == nil {
		return nil, fmt.Errorf("no homeserver of kind %q: one of %v", opts.Kind, Kinds)
	}
	var err error
	if h.Dir, err = filepath.Abs(opts.Dir); err != nil {
		return nil, fmt.Errorf("directory of %s: %w", h.Kind, err)
	}
	h.LogFile = filepath.Join(h.Dir, "homeserver.log")
	h.DataDirs = DataDirs{Database: filepath.Join(h.Dir, "db"), Media: filepath.Join(h.Dir, "media")}
	for _, dir := range []string{h.DataDirs.Database, h.DataDirs.Media} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make a directory for %s: %w", h.Kind, err)
		}
	}
	if opts.PostgresURI != "" {
		h.DataDirs.Database = ""
	}
	if h.address, err = chooseAddress(h.Dir, opts); err != nil {
		return nil, fmt.Errorf("choose an address for %s: %w", h.Kind, err)
	}
	h.ServerName = h.address.ServerName
	h.URL = fmt.Sprintf("http://127.0.0.1:%d", h.address.Port)
	return h, nil
}

// Start starts a stopped homeserver again, at the same port and with the same data, and waits
// until it answers.
func (h *Homeserver) Start(ctx context.Context) error {
	if p := h.running(); p != nil {
		return fmt.Errorf("start %s: it runs already", h.Kind)
	}
	cmd, err := h.kind.command(h)
	if err != nil {
		return fmt.Errorf("start %s: %w", h.Kind, err)
	}
	cmd.Dir, cmd.LogFile = h.Dir, h.LogFile
	p, err := StartProcess(cmd)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.process = p
	h.mu.Unlock()
	if err := h.WaitReady(ctx); err != nil {
		return errors.Join(err, p.Kill())
	}
	return nil
}

// Stop ends the homeserver as an operator would: SIGTERM, and SIGKILL after ten seconds.
func (h *Homeserver) Stop() error {
	if p := h.running(); p != nil {
		return p.Stop()
	}
	return nil
}

// Kill ends the homeserver as a crash would.
func (h *Homeserver) Kill() error {
	if p := h.running(); p != nil {
		return p.Kill()
	}
	return nil
}

// Process is the running program, or nil.
func (h *Homeserver) Process() *Process { return h.running() }

func (h *Homeserver) running() *Process {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.process != nil {
		select {
		case <-h.process.Done():
			h.process = nil
		default:
		}
	}
	return h.process
}

// WaitReady waits until the homeserver answers requests. It fails when the program ends.
func (h *Homeserver) WaitReady(ctx context.Context) error {
	p := h.running()
	if p == nil {
		return fmt.Errorf("wait for %s: it does not run; its log ends with\n%s", h.Kind, tail(h.LogFile, 4000))
	}
	if err := waitFor(ctx, p, h.answers); err != nil {
		return fmt.Errorf("wait for %s: %w; its log ends with\n%s", h.Kind, err, p.LogTail())
	}
	return nil
}

func (h *Homeserver) answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+"/_matrix/client/versions", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// waitFor asks every few milliseconds whether a program that was just started is ready; none
// of them can tell us.
func waitFor(ctx context.Context, p *Process, ready func(context.Context) bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ready(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready in time: %w", ctx.Err())
		case <-p.Done():
			return fmt.Errorf("it ended: %w", exitError(p))
		case <-tick.C:
		}
	}
}

func exitError(p *Process) error {
	if err := p.Wait(); err != nil {
		return err
	}
	return errors.New("exit status 0")
}
