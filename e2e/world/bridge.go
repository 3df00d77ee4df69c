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
	"sync"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
)

// Binary builds the product once for this program, and returns where it is.
var Binary = func() func(ctx context.Context) (string, error) {
	var once sync.Once
	var path string
	var err error
	return func(context.Context) (string, error) {
		once.Do(func() { path, err = build() })
		return path, err
	}
}()

func build() (string, error) {
	root, err := harness.Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, ".cache", "bin", fmt.Sprintf("spreekkamer-%d", os.Getpid()))
	cmd := exec.Command("go", "build", "-tags", "goolm", "-o", path, "./cmd/spreekkamer")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build spreekkamer: %w: %s", err, out)
	}
	return path, nil
}

// RemoveBinary removes what Binary built; for the end of a program.
func RemoveBinary() {
	if path, err := Binary(context.Background()); err == nil {
		_ = os.Remove(path)
	}
}

// StartBridge starts the bridge and waits until it takes messages.
func (w *World) StartBridge(ctx context.Context) error {
	if err := w.LaunchBridge(); err != nil {
		return err
	}
	return w.WaitReady(ctx)
}

// LaunchBridge starts the bridge without waiting.
func (w *World) LaunchBridge() (err error) {
	w.started++
	w.bridge, err = harness.StartProcess(harness.Command{
		Path: w.binary, Args: []string{"run", "-c", w.ConfigFile()}, Dir: w.bridgeDir(), Env: w.opts.Env, LogFile: w.LogFile(),
	})
	return err
}

// Bridge is the running process.
func (w *World) Bridge() *harness.Process { return w.bridge }

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
		if w.ready(ctx) {
			return nil
		}
		select {
		case <-tick.C:
		case <-w.bridge.Done():
			return fmt.Errorf("the bridge ended:\n%s", w.bridge.LogTail())
		case <-ctx.Done():
			return fmt.Errorf("the bridge is not ready: %w\n%s", ctx.Err(), w.bridge.LogTail())
		}
	}
}

func (w *World) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.bridgeURL()+"/ready", nil)
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
	alias := fmt.Sprintf("#spreekkamer_%s_%s:%s", kind, practiceID, w.Home.ServerName)
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
	if err := w.bridge.Stop(); err != nil {
		return err
	}
	w.opts.Env = append(w.opts.Env, env...)
	return w.StartBridge(ctx)
}
