package his_test

import (
	"errors"
	"net/url"
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

// Whoever looks somebody up hears at once that it is of no use to ask again.
func TestASystemThatDoesNotLetUsLookIsToldFromOneThatIsAway(t *testing.T) {
	for status, final := range map[int]bool{400: true, 405: true, 422: true, 501: true, 401: false, 500: false, 503: false} {
		f := newFakeFHIR(t)
		c := fhirAt(t, f, nil)
		f.failSearch = func(string, url.Values) int { return status }
		_, _, err := c.(his.Finder).Find(t.Context(), his.PatientQuery{BSN: "999990019"})
		require.Error(t, err)
		assert.Equal(t, final, errors.Is(err, his.ErrRefused), status)
		assert.NotContains(t, err.Error(), "999990019")
	}
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
