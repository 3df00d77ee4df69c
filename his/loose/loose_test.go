package loose_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his/loose"
)

func TestElementsAreFoundByTheirNames(t *testing.T) {
	var r loose.Resource
	require.NoError(t, json.Unmarshal([]byte(`{"a":{"b":"text"},"list":[{"c":"first"},{"c":"second"},"no object"],"none":[],"n":1}`), &r))
	assert.Equal(t, "text", r.Text("a.b"))
	assert.Equal(t, "first", r.Text("list.c"), "a list is entered at its first member")
	for _, path := range []string{"", "x", "a.x", "a.b.c", "none.c", "n", "n.x", "a"} {
		assert.Empty(t, r.Text(path), path)
	}
	assert.Len(t, r.List("list"), 2)
	assert.Empty(t, r.List("a"))
	assert.Empty(t, loose.Resource(nil).Text("a"))
	assert.NotNil(t, r.At("n"))
}
