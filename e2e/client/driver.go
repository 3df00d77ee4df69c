package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
)

// A Driver is a Node process that hosts any number of clients.
type Driver struct {
	process *harness.Process
	stdin   *os.File
	write   sync.Mutex // one command after the other on stdin

	mu      sync.Mutex
	next    int
	waiting map[int]chan reply
	clients map[string]*Client
	ready   chan struct{} // closed when the process takes commands
	dead    chan struct{} // closed when it ended
}

// A message is a line that the process writes: a reply, or a push.
type message struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *Error          `json:"error"`

	Push   string `json:"push"`
	Client string `json:"client"`
	raw    json.RawMessage
}

type reply struct {
	result json.RawMessage
	err    *Error
}

// An Error is an operation that failed.
type Error struct {
	Op      string `json:"-"`
	Client  string `json:"-"` // user, and number of the client
	Message string `json:"message"`
	Errcode string `json:"errcode"` // of the homeserver, such as M_FORBIDDEN; may be empty
	Status  int    `json:"status"`  // HTTP status, 0 if the homeserver did not answer
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s of %s: %s (%s, status %d)", e.Op, e.Client, e.Message, e.Errcode, e.Status)
}

// StartDriver starts the process. Its stderr, with what the SDK has to say, goes to logFile.
func StartDriver(ctx context.Context, logFile string) (*Driver, error) {
	command, err := driverCommand(logFile)
	if err != nil {
		return nil, fmt.Errorf("start the client driver: %w", err)
	}
	input, stdin, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the client driver: %w", err)
	}
	stdout, output, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the client driver: %w", err), input.Close(), stdin.Close())
	}
	command.Stdin, command.Stdout = input, output
	d := &Driver{stdin: stdin, waiting: map[int]chan reply{}, clients: map[string]*Client{},
		ready: make(chan struct{}), dead: make(chan struct{})}
	d.process, err = harness.StartProcess(command)
	input.Close() // the process has its own copies
	output.Close()
	if err != nil {
		return nil, errors.Join(err, stdin.Close(), stdout.Close())
	}
	go d.read(stdout)
	select {
	case <-d.ready:
		return d, nil
	case <-d.dead:
		return nil, d.diedError()
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("start the client driver: %w", ctx.Err()), d.Stop())
	}
}

func driverCommand(logFile string) (harness.Command, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return harness.Command{}, err
	}
	root, err := harness.Root()
	if err != nil {
		return harness.Command{}, err
	}
	modules, err := harness.Tool("node", "node_modules")
	if err != nil {
		return harness.Command{}, err
	}
	return harness.Command{
		Path:    node,
		Args:    []string{filepath.Join(root, "e2e", "client", "driver.mjs")},
		Env:     []string{"CLIENT_NODE_MODULES=" + modules},
		LogFile: logFile,
	}, nil
}

// Stop ends the process, and with it all clients. Their devices stay on the homeserver.
func (d *Driver) Stop() error {
	d.write.Lock()
	err := d.stdin.Close() // which is how the process knows
	d.write.Unlock()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	stopped := d.process.Stop()
	<-d.dead
	return errors.Join(err, stopped)
}

// read hands on what the process writes, until it ends.
func (d *Driver) read(stdout *os.File) {
	defer close(d.dead)
	defer stdout.Close()
	lines := json.NewDecoder(stdout)
	for {
		var m message
		if err := lines.Decode(&m.raw); err != nil {
			if !errors.Is(err, io.EOF) {
				d.process.Kill() // not our protocol: nothing that follows can be trusted
			}
			return
		}
		if json.Unmarshal(m.raw, &m) == nil {
			d.handle(m)
		}
	}
}

func (d *Driver) handle(m message) {
	if m.Push == "ready" {
		close(d.ready)
		return
	}
	d.mu.Lock()
	waiting, client := d.waiting[m.ID], d.clients[m.Client]
	delete(d.waiting, m.ID)
	d.mu.Unlock()
	switch {
	case m.Push != "" && client != nil:
		client.see(m.Push, m.raw)
	case m.Push == "" && waiting != nil:
		waiting <- reply{m.Result, m.Error}
	}
}

// call has the process do something and waits for the outcome.
func (d *Driver) call(ctx context.Context, client *Client, op string, args, result any) error {
	line, answer, err := d.register(client, op, args)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", op, client.name, err)
	}
	d.write.Lock()
	_, err = d.stdin.Write(line)
	d.write.Unlock()
	if err != nil {
		return fmt.Errorf("%s of %s: %w", op, client.name, errors.Join(err, d.diedError()))
	}
	select {
	case r := <-answer:
		if r.err != nil {
			r.err.Op, r.err.Client = op, client.name
			return r.err
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(r.result, result)
	case <-d.dead:
		return fmt.Errorf("%s of %s: %w", op, client.name, d.diedError())
	case <-ctx.Done():
		return fmt.Errorf("%s of %s: %w", op, client.name, ctx.Err())
	}
}

// register makes the command's line and the channel on which its reply comes.
func (d *Driver) register(client *Client, op string, args any) (line []byte, answer chan reply, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next++
	line, err = json.Marshal(map[string]any{"id": d.next, "client": client.name, "op": op, "args": args})
	if err != nil {
		return nil, nil, err
	}
	answer = make(chan reply, 1)
	d.waiting[d.next] = answer
	return append(line, '\n'), answer, nil
}

func (d *Driver) diedError() error {
	return fmt.Errorf("the client driver ended; its log ends with\n%s", d.process.LogTail())
}
