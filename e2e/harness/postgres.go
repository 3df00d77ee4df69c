package harness

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/lib/pq"
)

const postgresUser = "harness"

// A Postgres is a PostgreSQL server of our own.
type Postgres struct {
	Dir     string
	LogFile string

	port    int
	process *Process
	gone    chan struct{} // closed when the server and every process that it forked have ended
}

// StartPostgres makes a database cluster in a directory (locale C, encoding UTF-8) and starts
// the server. It listens on the loopback address and asks for no password. It skips fsync: a
// crash of the server loses nothing, only one of the machine would.
func StartPostgres(ctx context.Context, dir string) (*Postgres, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("directory of PostgreSQL: %w", err)
	}
	pg := &Postgres{Dir: dir, LogFile: filepath.Join(dir, "postgres.log")}
	if pg.port, err = FreePort(); err != nil {
		return nil, fmt.Errorf("port for PostgreSQL: %w", err)
	}
	if err := pg.initialise(ctx); err != nil {
		return nil, fmt.Errorf("make a PostgreSQL cluster in %s: %w", dir, err)
	}
	return pg, pg.Start(ctx)
}

func (pg *Postgres) data() string { return filepath.Join(pg.Dir, "data") }

func (pg *Postgres) initialise(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(pg.data(), "PG_VERSION")); err == nil {
		return nil
	}
	if err := os.MkdirAll(pg.data(), 0o700); err != nil {
		return err
	}
	if os.Getuid() == 0 {
		if err := os.Chown(pg.data(), nobody, nobody); err != nil {
			return err
		}
	}
	initdb, err := postgresTool("initdb")
	if err != nil {
		return err
	}
	return runTool(ctx, Command{
		Path: initdb, Dir: pg.Dir, LogFile: pg.LogFile, unprivileged: true,
		Args: []string{"--pgdata", pg.data(), "--username", postgresUser, "--auth", "trust",
			"--locale", "C", "--encoding", "UTF8", "--no-sync", "--no-instructions"},
	})
}

// Start starts a server that was stopped or killed, at the same port with the same data, and
// waits until it answers.
func (pg *Postgres) Start(ctx context.Context) error {
	path, err := postgresTool("postgres")
	if err != nil {
		return err
	}
	settings := []string{"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(pg.port), "unix_socket_directories=",
		"max_connections=200", "fsync=off", "full_page_writes=off",
		// So that Scrub removes old log segments instead of keeping them for later use.
		"wal_recycle=off", "min_wal_size=32MB", "wal_level=minimal", "max_wal_senders=0"}
	args := []string{"-D", pg.data()}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	// SIGINT ends the sessions that are open; SIGTERM would wait for them.
	err = pg.run(Command{Path: path, Args: args, Dir: pg.Dir, LogFile: pg.LogFile,
		StopBy: syscall.SIGINT, unprivileged: true})
	if err != nil {
		return err
	}
	db, err := sql.Open("postgres", pg.URI("postgres"))
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer db.Close()
	if err := waitFor(ctx, pg.process, func(ctx context.Context) bool { return db.PingContext(ctx) == nil }); err != nil {
		pg.Kill()
		return fmt.Errorf("wait for PostgreSQL: %w; its log ends with\n%s", err, tail(pg.LogFile, 4000))
	}
	return nil
}

// run starts the server. Nothing is written to its standard output, but every process of the
// server has it: that it is at its end tells that all of them are gone.
func (pg *Postgres) run(c Command) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	c.Stdout = w
	pg.process, err = StartProcess(c)
	w.Close()
	if err != nil {
		r.Close()
		return err
	}
	gone := make(chan struct{})
	pg.gone = gone
	go func() {
		defer close(gone)
		defer r.Close()
		io.Copy(io.Discard, r)
	}()
	return nil
}

// URI is the address of a database, as libpq and lib/pq understand it.
func (pg *Postgres) URI(database string) string {
	u := url.URL{Scheme: "postgresql", User: url.User(postgresUser), Path: "/" + database,
		Host: "127.0.0.1:" + strconv.Itoa(pg.port), RawQuery: "sslmode=disable"}
	return u.String()
}

// NewDatabase makes an empty database and returns its URI.
func (pg *Postgres) NewDatabase(ctx context.Context, name string) (uri string, err error) {
	db, err := sql.Open("postgres", pg.URI("postgres"))
	if err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+pq.QuoteIdentifier(name)+" TEMPLATE template0"); err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	return pg.URI(name), nil
}

// Stop ends the server and every session.
func (pg *Postgres) Stop() error { return pg.process.Stop() }

// Kill ends the server as a crash would. It waits for the processes of the sessions, which
// notice by themselves: the server does not start again as long as there is one.
func (pg *Postgres) Kill() error {
	if err := pg.process.Kill(); err != nil {
		return err
	}
	<-pg.gone
	return nil
}

// Restart stops the server and starts it again at the same port with the same data.
func (pg *Postgres) Restart(ctx context.Context) error {
	if err := pg.Stop(); err != nil {
		return fmt.Errorf("restart PostgreSQL: %w", err)
	}
	return pg.Start(ctx)
}

// postgresTool finds a program of the pgserver package in the Python environment.
func postgresTool(name string) (string, error) {
	venv, err := Tool("venv")
	if err != nil {
		return "", err
	}
	pattern := filepath.Join(venv, "lib", "python3*", "site-packages", "pgserver", "pginstall", "bin", name)
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("%s: %w", strings.TrimPrefix(pattern, venv), ErrNotInstalled)
	}
	return found[0], nil
}
