//go:build faultpoints

package faultpoint

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// someone is a function that reaches a place.
func someone() { Here("before tea") }

// The test's own program is the one that dies: it runs itself with another environment.
func TestItDiesWhereItIsTold(t *testing.T) {
	if os.Getenv("FAULTPOINT_DIE") != "" {
		for range 5 {
			someone()
		}
		return
	}
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command(os.Args[0], "-test.run", "^TestItDiesWhereItIsTold$")
	cmd.Env = append(os.Environ(), "FAULTPOINT_DIE=elsewhere#1;before tea internal/faultpoint.someone#3", "FAULTPOINT_LOG="+log)
	var ended *exec.ExitError
	require.ErrorAs(t, cmd.Run(), &ended)
	assert.Equal(t, syscall.SIGKILL, ended.Sys().(syscall.WaitStatus).Signal())
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	place := "before tea internal/faultpoint.someone"
	assert.Equal(t, strings.Repeat(place+"\n", 3)+"died at "+place+"#3\n", string(text))
}

type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("nobody home") }

func TestRequestsAreNamedByTheirRoute(t *testing.T) {
	for path, want := range map[string]string{
		"/_matrix/client/v3/rooms/!a:b/send/m.room.encrypted/skABC123": "/rooms/_/send/m.room.encrypted/_",
		"/_matrix/client/v3/sync":                                      "/sync",
		"/_matrix/media/v3/upload/server.test/AbCd9":                   "/media/v3/upload/_/_",
		"/_matrix/client/v3/rooms/!a:b/redact/$e1/rd$e1":               "/rooms/_/redact/_/_",
	} {
		assert.Equal(t, want, route(path))
	}
	req, err := http.NewRequest(http.MethodGet, "http://nowhere.test/x", nil)
	require.NoError(t, err)
	_, err = Transport(nobody{}).RoundTrip(req)
	assert.Error(t, err, "an error passes through")
}

func TestAPlaceIsNamedByWhoWantsSomething(t *testing.T) {
	for want, stack := range map[string][]string{
		"store.(*Store).Keep":                 {"store.(*Store).run", "store.(*Store).Transact", "store.(*Store).write", "store.(*Store).Keep", "appservice.(*Client).keep"},
		"bridge.(*Bridge).finish":             {"store.(*Store).run", "dbutil.(*Database).DoTxn", "store.(*Store).Transact", "bridge.(*Bridge).finish"},
		"crypto.(*SQLCryptoStore).PutSession": {"store.quietLog.QueryTiming", "dbutil.(*LoggingTxn).Commit", "crypto.(*SQLCryptoStore).PutSession"},
		"his.(*folder).File":                  {"his.(*place).step", "his.(*folder).File"},
	} {
		assert.Equal(t, want, whose(stack))
	}
}

func TestTheClockCanBeWrong(t *testing.T) {
	assert.WithinDuration(t, time.Now(), Now(), time.Minute)
	file := filepath.Join(t.TempDir(), "clock")
	t.Setenv("FAULTPOINT_CLOCK", file)
	require.NoError(t, os.WriteFile(file, []byte("-1h\n"), 0o600))
	assert.WithinDuration(t, time.Now().Add(-time.Hour), Now(), time.Minute)
}
