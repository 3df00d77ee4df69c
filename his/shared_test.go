package his_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spreekkamer/spreekkamer/his"
)

func TestTwoConnectorsOfOneServerAreTold(t *testing.T) {
	f, other := newFakeFHIR(t), newFakeFHIR(t)
	one, two := fhirAt(t, f, nil), fhirAt(t, f, func(s *his.FHIR) { s.Base += "/" })
	assert.True(t, his.SameServer(one, two))
	assert.True(t, his.SameServer(one, one))
	assert.False(t, his.SameServer(one, fhirAt(t, other, nil)))
	assert.False(t, his.SameServer(open(t, t.TempDir()), open(t, t.TempDir())))
}
