//go:build faultpoints

// Package faultpoint is where the fault harness takes hold of Spreekkamer: places at which the
// process kills itself, and a clock that can be set.
//
// The environment says what happens:
//
//	FAULTPOINT_DIE    NAME#N;…: kill -9 when one of the places is reached for the Nth time
//	FAULTPOINT_LOG    a file that gets the name of each place that is reached, one a line
//	FAULTPOINT_CLOCK  a file that holds by how much the clock is wrong, as in "-1h"
//
// A place is named by what happens there and who does it, found on the stack, so that the code
// itself has few of them: "after commit bridge.(*Bridge).finish", "before PUT /rooms/_/send/m.room.encrypted/_".
package faultpoint

import (
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var points = newRecorder()

type recorder struct {
	mu   sync.Mutex
	log  *os.File // nil = none
	hits map[string]int
	die  map[string]bool // "NAME#N"
}

func newRecorder() *recorder {
	signal.Ignore(syscall.SIGXFSZ) // a file that grows too large is an error of writing, as on a full disk
	r := &recorder{hits: map[string]int{}, die: map[string]bool{}}
	for point := range strings.SplitSeq(os.Getenv("FAULTPOINT_DIE"), ";") {
		r.die[point] = true
	}
	if path := os.Getenv("FAULTPOINT_LOG"); path != "" {
		r.log, _ = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	}
	return r
}

// reach notes that a place was reached, and kills the process if this is where it has to die. A
// signal that cannot be caught: nothing is tidied up.
func (r *recorder) reach(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log != nil {
		_, _ = r.log.WriteString(name + "\n")
	}
	r.hits[name]++
	point := name + "#" + strconv.Itoa(r.hits[name])
	if !r.die[point] {
		return
	}
	if r.log != nil {
		_, _ = r.log.WriteString("died at " + point + "\n")
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // with the lock held: nobody gets past a place any more
}

// Here is a place at which the process may be killed, with what happens there: "before commit".
func Here(what string) { points.reach(what + " " + whose(callers())) }

// Statement is Here after a statement of the database, of those that make something lasting: a
// commit, or a statement outside of a transaction.
func Statement(method string) {
	stack := callers()
	switch {
	case method == "Commit":
		points.reach("after commit " + whose(stack))
	case method == "Exec" && !inTransaction(stack):
		points.reach("after statement " + whose(stack))
	}
}

const ours = "github.com/spreekkamer/spreekkamer/"

// whose is who called: the first exported method of the store that is not its plumbing, and
// otherwise the first function outside of everything that only passes on.
func whose(stack []string) string {
	inStore := ""
	for _, function := range stack {
		if method, ok := strings.CutPrefix(function, "store.(*Store)."); ok {
			if first := method[0]; first >= 'A' && first <= 'Z' && method != "Transact" && !strings.Contains(method, ".") {
				inStore = function
			}
			continue
		}
		if plumbing.MatchString(function) {
			continue
		}
		if inStore != "" {
			return inStore
		}
		return function
	}
	return inStore
}

// plumbing is what stands on the stack below whoever wants something.
var plumbing = regexp.MustCompile(`^(store\.|his\.\(\*place\)|dbutil\.|runtime\.|net/http\.)`)

func inTransaction(stack []string) bool {
	for _, function := range stack {
		if strings.HasPrefix(function, "dbutil.(*Database).DoTxn") {
			return true
		}
	}
	return false
}

var closures = regexp.MustCompile(`(\.func\d+|\.\d+|-fm|\.gowrap\d+|-range\d+|\[\.\.\.\])+$`)

// callers are the functions on the stack, innermost first, without paths and closures.
func callers() (names []string) {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		frame, more := frames.Next()
		name := strings.TrimPrefix(frame.Function, ours)
		if i := strings.LastIndexByte(name, '/'); i >= 0 && name == frame.Function {
			name = name[i+1:]
		}
		names = append(names, closures.ReplaceAllString(name, ""))
		if !more {
			return names
		}
	}
}

// Transport makes a place before and after each request of an HTTP client. After is when the
// headers of the answer are there: the homeserver has done it, and nobody here knows yet.
func Transport(next http.RoundTripper) http.RoundTripper { return transport{next} }

type transport struct{ next http.RoundTripper }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	name := r.Method + " " + route(r.URL.Path)
	points.reach("before " + name)
	answer, err := t.next.RoundTrip(r)
	points.reach("after " + name)
	return answer, err
}

func (t transport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// word is a part of a path that is no name of anything.
var word = regexp.MustCompile(`^(v\d|[a-z_]{2,20}|createRoom|sendToDevice|m\.[a-z_.]+)$`)

// route is a path without what it is about.
func route(path string) string {
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(path, "/_matrix"), "/client/v3"), "/")
	for i, part := range parts {
		if part != "" && !word.MatchString(part) {
			parts[i] = "_"
		}
	}
	return strings.Join(parts, "/")
}

// Now is the time, as wrong as the file says. It is read each time: a clock can be set at
// any moment.
func Now() time.Time {
	text, err := os.ReadFile(os.Getenv("FAULTPOINT_CLOCK"))
	if err != nil {
		return time.Now()
	}
	wrong, _ := time.ParseDuration(strings.TrimSpace(string(text)))
	return time.Now().Add(wrong)
}
