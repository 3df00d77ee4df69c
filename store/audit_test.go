package store

import (
	"testing"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/stretchr/testify/require"
)

func TestTheAuditLogIsReadInOrder(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for _, action := range []string{"approve", "close", "open"} {
			require.NoError(t, s.AddAudit(ctx, Audit{At: noon, Actor: "@staff:test", Action: action, Person: "p", Conversation: "c", EventID: "$1", Detail: "reason.1"}))
		}
		require.NoError(t, s.AddAudit(ctx, Audit{At: noon, Actor: "bot", Action: "start"}))
		all := must[[]Audit](t)(s.AuditSince(ctx, 0, 10))
		require.Len(t, all, 4)
		require.Equal(t, Audit{all[0].ID, noon, "@staff:test", "approve", "p", "c", "$1", "reason.1", ""}, all[0])
		require.Equal(t, all[1:3], must[[]Audit](t)(s.AuditSince(ctx, all[0].ID, 2)))
		require.Equal(t, all[:3], must[[]Audit](t)(s.AuditOf(ctx, "p")))
		require.Empty(t, must[[]Audit](t)(s.AuditOf(ctx, "")))
	})
}

func TestAReasonIsSealedInTheAuditLogAndGoesWithThePerson(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.NoError(t, s.SavePerson(ctx, anna()))
		for id, practice := range map[string]string{"c1": "zuid", "c2": "zuid", "c3": "noord"} {
			require.NoError(t, s.SaveConversation(ctx, care.Conversation{ID: id, Person: anna().ID, Practice: practice, State: care.Open}))
		}
		lines := []Audit{
			{At: noon, Actor: "@staff:test", Action: "skip", Person: anna().ID, Conversation: "c1", EventID: "$1", Detail: "7 words", Reason: "kanarie"},
			{At: noon, Actor: "@staff:test", Action: "skip", Person: anna().ID, Conversation: "c2", EventID: "$2", Detail: "8 tapped"},
			{At: noon, Actor: "@staff:test", Action: "skip", Person: anna().ID, Conversation: "c3", EventID: "$3", Reason: "elsewhere"},
			{At: noon, Actor: "@staff:test", Action: "again", Person: anna().ID, Conversation: "c1", EventID: "$4"},
		}
		for i := range lines {
			require.NoError(t, s.AddAudit(ctx, lines[i]))
			lines[i].ID = must[[]Audit](t)(s.AuditSince(ctx, 0, 10))[i].ID
		}
		require.Equal(t, lines, must[[]Audit](t)(s.AuditOf(ctx, anna().ID)))
		require.Equal(t, []Audit{lines[1], lines[0]}, must[[]Audit](t)(s.AuditIn(ctx, "zuid", "skip", 10)))
		require.Equal(t, lines[1:2], must[[]Audit](t)(s.AuditIn(ctx, "zuid", "skip", 1)), "the newest")
		require.Empty(t, naming(everyCell(t, s), "kanarie"), "sealed")
		require.Contains(t, plan(t, s, auditIn, "skip", "zuid", 1), "audit_action")

		require.NoError(t, s.DeletePerson(ctx, anna().ID))
		left := must[[]Audit](t)(s.AuditSince(ctx, 0, 10))
		require.Len(t, left, len(lines))
		for _, line := range left {
			require.Empty(t, line.Person+line.Reason)
		}
	})
}
