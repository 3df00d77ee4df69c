package histest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
)

func canCopy(_ testing.TB, f Fixture) bool {
	_, can := f.Connector.(his.Copier)
	return can
}

// copies: what imports what is filed has the answer already.
func copies(t *testing.T, f Fixture) {
	c := f.Connector.(his.Copier)
	file(t, f.Connector, Message(1))
	answer := Message(2)
	answer.Author, answer.Text = gp, "Dat is niet erg."
	first, err := c.Copy(t.Context(), answer)
	require.NoError(t, err)
	assert.False(t, first.Already)
	assert.NotContains(t, first.Reference, answer.Conversation.Patient.Number)
	again, err := c.Copy(t.Context(), answer)
	require.NoError(t, err)
	assert.Equal(t, his.Receipt{Reference: first.Reference, Already: true}, again)
	only(t, f)
	repair := f.Break(t)
	answer = Message(3)
	_, err = c.Copy(t.Context(), answer)
	require.Error(t, err)
	assert.NotErrorIs(t, err, his.ErrRefused)
	Discreet(t, err, answer)
	repair()
	later, err := c.Copy(t.Context(), answer)
	require.NoError(t, err)
	assert.False(t, later.Already)
}
