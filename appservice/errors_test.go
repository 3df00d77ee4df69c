package appservice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix"
)

func answer(status int, code string, extra ...string) error {
	e := mautrix.HTTPError{Response: &http.Response{StatusCode: status, Header: http.Header{}}}
	if code != "" {
		e.RespError = &mautrix.RespError{ErrCode: code, Err: "no"}
	}
	for i := 0; i+1 < len(extra); i += 2 {
		e.Response.Header.Set(extra[i], extra[i+1])
	}
	return e
}

func TestWhatAnErrorMeans(t *testing.T) {
	all := []error{ErrForbidden, ErrTooLarge, ErrNotFound, ErrUnknownToken, ErrUnsupported, ErrPermanent}
	for _, tt := range []struct {
		name string
		err  error
		is   []error
	}{
		{"forbidden", answer(403, "M_FORBIDDEN"), []error{ErrForbidden, ErrPermanent}},
		{"forbidden by a proxy", answer(403, ""), []error{ErrForbidden, ErrPermanent}},
		{"a server at its limit is not forbidding", answer(403, "M_RESOURCE_LIMIT_EXCEEDED"), nil},
		{"too large", answer(413, "M_TOO_LARGE"), []error{ErrTooLarge, ErrPermanent}},
		{"too large, as Dendrite says it", answer(413, "M_BAD_JSON"), []error{ErrTooLarge, ErrPermanent}},
		{"forbidden, as Dendrite says it", answer(403, "M_UNKNOWN"), []error{ErrForbidden, ErrPermanent}},
		{"not there", answer(404, "M_NOT_FOUND"), []error{ErrNotFound}},
		{"nothing there, says a proxy", answer(404, ""), nil},
		{"not there, as Dendrite says it", answer(404, "M_UNKNOWN"), []error{ErrNotFound}},
		{"no such request", answer(404, "M_UNRECOGNIZED"), []error{ErrUnsupported}},
		{"switched off", answer(501, "M_UNKNOWN"), []error{ErrUnsupported}},
		{"token gone", answer(401, "M_UNKNOWN_TOKEN"), []error{ErrUnknownToken}},
		{"bad request", answer(400, "M_BAD_JSON"), []error{ErrPermanent}},
		{"slow down", answer(429, "M_LIMIT_EXCEEDED"), nil},
		{"down", answer(502, ""), nil},
		{"unreachable", errors.New("connection refused"), nil},
		{"unreadable answer", mautrix.HTTPError{Response: &http.Response{StatusCode: 404}, WrappedError: errors.New("EOF")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := failed(fmt.Errorf("wrapped: %w", tt.err), "try %s", "this")
			assert.ErrorContains(t, err, "try this")
			for _, class := range all {
				want := false
				for _, is := range tt.is {
					want = want || is == class
				}
				assert.Equal(t, want, errors.Is(err, class), class.Error())
			}
		})
	}
	assert.NoError(t, failed(nil, "nothing"))
}

func TestRetryAfter(t *testing.T) {
	inBody := answer(429, "M_LIMIT_EXCEEDED").(mautrix.HTTPError)
	inBody.RespError.ExtraData = map[string]any{"retry_after_ms": 1500.0}
	for _, tt := range []struct {
		name  string
		err   error
		want  time.Duration
		about bool
	}{
		{"in the header", answer(429, "M_LIMIT_EXCEEDED", "Retry-After", "7"), 7 * time.Second, true},
		{"in the body", inBody, 1500 * time.Millisecond, true},
		{"not said", answer(429, ""), 0, true},
		{"another error", answer(500, ""), 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, about := RetryAfter(fmt.Errorf("x: %w", tt.err))
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.about, about)
		})
	}
}

func TestDelayFollowsTheHomeserverOrTheBackoff(t *testing.T) {
	assert.Equal(t, 7*time.Second, delay(answer(429, "", "Retry-After", "7"), time.Second))
	for range 100 {
		d := delay(errors.New("down"), 10*time.Second)
		assert.True(t, d >= 5*time.Second && d < 15*time.Second, d)
	}
}

func TestGuardSwallowsPanics(t *testing.T) {
	err := guard(func() error { panic("what Anna wrote") })
	assert.ErrorIs(t, err, ErrPermanent)
	assert.NotContains(t, err.Error(), "Anna")
}

func TestLibraryLogHoldsNothingPersonal(t *testing.T) {
	var out bytes.Buffer
	log := quietLogger(zerolog.New(&out))
	log.Warn().Str("url", "http://hs/_matrix/client/v3/profile/@anna:gp.example").Str("user_id", "@anna:gp.example").
		RawJSON("req_body", []byte(`{"body":"my secret"}`)).Str("room_id", "!r:gp.example").Int("status_code", 502).
		Err(errors.New("Put \"http://hs/%40anna%3Agp.example/x\": @anna:gp.example went away")).Msg("Request of @anna:gp.example failed")
	log.Error().Msg("Request failed")
	log.Info().Msg("my secret in an info line")
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	assert.Equal(t, "!r:gp.example", line["room_id"])
	assert.Equal(t, 502.0, line["status_code"])
	assert.Equal(t, "warn", line["level"])
	for _, personal := range []string{"anna", "secret"} {
		assert.NotContains(t, strings.ToLower(out.String()), personal)
	}
}

func TestLimiter(t *testing.T) {
	clock := now
	l := newLimiter(time.Minute, func() time.Time { return clock })
	assert.True(t, l.allow("a"))
	assert.False(t, l.allow("a"))
	assert.True(t, l.allow("b"))
	clock = clock.Add(time.Minute)
	assert.True(t, l.allow("a"))
	for i := range limiterSize + 5 {
		l.allow(fmt.Sprint(i))
	}
	assert.LessOrEqual(t, len(l.last), limiterSize)
}

// Traefik, an ingress of Kubernetes or nginx say so while the homeserver behind them starts. What
// was written is there all the same, and so is what had to go.
func TestAProxyWithoutAHomeserverSaysNothingOfAnEvent(t *testing.T) {
	for _, page := range []string{"404 page not found\n", "<html><h1>404 Not Found</h1></html>", "", "default backend - 404"} {
		b, _ := scriptedBot(t, map[string][]reply{"/": {{404, page}}})
		_, err := b.Read(t.Context(), "!room:gp.example", "$event")
		require.Error(t, err, "%q", page)
		assert.NotErrorIs(t, err, ErrNotFound, "it would be passed over without a word")
		_, err = b.Gone(t.Context(), "!room:gp.example", "$event")
		require.Error(t, err, "it would be proven gone")
		err = b.Redact(t.Context(), "!room:gp.example", "$event", "txn")
		require.Error(t, err)
		assert.NotErrorIs(t, err, ErrNotFound, "it would be proven gone")
	}
}
