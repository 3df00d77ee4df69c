package bridge

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// A busyHIS says how long it wants to be left alone, and counts who comes nevertheless.
type busyHIS struct {
	brokenHIS
	asked int
}

func (h *busyHIS) File(ctx context.Context, item his.Item) (his.Receipt, error) {
	h.asked++
	return h.brokenHIS.File(ctx, item)
}

func (h *busyHIS) wants(d time.Duration) {
	h.err = fmt.Errorf("file item 1: %w", &rest.Error{Status: 503, Code: rest.CodeBusy, Retry: d})
}

func TestAHISIsLeftAloneForAsLongAsItSays(t *testing.T) {
	for name, tt := range map[string]struct{ says, waits time.Duration }{
		"ten minutes":                 {10 * time.Minute, 10 * time.Minute},
		"less than we wait ourselves": {time.Millisecond, time.Second},
		"nothing":                     {0, time.Second},
		"a day":                       {day, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			h := &busyHIS{}
			h.wants(tt.says)
			w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
			consulting := w.registered(anna)
			w.writes(anna, consulting, "Een vraag")
			w.writes(anna, consulting, "over mijzelf")
			require.Equal(t, 1, h.asked)
			w.passes(tt.waits - time.Millisecond)
			assert.Equal(t, 1, h.asked, "not before its time")
			h.err = nil
			w.passes(time.Millisecond)
			assert.Equal(t, 2, h.asked)
			require.Len(t, h.filed, 1)
			assert.Equal(t, "Een vraag", h.filed[0].Text)
		})
	}
}
