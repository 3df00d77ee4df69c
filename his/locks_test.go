package his_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// A slow download holds up its own conversation and no other, and who waits may give up.
func TestOneConversationWaitsForNoOther(t *testing.T) {
	c := open(t, t.TempDir())
	slow, same, other := histest.Message(1), histest.Message(2), histest.Message(1)
	other.Conversation.Number++
	begun, finish := make(chan struct{}), make(chan struct{})
	slow.Attachments = []his.Attachment{histest.Photo("foto.jpg", []byte("x"))}
	data := slow.Attachments[0].Open
	slow.Attachments[0].Open = func() (io.ReadCloser, error) { close(begun); <-finish; return data() }
	filed := make(chan error)
	go func() { _, err := c.File(context.Background(), slow); filed <- err }()
	<-begun

	_, err := c.File(t.Context(), other)
	require.NoError(t, err)
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.File(impatient, same)
	require.ErrorIs(t, err, context.Canceled)

	close(finish)
	require.NoError(t, <-filed)
	_, err = c.File(t.Context(), same)
	assert.NoError(t, err)
}
