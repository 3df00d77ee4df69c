package appservice

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// requests are all ways in which the bridge asks the homeserver for something.
var requests = map[string]func(ctx context.Context, b *bot) error{
	"read":   func(ctx context.Context, b *bot) error { _, err := b.Read(ctx, "!r:gp.example", "$1"); return err },
	"gone":   func(ctx context.Context, b *bot) error { _, err := b.Gone(ctx, "!r:gp.example", "$1"); return err },
	"redact": func(ctx context.Context, b *bot) error { return b.Redact(ctx, "!r:gp.example", "$1", "sk1") },
	"send": func(ctx context.Context, b *bot) error {
		_, err := b.Send(ctx, "!r:gp.example", event.EventMessage, map[string]any{"body": "x"}, "sk1")
		return err
	},
	"send again": func(ctx context.Context, b *bot) error {
		_, err := b.Resend(ctx, "!r:gp.example", event.EventMessage, map[string]any{"body": "x"}, "sk1", time.Now())
		return err
	},
	"room": func(ctx context.Context, b *bot) error {
		_, err := b.EnsureRoom(ctx, RoomSpec{Alias: "spreek-1", PowerLevels: &event.PowerLevelsEventContent{}})
		return err
	},
	"state": func(ctx context.Context, b *bot) error {
		return b.SetState(ctx, "!r:gp.example", event.StateTopic, "", nil)
	},
	"invite": func(ctx context.Context, b *bot) error { return b.Invite(ctx, "!r:gp.example", "@anna:gp.example") },
	"kick":   func(ctx context.Context, b *bot) error { return b.Kick(ctx, "!r:gp.example", "@anna:gp.example", "") },
	"join":   func(ctx context.Context, b *bot) error { return b.Join(ctx, "!r:gp.example") },
	"leave":  func(ctx context.Context, b *bot) error { return b.Leave(ctx, "!r:gp.example") },
	"download": func(ctx context.Context, b *bot) error {
		_, err := b.Download(ctx, "mxc://gp.example/1", nil, 1000)
		return err
	},
	"upload": func(ctx context.Context, b *bot) error {
		_, err := b.Upload(ctx, []byte("x"), func(id.ContentURIString) error { return nil })
		return err
	},
	"erase": func(ctx context.Context, b *bot) error { return b.EraseMedia(ctx, "mxc://gp.example/1") },
	"sync":  func(ctx context.Context, b *bot) error { return b.syncOnce(ctx, 0) },
}

func TestNoErrorRepeatsWhatAHomeserverSays(t *testing.T) {
	const says = "@anna:gp.example wrote kanarie"
	answers := map[string]reply{
		"refused":     {http.StatusForbidden, `{"errcode":"M_FORBIDDEN","error":"` + says + `"}`},
		"down":        {http.StatusBadGateway, `{"errcode":"M_UNKNOWN","error":"` + says + `"}`},
		"a proxy":     {http.StatusBadGateway, "<html>" + says + "</html>"},
		"a bad code":  {http.StatusBadRequest, `{"errcode":"` + says + `","error":"` + says + `"}`},
		"no JSON":     {http.StatusOK, says},
		"other types": {http.StatusOK, `"` + says + `"`},
	}
	for name, answer := range answers {
		b, _ := scriptedBot(t, map[string][]reply{"": {answer}})
		for request, ask := range requests {
			t.Run(name+" "+request, func(t *testing.T) {
				if err := ask(t.Context(), b); err != nil {
					assert.NotContains(t, err.Error(), "anna")
					assert.NotContains(t, err.Error(), "kanarie")
				}
			})
		}
	}
}

func TestAnErrorStillTellsWhatToDo(t *testing.T) {
	refused := answer(http.StatusForbidden, "M_FORBIDDEN")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{failed(refused, "redact event %s", "$1"), "redact event $1: forbidden: trying again is of no use: M_FORBIDDEN (HTTP 403)"},
		{failed(answer(http.StatusBadGateway, ""), "ask"), "ask: HTTP 502"},
		{failed(failed(refused, "inner"), "outer"), "outer: inner: forbidden: trying again is of no use: M_FORBIDDEN (HTTP 403)"},
		{failed(fmt.Errorf("put: %w", context.DeadlineExceeded), "ask"), "ask: no answer in time"},
		{failed(mautrix.HTTPError{Message: "request to @anna:x", WrappedError: context.Canceled}, "ask"), "ask: cancelled"},
	} {
		assert.Equal(t, tt.want, tt.err.Error())
	}
	assert.ErrorIs(t, failed(failed(refused, "inner"), "outer"), ErrForbidden)
	var inside mautrix.HTTPError
	assert.True(t, errors.As(failed(refused, "x"), &inside), "the answer itself is still there for deciding")
}

func TestScrub(t *testing.T) {
	for text, want := range map[string]string{
		"invite @anna:gp.example to !r:gp.example":        "invite (user) to !r:gp.example",
		"Put http://hs/%40anna%3Agp.example/x?token=abc":  "Put http://hs/(user)/x",
		"share keys: M_UNKNOWN (HTTP 500): Anna said\nno": "share keys: M_UNKNOWN (HTTP 500)",
		"HTTP 502: <html>Anna</html>":                     "HTTP 502",
	} {
		assert.Equal(t, want, Scrub(text))
	}
	assert.LessOrEqual(t, len(Scrub(strings.Repeat("é", 1000))), longestError+len("…"))
}
