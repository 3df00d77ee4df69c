package his_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

func TestWhatTheSystemHasNothingOfCannotBeMarkedAsAMistakeThere(t *testing.T) {
	item := histest.Message(1)
	item.Kind, item.ID = his.KindMistake, uuid.New()
	_, err := fhirAt(t, newFakeFHIR(t), nil).File(t.Context(), item)
	require.ErrorIs(t, err, his.FlawNotThere)
	require.ErrorIs(t, err, his.ErrRefused)
	why, _ := his.WhyRefused(err)
	assert.Equal(t, "not_there", why)
}

func TestEveryCodeIsThereOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, code := range his.Refusals() {
		assert.False(t, seen[code], code)
		seen[code] = true
	}
	clear(seen)
	for _, p := range his.Problems() {
		assert.False(t, seen[string(p)], p)
		seen[string(p)] = true
	}
}
