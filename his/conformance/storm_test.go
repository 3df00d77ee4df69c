//go:build conformance

package conformance_test

import (
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/his/conformance"
)

func TestAStormBeforeHAPI(t *testing.T) { conformance.Storm(t, hapi(t), 500, 3*time.Second, 20261125) }
