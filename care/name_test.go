package care

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestANameOfStaffIsWhatSomeoneIsCalled(t *testing.T) {
	for typed, want := range map[string]string{
		"Fatima": "Fatima", "  Dokter   De Vries ": "Dokter De Vries", "J. van 't Hof-Smit": "J. van 't Hof-Smit",
		"Şeyma Öztürk": "Şeyma Öztürk", "李 小龙": "李 小龙", strings.Repeat("a", 40): strings.Repeat("a", 40),
	} {
		name, err := StaffName(typed)
		assert.NoError(t, err, typed)
		assert.Equal(t, want, name)
	}
	for _, typed := range []string{
		"", " ", ".", "@fatima:praktijk.example", "Fatima, huisarts", "Fatima: arts", "06 12345678", "<b>Fatima</b>",
		"Fatima\u202eamitaF", "Fa\x00tima", "Fatima 👩‍⚕️", "https://x.example", strings.Repeat("a", 41),
	} {
		_, err := StaffName(typed)
		assert.ErrorIs(t, err, ErrStaffName, "%q", typed)
	}
}
