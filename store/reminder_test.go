package store

import (
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/stretchr/testify/require"
)

func TestAReminderIsKeptUntilItIsDueAndOnlyOneOfEach(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.Equal(t, care.Reminder{}, must[care.Reminder](t)(s.Reminder(ctx, "anna")))
		first := care.Reminder{
			Person: "anna", Question: care.AskWhom, Conversation: "c1", Since: noon.Add(-time.Hour), RemindAt: noon.Add(time.Hour),
			Waits: noon.Add(-24 * time.Hour), TellAt: noon, DueAt: noon,
		}
		later := care.Reminder{Person: "bram", Question: care.AskPhone, Sent: 1, DueAt: noon.Add(time.Minute)}
		for _, r := range []care.Reminder{later, first, {Person: "carla", Question: care.AskAgain}} {
			require.NoError(t, s.SaveReminder(ctx, r))
		}
		due := func(now time.Time, limit int) []string { return must[[]string](t)(s.DueReminders(ctx, now, limit)) }
		kept := must[care.Reminder](t)(s.Reminder(ctx, "anna"))
		for _, times := range [][2]time.Time{{first.RemindAt, kept.RemindAt}, {first.Waits, kept.Waits}, {first.TellAt, kept.TellAt}} {
			require.True(t, times[0].Equal(times[1]))
		}
		require.Empty(t, due(noon.Add(-time.Millisecond), 9))
		require.Equal(t, []string{"anna"}, due(noon, 9))
		require.Equal(t, []string{"anna", "bram"}, due(noon.Add(time.Hour), 9))
		require.Equal(t, []string{"anna"}, due(noon.Add(time.Hour), 1))
		again := must[care.Reminder](t)(s.Reminder(ctx, "bram"))
		require.True(t, again.DueAt.Equal(later.DueAt))
		again.DueAt = later.DueAt
		require.Equal(t, later, again)

		first = care.Reminder{Person: "anna", Question: care.AskGround, Conversation: "c1", Sent: 2}
		require.NoError(t, s.SaveReminder(ctx, first))
		require.Equal(t, first, must[care.Reminder](t)(s.Reminder(ctx, "anna")))
		require.Equal(t, []string{"bram"}, due(noon.Add(time.Hour), 9))
	})
}

func TestWhatSomeoneAnswersIsWhatWasAskedLastBefore(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for i, event := range []string{"$one", "$two", "$three"} {
			asked := noon.Add(time.Duration(i) * time.Hour)
			require.NoError(t, s.AddPrompt(ctx, Prompt{EventID: event, Person: "anna", Question: care.AskWhom, AskedAt: asked}))
		}
		for answered, want := range map[time.Duration]string{time.Hour: "$two", 90 * time.Minute: "$two", 5 * time.Hour: "$three"} {
			got := found[Prompt](t)(s.PromptAt(ctx, "anna", care.AskWhom, noon.Add(time.Minute), noon.Add(answered)))
			require.Equal(t, want, got.EventID)
		}
		missing[Prompt](t)(s.PromptAt(ctx, "anna", care.AskWhom, noon.Add(time.Minute), noon.Add(time.Minute)))
		missing[Prompt](t)(s.PromptAt(ctx, "bram", care.AskWhom, noon, noon.Add(time.Hour)))
	})
}
