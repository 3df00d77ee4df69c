package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// enter adds events to the ledger, due at noon plus so many minutes.
func enter(t *testing.T, s *Store, room string, due map[string]int) {
	t.Helper()
	for id, minutes := range due {
		require.NoError(t, s.AddLedger(t.Context(), LedgerRow{
			EventID: id, RoomID: room, Type: "m.room.message", SentAt: noon.Add(-time.Hour), DueAt: noon.Add(time.Duration(minutes) * time.Minute),
		}))
	}
}

func dueEvents(t *testing.T, s *Store, now time.Time) (ids []string) {
	t.Helper()
	for _, row := range must[[]LedgerRow](t)(s.LedgerDue(t.Context(), now, 10)) {
		ids = append(ids, row.EventID)
	}
	return ids
}

func TestWhatIsDueComesMostUrgentFirst(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		missing[time.Time](t)(s.NextInLedger(t.Context()))
		enter(t, s, "!r", map[string]int{"$later": 5, "$now": 0, "$overdue": -5})
		require.Equal(t, []string{"$overdue", "$now"}, dueEvents(t, s, noon))
		require.Len(t, must[[]LedgerRow](t)(s.LedgerDue(t.Context(), noon, 1)), 1)
		require.Equal(t, noon.Add(-5*time.Minute-55*time.Minute/30), found[time.Time](t)(s.NextInLedger(t.Context())), "a thirtieth earlier than it must be gone")
	})
}

func TestAnEventGoesFromKeptToRedactedToVerified(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		enter(t, s, "!r", map[string]int{"$1": 0})
		require.NoError(t, s.MarkRedacted(t.Context(), "$1", noon.Add(time.Second)))
		require.Empty(t, dueEvents(t, s, noon))
		require.Equal(t, []string{"$1"}, dueEvents(t, s, noon.Add(time.Second)), "to be proven gone")
		row := found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$1"))
		require.Equal(t, LedgerRedacted, row.State)
		require.Equal(t, noon, row.RedactedAt)
		require.NoError(t, s.MarkVerified(t.Context(), "$1", noon.Add(time.Second)))
		require.Empty(t, dueEvents(t, s, noon.Add(time.Hour)))
		row = found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$1"))
		require.Equal(t, LedgerVerified, row.State)
		require.Equal(t, noon.Add(time.Second), row.VerifiedAt)
	})
}

func TestWhatCouldNotBeRedactedComesBackLater(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		enter(t, s, "!r", map[string]int{"$1": 0})
		for attempt := range 2 {
			require.NoError(t, s.MarkLedgerFailed(t.Context(), "$1", noon.Add(time.Minute), "homeserver is down"))
			row := found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$1"))
			require.Equal(t, LedgerFailed, row.State)
			require.Equal(t, attempt+1, row.Attempt)
			require.Equal(t, noon, row.DueAt, "when it had to be gone does not move")
		}
		require.Empty(t, dueEvents(t, s, noon))
		require.Equal(t, []string{"$1"}, dueEvents(t, s, noon.Add(time.Minute)))
		require.NoError(t, s.MarkRedacted(t.Context(), "$1", noon))
		require.Empty(t, found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$1")).Error)
	})
}

func TestWhatIsProvenGoneStaysSo(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		enter(t, s, "!r", map[string]int{"$verified": 0, "$gone": 0})
		require.NoError(t, s.MarkVerified(ctx, "$verified", noon))
		require.NoError(t, s.MarkGone(ctx, "$gone", noon))
		for _, id := range []string{"$verified", "$gone"} {
			before := found[LedgerRow](t)(s.LedgerEvent(ctx, id))
			require.NoError(t, s.MarkLedgerFailed(ctx, id, noon, "too late"))
			require.NoError(t, s.MarkRedacted(ctx, id, noon))
			require.NoError(t, s.MarkGone(ctx, id, noon.Add(time.Hour)))
			require.NoError(t, s.DueNow(ctx, "!r", noon))
			enter(t, s, "!r", map[string]int{id: 0})
			require.Equal(t, before, found[LedgerRow](t)(s.LedgerEvent(ctx, id)))
		}
	})
}

func TestMarkingAnEventWhoseEchoIsNotBackIsNoError(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.MarkRedacted(t.Context(), "$unknown", noon))
		require.NoError(t, s.MarkVerified(t.Context(), "$unknown", noon))
		missing[LedgerRow](t)(s.LedgerEvent(t.Context(), "$unknown"))
	})
}

func TestEverythingInARoomCanBeMadeDueAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		enter(t, s, "!r", map[string]int{"$1": 60, "$overdue": -60, "$failed": 60})
		enter(t, s, "!elsewhere", map[string]int{"$2": 60})
		require.NoError(t, s.MarkLedgerFailed(ctx, "$failed", noon.Add(time.Hour), "down"))
		require.NoError(t, s.AddMedia(ctx, Media{URI: "mxc://1", RoomID: "!r", SentAt: noon, DueAt: noon.Add(time.Hour)}))
		require.NoError(t, s.DueNow(ctx, "!r", noon))
		require.ElementsMatch(t, []string{"$1", "$overdue", "$failed"}, dueEvents(t, s, noon))
		require.Equal(t, noon.Add(-time.Hour), found[LedgerRow](t)(s.LedgerEvent(ctx, "$overdue")).DueAt, "never later than it was")
		require.Len(t, must[[]Media](t)(s.MediaDue(ctx, noon, 10)), 1)
	})
}

func TestTheReportCountsEventsAndFiles(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.Equal(t, Report{}, must[Report](t)(s.RetentionReport(ctx, noon)))
		enter(t, s, "!r", map[string]int{"$kept": 1, "$due": 0, "$failed": -2, "$failed later": 3, "$redacted": -3, "$verified": -4, "$gone": -5})
		require.NoError(t, s.MarkLedgerFailed(ctx, "$failed", noon, "down"))
		require.NoError(t, s.MarkLedgerFailed(ctx, "$failed later", noon, "down"))
		require.NoError(t, s.MarkRedacted(ctx, "$redacted", noon))
		require.NoError(t, s.MarkVerified(ctx, "$verified", noon))
		require.NoError(t, s.MarkGone(ctx, "$gone", noon))
		for uri, state := range map[string]MediaState{"mxc://1": MediaErased, "mxc://2": MediaUnerasable, "mxc://3": MediaKept, "mxc://4": MediaFailed} {
			require.NoError(t, s.AddMedia(ctx, Media{URI: uri, RoomID: "!r", SentAt: noon, DueAt: noon}))
			switch state {
			case MediaErased, MediaUnerasable:
				require.NoError(t, s.MarkMedia(ctx, uri, state, noon))
			case MediaFailed:
				require.NoError(t, s.RetryMedia(ctx, uri, noon, "down"))
			}
		}
		require.Equal(t, Report{
			Kept: 2, Due: 2, Redacted: 1, Verified: 1, Gone: 1, Failed: 2, MediaKept: 2, MediaErased: 1, MediaUnerasable: 1,
			Oldest: noon.Add(-2 * time.Minute),
		}, must[Report](t)(s.RetentionReport(ctx, noon)))
	})
}

func TestAFileIsRememberedBeforeItsEventIsKnown(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		m := Media{URI: "mxc://test/1", RoomID: "!r", Own: true, SentAt: noon, DueAt: noon.Add(time.Hour)}
		require.NoError(t, s.AddMedia(ctx, m))
		require.Empty(t, must[[]Media](t)(s.MediaOf(ctx, "")), "no event shows it yet")
		m.EventID = "$1"
		require.NoError(t, s.AddMedia(ctx, m))
		require.NoError(t, s.AddMedia(ctx, Media{URI: m.URI, DueAt: noon.Add(9 * time.Hour)}), "what is not said stays")
		m.State, m.NextAt = MediaKept, m.DueAt.Add(-time.Minute)
		require.Equal(t, m, found[Media](t)(s.Media(ctx, m.URI)))
		require.Equal(t, []Media{m}, must[[]Media](t)(s.MediaOf(ctx, "$1")))
		missing[Media](t)(s.Media(ctx, "mxc://test/2"))
	})
}

func TestAFileThatCouldNotBeErasedComesBackLater(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for _, uri := range []string{"mxc://1", "mxc://2"} {
			require.NoError(t, s.AddMedia(ctx, Media{URI: uri, RoomID: "!r", SentAt: noon, DueAt: noon}))
		}
		require.NoError(t, s.RetryMedia(ctx, "mxc://1", noon.Add(time.Minute), "down"))
		require.NoError(t, s.MarkMedia(ctx, "mxc://2", MediaUnerasable, noon))
		require.NoError(t, s.RetryMedia(ctx, "mxc://2", noon, "too late"))
		require.Empty(t, must[[]Media](t)(s.MediaDue(ctx, noon, 10)))
		due := must[[]Media](t)(s.MediaDue(ctx, noon.Add(time.Minute), 10))
		require.Len(t, due, 1)
		require.Equal(t, MediaFailed, due[0].State)
		require.Equal(t, 1, due[0].Attempt)
	})
}

func TestTheFilesOfARemovedEventAreDueAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for uri, event := range map[string]string{"mxc://1": "$1", "mxc://1 thumbnail": "$1", "mxc://2": "$2", "mxc://unknown": ""} {
			require.NoError(t, s.AddMedia(ctx, Media{URI: uri, RoomID: "!r", EventID: event, SentAt: noon, DueAt: noon.Add(time.Hour)}))
		}
		require.NoError(t, s.HurryMedia(ctx, "$1", noon))
		require.NoError(t, s.HurryMedia(ctx, "", noon), "what belongs to no event yet is not meant")
		require.Len(t, must[[]Media](t)(s.MediaDue(ctx, noon, 10)), 2)
		require.NoError(t, s.HurryMedia(ctx, "$1", noon.Add(time.Minute)), "never later than it was")
		require.Len(t, must[[]Media](t)(s.MediaDue(ctx, noon, 10)), 2)
	})
}
