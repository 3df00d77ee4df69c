package app

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// seen is what Synapse shows of an event that was redacted some time ago.
func seen(ago time.Duration, original answerOf) answers {
	page := fmt.Sprintf(`{"chunk":[{"event_id":"$kept"},{"event_id":"$gone","unsigned":{"redacted_because":{"origin_server_ts":%d}}}]}`,
		theTime.Add(-ago).UnixMilli())
	return answers{
		versions: {200, `{}`}, "GET /_matrix/federation/v1/version": {200, `{"server":{"name":"Synapse"}}`},
		"GET /_matrix/client/v3/joined_rooms":            {200, `{"joined_rooms":["!own:x"]}`},
		"GET /_matrix/client/v3/rooms/%21own:x/state":    {200, `[{"type":"m.room.create","state_key":"","sender":"@spreekkamer:gp.example"}]`},
		"GET /_matrix/client/v3/rooms/%21own:x/messages": {200, page},
		"GET /_synapse/admin/v1/fetch_event/$gone":       original,
	}
}

type answerOf = struct {
	status int
	body   string
}

func TestTheDoctorSeesWhetherRedactedOriginalsAreDropped(t *testing.T) {
	for name, tt := range map[string]struct {
		answers answers
		err     string
	}{
		"dropped":            {seen(48*time.Hour, answerOf{200, `{"event":{"content":{}}}`}), ""},
		"still there":        {seen(48*time.Hour, answerOf{200, `{"event":{"content":{"body":"kanarie"}}}`}), "still there"},
		"too young to tell":  {seen(time.Hour, answerOf{200, `{"event":{"content":{}}}`}), "nothing was redacted long enough ago"},
		"no administrator":   {seen(48*time.Hour, answerOf{403, `{"errcode":"M_FORBIDDEN"}`}), "only an administrator"},
		"a room without end": {answers{"GET /_matrix/federation/v1/version": {200, `{"server":{"name":"Synapse"}}`}}, "redaction_retention_period"},
	} {
		t.Run(name, func(t *testing.T) {
			kept, err := probe(t, tt.answers).RedactedFor(context.Background())
			assert.Zero(t, kept)
			if tt.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrCannotTell)
			require.ErrorContains(t, err, tt.err)
			assert.NotContains(t, err.Error(), "kanarie")
		})
	}
}
