package bridge

import (
	"time"

	"github.com/spreekkamer/spreekkamer/store"
)

const (
	maxBackoff  = 5 * time.Minute
	fileBackoff = time.Minute
	chatBackoff = 15 * time.Second
)

// backoff is how long to wait after a failure: 1 s, 2 s, 4 s … 5 minutes.
func backoff(attempt int) time.Duration {
	return min(time.Second<<min(max(attempt, 0), 9), maxBackoff)
}

// shortly is how long to wait with what people in a chat wait for: 1 s, 2 s, 4 s … 15 s. A
// homeserver of which one request in five fails needs many tries for a message with a file, and
// everything behind it waits too.
func shortly(attempt int) time.Duration { return min(backoff(attempt), chatBackoff) }

// patiently is how long to wait with what is filed: 1 s, 2 s, 4 s … a minute. Of a system that fails at
// three requests in ten the last messages would wait needlessly. One that is down gets a try a minute at
// most for each conversation that waits.
func patiently(attempt int) time.Duration { return min(backoff(attempt), fileBackoff) }

// worthSaying says whether one more failure of the same goes into the log: the first, the second, the
// fourth, the eighth …
func worthSaying(attempt int) bool { return attempt&(attempt-1) == 0 }

// waitFor is how long to wait for something that must still come, and comes soon: what is filed can wait longer.
func waitFor(e store.Effect) time.Duration {
	if e.Lane == matrixLane {
		return idle
	}
	return shortly(e.Attempt - 1)
}

// pauseBefore is how long to wait before the next try.
func pauseBefore(e store.Effect) time.Duration {
	if e.Lane == matrixLane {
		return shortly(e.Attempt - 1)
	}
	return patiently(e.Attempt - 1)
}
