package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
)

// binaries are what was built for this program, by build tags.
var binaries = struct {
	sync.Mutex
	paths map[string]string
}{paths: map[string]string{}}

// binary builds the product once for this program, and returns where it is.
func binary(tags string) (string, error) {
	binaries.Lock()
	defer binaries.Unlock()
	if path, built := binaries.paths[tags]; built {
		return path, nil
	}
	root, err := harness.Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, ".cache", "bin", fmt.Sprintf("spreekkamer-%d-%d", os.Getpid(), len(binaries.paths)))
	args := []string{"build", "-tags", tags, "-o", path}
	if os.Getenv("E2E_RACE") != "" { // make races
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/spreekkamer")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build spreekkamer: %w: %s", err, out)
	}
	binaries.paths[tags] = path
	return path, nil
}

// RemoveBinary removes what was built; for the end of a program.
func RemoveBinary() {
	binaries.Lock()
	defer binaries.Unlock()
	for tags, path := range binaries.paths {
		_ = os.Remove(path)
		delete(binaries.paths, tags)
	}
}

// StartBridge starts the bridge and waits until it takes messages.
func (w *World) StartBridge(ctx context.Context) error {
	if err := w.LaunchBridge(); err != nil {
		return err
	}
	return w.WaitReady(ctx)
}

// LaunchBridge starts the bridge without waiting, with more in its environment this once.
func (w *World) LaunchBridge(env ...string) error {
	bridge, err := harness.StartProcess(harness.Command{
		Path: w.binary, Args: []string{"run", "-c", w.ConfigFile()}, Dir: w.bridgeDir(),
		Env: append(slices.Clone(w.opts.Env), env...), LogFile: w.LogFile(),
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bridge = bridge
	return nil
}

// Bridge is the process that was started last; nil before the first.
func (w *World) Bridge() *harness.Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bridge
}

// Healthy asks the bridge whether it can work (its /health).
func (w *World) Healthy(ctx context.Context) bool { return w.answers(ctx, "/health") }

// Command runs another command of the product with the world's settings.
func (w *World) Command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, w.binary, append(args, "-c", w.ConfigFile())...)
	cmd.Dir = w.bridgeDir()
	cmd.Env = append(os.Environ(), w.opts.Env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// WaitReady waits until the bridge says that it is ready (its /ready), or has ended.
func (w *World) WaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if w.answers(ctx, "/ready") {
			return nil
		}
		select {
		case <-tick.C:
		case <-w.Bridge().Done():
			return fmt.Errorf("the bridge ended:\n%s", w.Bridge().LogTail())
		case <-ctx.Done():
			return fmt.Errorf("the bridge is not ready: %w\n%s", ctx.Err(), w.Bridge().LogTail())
		}
	}
}

// answers says whether the bridge says yes to a question about itself.
func (w *World) answers(ctx context.Context, question string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.bridgeURL()+question, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Room finds a room of the practice by what it is for: space, balie or beheer.
func (w *World) Room(ctx context.Context, kind string) (string, error) {
	alias := fmt.Sprintf("#spreekkamer_%s_%s:%s", kind, PracticeID, w.Home.ServerName)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		w.Home.URL+"/_matrix/client/v3/directory/room/"+url.PathEscape(alias), nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var found struct {
		RoomID string `json:"room_id"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&found); err != nil {
		return "", err
	}
	if found.RoomID == "" {
		return "", errors.New("there is no " + kind)
	}
	return found.RoomID, nil
}

// Restart stops the bridge politely and starts it again with settings of the environment.
func (w *World) Restart(ctx context.Context, env ...string) error {
	if err := w.Bridge().Stop(); err != nil {
		return err
	}
	w.opts.Env = append(w.opts.Env, env...)
	return w.StartBridge(ctx)
}
