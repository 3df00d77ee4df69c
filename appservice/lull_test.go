package appservice

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSyncPausesAMomentWhileMuchIsBeingSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l load
		waited := func() time.Duration {
			began := time.Now()
			l.lull(t.Context())
			return time.Since(began)
		}
		assert.Zero(t, waited(), "nothing is being sent")
		var ends []func()
		for range manySends {
			assert.Zero(t, waited(), "little is being sent")
			ends = append(ends, l.begin())
		}
		assert.Equal(t, lullTime, waited())
		ends[0]()
		assert.Zero(t, waited(), "one of them has arrived")
	})
}
