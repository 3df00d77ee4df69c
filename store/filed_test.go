package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// filedBefore is how many messages a HIS has taken and the store still knows of: what a large
// organisation files in a month. They are of conversations of ten.
const filedBefore = 100_000

const hisLane = "his:zuid"

// filedRows are what a filed message leaves: the effect, which event stands for which, what has
// to leave the chat, and now and then an answer.
var filedRows = []string{
	`INSERT INTO conversation (id, number, person, practice, derde, state, opened_at, closed_at)
		SELECT 'c' || i, i, 'p' || i, 'zuid', '', 'open', i, 0 FROM n WHERE i <= 10000`,
	`INSERT INTO outbox (destination, lane, kind, person, conversation, source_event, source_room, body, txn_id, head, due_at, created_at, state, done_at)
		SELECT 'his:c' || (i / 10), 'his:zuid', 'file', 'p' || (i / 10), 'c' || (i / 10), '$m' || i, '!r' || (i / 10), '{}', 'f' || i, false, i, i, 'done', i FROM n`,
	`INSERT INTO mirror (source_event, source_room, target_event, target_room, conversation, at)
		SELECT '$m' || i, '!r' || (i / 10), '$t' || i, '!t' || (i / 10), 'c' || (i / 10), i FROM n`,
	`INSERT INTO ledger (event_id, room_id, type, own, about, session, sent_at, due_at, next_at, state)
		SELECT '$m' || i, '!r' || (i / 10), '', false, '', 's' || i, i, i + 1800000000000, i + 1800000000000, 'kept' FROM n`,
	`INSERT INTO answer (id, lane, reference, person, conversation, state, at)
		SELECT 'a' || i, 'his:zuid', 'Communication/' || i, 'p' || i, 'c' || i, 'delivered', i FROM n WHERE i <= 10000`,
}

// waiting is the index of what is queued or refused: what is filed is not in it.
const waiting = "outbox_waiting"

// filing are the queries that a message to file runs, with the index that each must go by.
var filing = []struct {
	name, query string
	args        []any
	index       []string
}{
	{"whether there is work", nextDue, []any{hisLane}, []string{"outbox_head"}},
	{"what to file now", claimable, []any{ms(noon), 6, hisLane}, []string{"outbox_head"}},
	{"what to file next of a conversation", nextOf, []any{"his:c7", ms(noon)}, []string{waiting, "outbox_destination"}},
	{"the next head", promoteEffects, []any{"his:c7"}, []string{waiting, "outbox_destination"}},
	{"its place in the conversation", nextFilingSeq, []any{"c7"}, []string{"sqlite_autoindex_conversation", "conversation_pkey"}},
	{"what was filed of a conversation", filingsOf, []any{"c7"}, []string{"outbox_conversation"}},
	{"what it replies to", mirrorsOf, []any{"$t77"}, []string{"mirror_target"}},
	{"what was kept for a document", endLane, []any{"c7", "kept", ms(noon)}, []string{waiting, "outbox_conversation"}},
	{"what was refused", failedEffects, []any{100}, []string{"outbox_failed"}},
	{"whether it still has to be filed", hasQueuedFor, []any{"$m77", "his:"}, []string{waiting, "outbox_source"}},
	{"whether an answer is known", getAnswer, []any{"a7"}, []string{"sqlite_autoindex_answer", "answer_pkey"}},
}

// fileOne is what the store does for one message that is filed.
func fileOne(t testing.TB, s *Store, n int) {
	conversation := fmt.Sprintf("c%d", n%1000+1)
	ctx := t.Context()
	must[int](t)(s.NextFilingSeq(ctx, conversation))
	require.NoError(t, s.AddEffects(ctx, []Effect{{
		Destination: "his:" + conversation, Lane: hisLane, Kind: "file", Conversation: conversation, SourceEvent: fmt.Sprintf("$new%d", n), DueAt: noon,
	}}))
	e := must[[]Effect](t)(s.ClaimEffects(ctx, "worker", hisLane, noon, lease, 1, nil))
	require.Len(t, e, 1)
	_, _, err := s.MirrorsOf(ctx, e[0].SourceEvent)
	require.NoError(t, err)
	require.NoError(t, s.FinishEffect(ctx, e[0], "", noon))
}

// Filing costs the same however much has been filed: every query goes by an index. The rates are
// for whoever wants to see them (go test -v); they depend on what else the machine does.
func TestFilingIsAsQuickBehindAHundredThousandFiledMessages(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		const some = 200
		next := 0
		rate := func() float64 {
			began := time.Now()
			for range some {
				fileOne(t, s, next)
				next++
			}
			return some / time.Since(began).Seconds()
		}
		seed := func(from, to int, rows ...string) {
			for _, insert := range rows {
				_, err := s.exec(t.Context(), fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, from, to)+insert)
				require.NoError(t, err)
			}
		}
		seed(1, 1000, filedRows[0])
		rate() // warm
		before := rate()
		seed(1001, filedBefore, filedRows[0])
		seed(1, filedBefore, filedRows[1:]...)
		settled := []string{`ANALYZE`}
		if d.kind == Postgres { // or what is measured is how the seed is written to the disk
			settled = []string{`ANALYZE`, `CHECKPOINT`}
		}
		for _, statement := range settled {
			_, err := s.exec(t.Context(), statement)
			require.NoError(t, err)
		}
		rate() // warm again
		t.Logf("filed/s in the store: %.0f, behind %d filed messages %.0f", before, filedBefore, rate())

		one := Effect{Destination: "his:c7", Lane: hisLane, Kind: "file", Conversation: "c7", SourceEvent: "$m77", DueAt: noon}
		require.NoError(t, s.AddEffects(t.Context(), []Effect{one}))
		require.Len(t, must[[]Effect](t)(s.Filings(t.Context(), "c7000")), 10)
		for _, tt := range filing {
			t.Run(tt.name, func(t *testing.T) {
				plan := plan(t, s, tt.query, tt.args...)
				t.Log(plan)
				require.True(t, slices.ContainsFunc(tt.index, func(name string) bool { return strings.Contains(plan, name) }))
				require.NotContains(t, plan, "Seq Scan")
				for line := range strings.Lines(plan) {
					readsAll := strings.HasPrefix(line, "SCAN") && !strings.Contains(line, "INDEX")
					require.False(t, readsAll && !strings.HasPrefix(line, "SCAN CONSTANT"), line)
				}
			})
		}
	})
}
