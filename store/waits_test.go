package store

import (
	"strings"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/stretchr/testify/require"
)

func TestAnUpgradePlansWhatBeheerHearsOfWhatWaitsAlready(t *testing.T) {
	upgrade, err := migrations.ReadFile("migrations/26-waits.sql")
	require.NoError(t, err)
	_, update, found := strings.Cut(string(upgrade), "UPDATE")
	require.True(t, found)
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		long, soon, told := noon.Add(-72*time.Hour), noon.Add(time.Hour), noon.Add(-47*time.Hour)
		for person, r := range map[string]care.Reminder{
			"writes on": {Question: care.AskWhom, DueAt: soon},
			"identity":  {Question: care.AskIdentityBirth, Sent: 1, DueAt: soon},
			"to come":   {Question: care.AskGround, Since: noon, Sent: 1, DueAt: soon},
			"in a turn": {Question: care.AskDerdeName},
			"told":      {Question: care.AskWhom, Sent: 2},
			"registers": {Question: care.AskPhone, DueAt: soon},
			"answered":  {},
		} {
			if r.Person = person; r.Since.IsZero() {
				r.Since = long
			}
			require.NoError(t, s.SaveReminder(ctx, r))
		}
		_, err := s.exec(ctx, "UPDATE"+update)
		require.NoError(t, err)
		for person, want := range map[string][2]time.Time{ // when Beheer hears, and when there is something to do
			"writes on": {told, told}, "identity": {told, told}, "to come": {noon.Add(25 * time.Hour), soon}, "in a turn": {told, told},
			"told": {}, "registers": {{}, soon}, "answered": {},
		} {
			r := must[care.Reminder](t)(s.Reminder(ctx, person))
			require.True(t, r.TellAt.Equal(want[0]), "%s: %s", person, r.TellAt)
			require.True(t, r.DueAt.Equal(want[1]), "%s: %s", person, r.DueAt)
		}
	})
}

func TestAReminderThatWasNotSaidIsTakenBack(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		r := care.Reminder{Person: "anna", Question: care.AskWhom, Sent: 1}
		require.NoError(t, s.SaveReminder(ctx, r))
		for _, tt := range []struct {
			question care.Question
			want     int
		}{{care.AskGround, 1}, {care.AskWhom, 0}, {care.AskWhom, 0}} {
			require.NoError(t, s.Unremind(ctx, "anna", tt.question))
			require.Equal(t, tt.want, must[care.Reminder](t)(s.Reminder(ctx, "anna")).Sent)
		}
	})
}
