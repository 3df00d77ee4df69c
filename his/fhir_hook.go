package his

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spreekkamer/spreekkamer/his/rest"
)

// hook is where the server knocks when there is something to read. What it sends with it is
// not looked at: whoever could knock in its place would otherwise write to patients.
type hook struct {
	token string // made at every start; the server gets it with the Subscription
	woken chan struct{}

	mu         sync.Mutex
	subscribed time.Time
}

func newHook() hook { return hook{token: rand.Text() + rand.Text(), woken: make(chan struct{}, 1)} }

// Woken is Answerer.Woken.
func (s *fhirServer) Woken() <-chan struct{} { return s.hook.woken }

// Hook is Hooked.Hook.
func (s *fhirServer) Hook() http.Handler { return &s.hook }

// ServeHTTP takes a knock: an empty POST, or a PUT with a resource behind the address.
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1<<20)) //nolint:errcheck // it is not looked at
	given := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case subtle.ConstantTimeCompare([]byte(given), []byte(h.token)) != 1:
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		select {
		case h.woken <- struct{}{}:
		default: // it has been woken already
		}
		w.WriteHeader(http.StatusOK)
	}
}

// renew is how often the Subscription is put again: some servers switch it off after errors.
const renew = time.Hour

// subscribe asks the server to knock. It is a convenience: a server that cannot is polled.
func (s *fhirServer) subscribe(ctx context.Context) {
	if s.settings.HookURL == "" || !s.hook.due(time.Now()) {
		return
	}
	for _, criteria := range []string{"Communication?status=completed", "Communication?status=in-progress", "Task?"} {
		id := resourceID(derive(namespace, "subscription", s.settings.HookURL, criteria))
		said, err := json.Marshal(map[string]any{
			"resourceType": "Subscription", "id": id, "status": "requested", "criteria": criteria,
			"reason": "Spreekkamer wil weten dat er een antwoord is.",
			"channel": map[string]any{
				"type": "rest-hook", "endpoint": s.settings.HookURL, "header": []string{"Authorization: Bearer " + s.hook.token},
			},
		})
		if err == nil {
			_, err = s.client.Do(ctx, rest.Request{Method: http.MethodPut, Path: "Subscription/" + id, Body: rest.JSON(said)})
		}
		if err != nil {
			return // polling goes on, and in an hour we ask again
		}
	}
}

func (h *hook) due(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.subscribed) < renew {
		return false
	}
	h.subscribed = now
	return true
}
