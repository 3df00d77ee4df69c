package story

import (
	"context"
	"errors"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/client"
)

// enter accepts an invitation. Over federation a homeserver tells of an invitation a moment
// before the other one counts on it, and Dendrite sometimes answers 500: a person would try again.
func enter(ctx context.Context, c *client.Client, room string) error {
	for again := newWait(); ; {
		err := c.Join(ctx, room)
		if !forNow(err) || again.over() {
			return err
		}
	}
}

// forNow says that a homeserver may answer otherwise in a moment.
func forNow(err error) bool {
	var answer *client.Error
	return errors.As(err, &answer) && (answer.Errcode == "M_FORBIDDEN" || answer.Status >= 500)
}

// A wait is a bounded time for something outside Matrix, which nobody announces: files of
// the HIS folder. It looks every 100 ms.
type wait struct {
	until time.Time
	tick  *time.Ticker
}

func newWait() *wait {
	return &wait{until: time.Now().Add(time.Minute), tick: time.NewTicker(100 * time.Millisecond)}
}

// over waits for the next look; true means that the time is up.
func (w *wait) over() bool {
	if time.Now().After(w.until) {
		w.tick.Stop()
		return true
	}
	<-w.tick.C
	return false
}
