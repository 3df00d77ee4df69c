package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/util/dbutil"
)

// many is how many rows wait in one queue, and in how many queues.
const many = 10_000

// flood fills the tables on the hot path: one queue and one destination with many rows, many
// with one, and as many that are done; heads are marked as the store does.
var flood = []string{
	`INSERT INTO inbox (event_id, step, queue, room_id, type, sender, state_key, target, act, origin_at, received_at, position, head, next_at, state)
		SELECT '$long' || i, 0, 'user:long', '!long', '', '@long', '', '', '', i, i, i, i = 1, 0, 'open' FROM n`,
	`INSERT INTO inbox (event_id, step, queue, room_id, type, sender, state_key, target, act, origin_at, received_at, position, head, next_at, state)
		SELECT '$wide' || i, 0, 'user:' || i, '!' || i, '', '@' || i, '', '', '', i, i, 10000 + i, true, CASE WHEN i < 9000 THEN 9000000000000 ELSE 0 END, 'open' FROM n`,
	`INSERT INTO inbox (event_id, step, queue, room_id, type, sender, state_key, target, act, origin_at, received_at, position, head, next_at, state)
		SELECT '$done' || i, 0, 'user:long', '!long', '', '@long', '', '', '', i, i, 20000 + i, false, 0, 'done' FROM n`,
	`INSERT INTO outbox (destination, kind, person, conversation, source_event, source_room, body, txn_id, head, due_at, created_at, state)
		SELECT 'long', '', '', '', '$long' || i, '', '', 'long' || i, i = 1, 0, 0, 'queued' FROM n`,
	`INSERT INTO outbox (destination, kind, person, conversation, source_event, source_room, body, txn_id, head, due_at, created_at, state)
		SELECT 'wide' || i, '', '', '', '$wide' || i, '', '', 'wide' || i, true, CASE WHEN i < 9000 THEN 9000000000000 ELSE 0 END, 0, 'queued' FROM n`,
	`INSERT INTO outbox (destination, kind, person, conversation, source_event, source_room, body, txn_id, head, due_at, created_at, state, done_at)
		SELECT 'long', '', '', '', '$done' || i, '', '', 'done' || i, false, 0, 0, 'done', 1 FROM n`,
	`INSERT INTO outbox (destination, kind, person, conversation, source_event, source_room, body, txn_id, head, due_at, created_at, state, done_at)
		SELECT 'refused', '', '', '', '$refused' || i, '', '', 'refused' || i, false, 0, 0, 'failed', 1 FROM n`,
	`INSERT INTO outbox (destination, kind, person, conversation, source_event, source_room, body, txn_id, head, due_at, created_at, state, lane)
		SELECT 'kept:c' || i, '', '', 'c' || i, '$kept' || i, '', '', 'kept' || i, true, 0, 0, 'queued', 'kept' FROM n`,
	`INSERT INTO ledger (event_id, room_id, type, own, about, session, sent_at, due_at, next_at, state)
		SELECT '$' || i, '!' || (i % 100), '', false, '$a' || i, 's' || i, i, i, i + 1800000000000, CASE WHEN i % 2 = 0 THEN 'kept' ELSE 'redacted' END FROM n`,
	`INSERT INTO ledger (event_id, room_id, type, own, sent_at, due_at, next_at, state, verified_at)
		SELECT '$gone' || i, '!' || (i % 100), '', false, i, i, 0, 'verified', 1 FROM n`,
	`INSERT INTO media (uri, room_id, event_id, own, sent_at, due_at, next_at, state)
		SELECT 'mxc://' || i, '!' || (i % 100), '$' || i, false, i, i, i + 1800000000000, 'kept' FROM n`,
	`INSERT INTO person (id, user_id, language, state, question, misses, correcting, practice, answers, identity, draft, current, created_at, changed_at)
		SELECT i, '@' || i, 'nl', 'active', '', 0, false, 'zuid', '', '', '', '', 0, 0 FROM n`,
	`INSERT INTO parked (event_id, turn, room_id, sender, position, next_at)
		SELECT '$' || i, i, '!' || i, '@' || i, i, 9000000000000 FROM n`,
	`INSERT INTO reminder (person, question, conversation, since_at, sent, due_at) SELECT i, 'whom', '', 0, 0, 9000000000000 FROM n`,
	`INSERT INTO room (room_id, kind, person, created_at) SELECT '!' || i, 'consulting', i, 0 FROM n`,
	`INSERT INTO walk (room_id, next_at) SELECT '!' || i, i FROM n`,
	`INSERT INTO gap (room_id, since, place, next_at) SELECT '!' || i, '', '', i FROM n`,
	`INSERT INTO mirror (source_event, source_room, target_event, target_room, conversation, at)
		SELECT '$s' || i, '!a', '$t' || i, '!b' || (i % 100), i, i FROM n`,
	`INSERT INTO reading (room_id, thread, event_id, sent_at, pending, next_at)
		SELECT '!' || i, 'main', '$t' || i, i, i % 100 = 0, 0 FROM n`,
}

func flooded(t *testing.T, s *Store) {
	t.Helper()
	for _, insert := range flood {
		_, err := s.exec(t.Context(), fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, many)+insert)
		require.NoError(t, err)
	}
	_, err := s.exec(t.Context(), `ANALYZE`)
	require.NoError(t, err)
}

// plan is how the database goes about a query.
func plan(t *testing.T, s *Store, query string, args ...any) string {
	t.Helper()
	explain := `EXPLAIN `
	columns := 1
	if s.db.Dialect == dbutil.SQLite {
		explain, columns = `EXPLAIN QUERY PLAN `, 4
	}
	rows, err := s.db.Query(t.Context(), explain+query, args...)
	require.NoError(t, err)
	defer rows.Close()
	var lines []string
	for rows.Next() {
		values := make([]any, columns)
		for i := range values {
			values[i] = new(any)
		}
		require.NoError(t, rows.Scan(values...))
		lines = append(lines, fmt.Sprint(*values[columns-1].(*any)))
	}
	require.NoError(t, rows.Err())
	return strings.Join(lines, "\n")
}

// hot are the queries that run again and again, with the index that each must go by; a unique
// column's has another name in each database.
var hot = []struct {
	name, query string
	args        []any
	index       []string
}{
	{"HeadTurns", headTurns, []any{ms(noon), 16}, []string{"inbox_head"}},
	{"NextTurn", nextTurnQuery, nil, []string{"inbox_head"}},
	{"the next head of a long queue", promoteTurns, []any{"user:long"}, []string{"inbox_queue"}},
	{"the next head of a short queue", promoteTurns, []any{"user:7"}, []string{"inbox_queue"}},
	{"PlaceOverdue", overdueTurns, []any{ms(noon)}, []string{"inbox_unplaced"}},
	{"ReopenParked", dueParked, []any{ms(noon), 100}, []string{"parked_due"}},
	{"DueReminders", dueReminders, []any{ms(noon), 100}, []string{"reminder_due"}},
	{"MustWait", mustWait, []any{1, "!7", "@7"}, []string{"parked_sender"}},
	{"ParkedEvent", getParked, []any{"$7"}, []string{"sqlite_autoindex_parked", "parked_pkey"}},
	{"an event that may be known", incoming, []any{"$long7"}, []string{"sqlite_autoindex_inbox", "inbox_event_id_step_key"}},
	{"the queue of a room", ownerOfRoom, []any{"!7"}, []string{"sqlite_autoindex_room", "room_pkey"}},
	{"ClaimEffects", claimable, []any{ms(noon), 6, ""}, []string{"outbox_head"}},
	{"ClaimNext", nextOf, []any{"long", ms(noon)}, []string{"outbox_destination"}},
	{"NextDue", nextDue, []any{""}, []string{"outbox_head"}},
	{"the next head of a long destination", promoteEffects, []any{"long"}, []string{"outbox_destination"}},
	{"the next head of a short destination", promoteEffects, []any{"wide7"}, []string{"outbox_destination"}},
	{"an echo", confirmEffect, []any{"long7", "$x"}, []string{"sqlite_autoindex_outbox", "outbox_txn_id_key"}},
	{"IsArriving", isArriving, []any{"$7"}, []string{"outbox_arriving"}},
	{"FinishEffect", finishEffect, []any{1, "worker", 1, "", ms(noon), 0}, []string{"PRIMARY KEY", "outbox_pkey"}},
	{"SentFor", sentFor, []any{"p7", "mark.filed", "$7", 99}, []string{"outbox_person"}},
	{"Filings", filingsOf, []any{"c7"}, []string{"outbox_conversation"}},
	{"EndLane", endLane, []any{"c7", "kept", ms(noon)}, []string{"outbox_conversation"}},
	{"HasQueuedFor", hasQueuedFor, []any{"$long7", "his:"}, []string{"outbox_source"}},
	{"what came in later was told before", lastTold, []any{"@long", 0, "!long"}, []string{"inbox_sender"}},
	{"SentSince", sentSince, []any{"@7", "!7", ms(noon)}, []string{"inbox_sender"}},
	{"HasQueuedTo", hasQueuedTo, []any{"wide7"}, []string{"outbox_destination"}},
	{"LedgerDue", ledgerDue, []any{ms(noon), 200}, []string{"ledger_due"}},
	{"what is about an event", dueWith, []any{"$7", ms(noon)}, []string{"ledger_about"}},
	{"what of an event was refused", failedFor, []any{"$refused7"}, []string{"outbox_failed_source"}},
	{"SpentKeys", spentKeys, []any{ms(noon), 10}, []string{"ledger_spent"}},
	{"what a key may still open", keyInUse, []any{"s7", "!7", false, ms(noon)}, []string{"ledger_session"}},
	{"KeyCame", keyCame, []any{"s7", "!7"}, []string{"ledger_session"}},
	{"HasOpen", hasOpen, []any{"!7"}, []string{"ledger_room"}},
	{"NextInLedger", nextInLedger, nil, []string{"ledger_due"}},
	{"NextWalk", nextWalk, []any{ms(noon)}, []string{"walk_next"}},
	{"NextGap", nextGap, []any{ms(noon)}, []string{"gap_next"}},
	{"MediaDue", mediaDue, []any{ms(noon), 200}, []string{"media_due"}},
	{"HurryMedia", hurryMedia, []any{"$7", ms(noon)}, []string{"media_event"}},
	{"PersonByUser", personByUser, []any{"@7"}, []string{"sqlite_autoindex_person", "person_user_id_key"}},
	{"RoomOf", roomOfPerson, []any{"7", RoomConsulting}, []string{"room_person"}},
	{"who has read an event that is carried now", awaited, []any{"!7", "$t7"}, []string{"sqlite_autoindex_reading", "reading_pkey"}},
	{"how far a room was read", getReading, []any{"!7", "main"}, []string{"sqlite_autoindex_reading", "reading_pkey"}},
	{"DueReadings", dueReadings, []any{ms(noon), 16}, []string{"reading_pending"}},
	{"what was carried before a time", standsUpTo, []any{"!b7", ms(noon), 5}, []string{"mirror_target_room"}},
	{"what a reading stands for", standsExact, []any{"$t7", "!b7"}, []string{"mirror_target"}},
	{"what an event repeats", repeats, []any{"$7"}, []string{"sqlite_autoindex_ledger", "ledger_pkey"}},
	{"ShownAnswers", shownTo, []any{"7"}, []string{"outbox_person"}},
	{"MirrorOf", mirrorOf, []any{"$t7", "!a"}, []string{"mirror_target"}},
}

func TestHotQueriesGoByAnIndex(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		flooded(t, s)
		for _, tt := range hot {
			t.Run(tt.name, func(t *testing.T) {
				plan := plan(t, s, tt.query, tt.args...)
				t.Log(plan)
				require.True(t, slices.ContainsFunc(tt.index, func(name string) bool { return strings.Contains(plan, name) }))
				require.NotContains(t, plan, "Seq Scan")
				for line := range strings.Lines(plan) { // SQLite says SCAN for what it reads from end to end
					readsAll := strings.HasPrefix(line, "SCAN") && !strings.Contains(line, "INDEX")
					require.False(t, readsAll && !strings.HasPrefix(line, "SCAN CONSTANT") && !strings.HasPrefix(line, "SCAN found"))
				}
			})
		}
	})
}

func TestFindingWorkIsAsQuickBehindTenThousandRowsAsBehindOne(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		flooded(t, s)
		turns := must[[]Turn](t)(s.HeadTurns(t.Context(), noon, many))
		require.Len(t, turns, many-9000+1+1, "one per queue that is not postponed")
		start := time.Now()
		for range 100 {
			must[[]Turn](t)(s.HeadTurns(t.Context(), noon, 16))
		}
		t.Logf("HeadTurns: %v", time.Since(start)/100)
		start = time.Now()
		for range 100 {
			e := must[[]Effect](t)(s.ClaimEffects(t.Context(), "worker", "", noon, lease, 1, nil))
			require.Len(t, e, 1)
			require.NoError(t, s.FinishEffect(t.Context(), e[0], "", noon))
		}
		t.Logf("ClaimEffects and FinishEffect: %v", time.Since(start)/100)
	})
}
