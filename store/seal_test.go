package store

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func testSealer(t *testing.T, key byte) sealer {
	s, err := newSealer(bytes.Repeat([]byte{key}, keySize))
	require.NoError(t, err)
	return s
}

func sealed(t *testing.T, v any) []byte {
	b, err := testSealer(t, 1).close("person.answers", "1", v)
	require.NoError(t, err)
	return b
}

func TestWhatIsSealedOpensInItsPlaceOnly(t *testing.T) {
	b := sealed(t, "Zeldenrust")
	for name, tt := range map[string]struct {
		key         byte
		column, row string
		opens       bool
	}{
		"the same place": {1, "person.answers", "1", true},
		"another row":    {1, "person.answers", "2", false},
		"another column": {1, "person.draft", "1", false},
		"another key":    {2, "person.answers", "1", false},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			err := testSealer(t, tt.key).open(tt.column, tt.row, b, &got)
			require.Equal(t, tt.opens, err == nil)
			require.Equal(t, tt.opens, got == "Zeldenrust")
		})
	}
}

func TestSealingTheSameTwiceLooksDifferent(t *testing.T) {
	require.NotEqual(t, sealed(t, "Zeldenrust"), sealed(t, "Zeldenrust"))
	require.NotContains(t, string(sealed(t, "Zeldenrust")), "Zeldenrust")
}

func TestWhatWasTamperedWithDoesNotOpen(t *testing.T) {
	b := sealed(t, "Zeldenrust")
	for i := range b {
		broken := bytes.Clone(b)
		broken[i] ^= 1
		require.Error(t, testSealer(t, 1).open("person.answers", "1", broken, new(string)), "byte %d", i)
		require.Error(t, testSealer(t, 1).open("person.answers", "1", b[:i], new(string)), "cut at %d", i)
	}
}

func TestErrorsOfTheSealerDoNotSayWhatIsInside(t *testing.T) {
	err := testSealer(t, 1).open("person.answers", "1", sealed(t, "Zeldenrust"), new(int))
	require.ErrorContains(t, err, "person.answers of 1")
	require.NotContains(t, err.Error(), "Zeldenrust")
	_, err = testSealer(t, 1).close("person.answers", "1", func() {})
	require.ErrorContains(t, err, "person.answers of 1")
	_, err = newSealer([]byte("short"))
	require.Error(t, err)
}
