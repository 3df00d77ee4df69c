package store

import (
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/stretchr/testify/require"
)

func TestAnUpgradePlansRemindersOfTheQuestionsThatAreOpen(t *testing.T) {
	upgrade, err := migrations.ReadFile("migrations/25-asked.sql")
	require.NoError(t, err)
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		asked := noon.Add(-2 * time.Hour)
		changed := noon.Add(-3 * time.Hour)
		for _, tt := range []struct {
			id       string
			state    care.AccountState
			question care.Question
			prompts  []time.Time
		}{
			{"whom", care.Active, care.AskWhom, []time.Time{asked.Add(-time.Hour), asked}},
			{"ground", care.Active, care.AskGround, []time.Time{asked}},
			{"identity", care.Unconfirmed, care.AskIdentityName, []time.Time{asked}},
			{"phone", care.Registering, care.AskPhone, []time.Time{asked}},
			{"again", care.Withdrawn, care.AskAgain, []time.Time{asked}},
			{"queued", care.Registering, care.AskPhone, nil},
			{"none", care.Active, care.NoQuestion, nil},
			{"planned", care.Active, care.AskWhom, []time.Time{asked}},
		} {
			require.NoError(t, s.SavePerson(ctx, care.Person{
				ID: tt.id, UserID: "@" + tt.id + ":test", State: tt.state, Question: tt.question, Current: "c", ChangedAt: changed,
			}))
			for _, at := range tt.prompts {
				prompt := Prompt{EventID: "$" + tt.id + at.String(), Person: tt.id, Question: tt.question, AskedAt: at}
				require.NoError(t, s.AddPrompt(ctx, prompt))
			}
		}
		planned := care.Reminder{Person: "planned", Question: care.AskWhom, Conversation: "c", Since: noon, Sent: 1, DueAt: noon}
		require.NoError(t, s.SaveReminder(ctx, planned))
		for range 2 {
			_, err = s.exec(ctx, string(upgrade))
			require.NoError(t, err)
		}
		day := 24 * time.Hour
		for id, want := range map[string]care.Reminder{
			"whom":     {Question: care.AskWhom, Conversation: "c", Since: asked, DueAt: asked.Add(time.Hour)},
			"ground":   {Question: care.AskGround, Conversation: "c", Since: asked, DueAt: asked.Add(time.Hour)},
			"identity": {Question: care.AskIdentityName, Since: asked, DueAt: asked.Add(time.Hour)},
			"phone":    {Question: care.AskPhone, Since: asked, DueAt: asked.Add(day)},
			"again":    {Question: care.AskAgain, Since: asked},
			"queued":   {Question: care.AskPhone, Since: changed, DueAt: changed.Add(day)},
			"planned":  planned,
		} {
			got := must[care.Reminder](t)(s.Reminder(ctx, id))
			require.True(t, got.DueAt.Equal(want.DueAt), "%s: %s", id, got.DueAt)
			require.True(t, got.Since.Equal(want.Since), "%s: %s", id, got.Since)
			want.Person, want.DueAt, want.Since = id, got.DueAt, got.Since
			require.Equal(t, want, got)
			person, _, err := s.Person(ctx, id)
			require.NoError(t, err)
			require.True(t, got.IsOf(person), "as the bridge would plan it")
		}
		require.Equal(t, care.Reminder{}, must[care.Reminder](t)(s.Reminder(ctx, "none")))
	})
}
