package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestADeviceIsToldOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for _, tt := range []struct {
			user, device string
			first        bool
		}{
			{"@a:test", "PHONE", true}, {"@a:test", "PHONE", false}, {"@a:test", "LAPTOP", true}, {"@b:test", "PHONE", true}, {"@a:test", "PHONE", false},
		} {
			require.Equal(t, tt.first, must[bool](t)(s.TellDevice(t.Context(), tt.user, tt.device, noon)), tt)
		}
	})
}
