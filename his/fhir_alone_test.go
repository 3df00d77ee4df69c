package his_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// What became of one message is not known, and the server takes long to say it. That the practice and
// its staff are there is known all the same: nobody else waits.
func TestOnePatientInDoubtHoldsUpNoOther(t *testing.T) {
	f := newFakeFHIR(t)
	f.can(true, true, true, allTypes...)
	g := gatewayTo(t, f)
	c := fhirAt(t, f, func(s *his.FHIR) { s.Base = g.URL + "/fhir" })
	mine, other := histest.Message(1), histest.Message(1)
	other.ID, other.Conversation.ID = uuid.New(), uuid.New()
	other.Conversation.Patient.Number, other.Conversation.Patient.BSN = "20418", ""
	fileIn(t, c, mine)
	fileIn(t, c, other)

	mine.ID, other.ID = uuid.New(), uuid.New()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.File(gone, mine)
	require.Error(t, err)
	begun, finish := make(chan struct{}), make(chan struct{})
	g.instead = func(path string) (int, string, string) {
		if strings.Contains(path, "/Provenance/") {
			close(begun)
			<-finish
		}
		return 0, "", ""
	}
	filed := make(chan error)
	go func() { _, err := c.File(context.Background(), mine); filed <- err }()
	<-begun
	soon, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = c.File(soon, other)
	assert.NoError(t, err)
	close(finish)
	require.NoError(t, <-filed)
}
