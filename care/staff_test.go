package care

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const fatima = "@fatima:example.org"

func TestStaffApproveOnlyWhoIsAwaiting(t *testing.T) {
	for _, s := range allStates {
		c := Case{Person: Person{State: s, Question: AskAgain}}
		got, err := ApproveAccount(c, Identity{PatientNumber: "100", BSN: testBSNs[0]}, fatima, Env{Now: noon})
		if s != Awaiting {
			assert.Error(t, err, s)
			assert.Equal(t, c, got, s)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, Active, got.Person.State)
		assert.Equal(t, NoQuestion, got.Person.Question)
		assert.Equal(t, Identity{PatientNumber: "100", BSN: testBSNs[0]}, got.Person.Identity)
		assert.Equal(t, noon, got.Person.ChangedAt)
		assert.Equal(t, []Effect{
			{Do: Say, Text: "account.active", By: fatima}, {Do: Tell, Text: "beheer.approved", By: fatima},
		}, got.Effects, "a named person decided")
	}
}

func TestStaffDeclineOnlyWhoIsAwaiting(t *testing.T) {
	for _, s := range allStates {
		c := Case{Person: Person{State: s}}
		got, err := DeclineAccount(c, fatima, Env{Now: noon})
		if s != Awaiting && s != Unconfirmed {
			assert.Error(t, err, s)
			assert.Equal(t, c, got, s)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, Declined, got.Person.State)
		assert.Equal(t, []Effect{
			{Do: Say, Text: "account.declined", By: fatima}, {Do: Tell, Text: "beheer.declined", By: fatima}, ask(AskAgain),
		}, got.Effects)
	}
	w := awaiting(t)
	require.NoError(t, w.decline())
	w.stands(Declined, AskAgain).types("waarom?").stands(Declined, AskAgain)
	w.taps(1).stands(Informed, AskPersonal)
}

func TestWhatStaffTypeIsChecked(t *testing.T) {
	for _, tt := range []struct {
		name string
		id   Identity
		want error
	}{
		{"a number", Identity{PatientNumber: "12345"}, nil},
		{"letters and digits", Identity{PatientNumber: "AB-12.3_4"}, nil},
		{"as long as allowed", Identity{PatientNumber: strings.Repeat("9", 32)}, nil},
		{"with a BSN", Identity{PatientNumber: "1", BSN: "123456782"}, nil},
		{"no number", Identity{}, ErrPatientNumber},
		{"only punctuation", Identity{PatientNumber: "-_."}, ErrPatientNumber},
		{"too long", Identity{PatientNumber: strings.Repeat("9", 33)}, ErrPatientNumber},
		{"64 KiB", Identity{PatientNumber: strings.Repeat("9", 64<<10)}, ErrPatientNumber},
		{"a space", Identity{PatientNumber: "1 2"}, ErrPatientNumber},
		{"other letters", Identity{PatientNumber: "é"}, ErrPatientNumber},
		{"other digits", Identity{PatientNumber: "１２"}, ErrPatientNumber},
		{"a path", Identity{PatientNumber: "../1"}, ErrPatientNumber},
		{"a control character", Identity{PatientNumber: "1\n2"}, ErrPatientNumber},
		{"a BSN that is wrong", Identity{PatientNumber: "1", BSN: "123456789"}, ErrBSN},
		{"a BSN in groups", Identity{PatientNumber: "1", BSN: "1234.56.782"}, ErrBSN},
		{"a BSN of nothing", Identity{PatientNumber: "1", BSN: " "}, ErrBSN},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := awaiting(t)
			_, err := ApproveAccount(w.c, tt.id, fatima, w.env())
			assert.ErrorIs(t, err, tt.want)
			if err != nil {
				assert.NotContains(t, err.Error(), "123456789", "no error repeats what was typed")
			}
		})
	}
}

func TestOnlyAnOpenConversationCanBeClosed(t *testing.T) {
	w := talking(t)
	w.now = noon.Add(time.Hour)
	c, err := CloseConversation(w.c, fatima, w.env())
	require.NoError(t, err)
	assert.Equal(t, Closed, c.Conversation.State)
	assert.Equal(t, w.now, c.Conversation.ClosedAt)
	assert.Equal(t, []Effect{{Do: Shut, By: fatima}, {Do: Say, Text: "conversation.closed", By: fatima}}, c.Effects)
	_, err = CloseConversation(c, fatima, w.env())
	assert.ErrorIs(t, err, ErrNotOpen, "closing twice")
	for _, w := range []*world{active(t), asking(t, AskWhom), asking(t, AskGround), talking(t).types("intrekken"), awaiting(t)} {
		assert.ErrorIs(t, w.closes(), ErrNotOpen)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	want := map[Role][5]bool{ // verify, answer, administer, file, see
		Huisarts: {true, true, false, true, true}, Doktersassist: {true, true, false, true, true}, POH: {false, true, false, true, true},
		Beheer: {true, false, true, true, true}, Servicedesk: {},
		"patient": {}, "": {}, "Huisarts": {},
	}
	for role, may := range want {
		for i, right := range []Right{MayVerify, MayAnswer, MayAdmin, MayFile, MaySee} {
			assert.Equal(t, may[i], role.May(right), "%s: %s", role, right)
		}
		assert.False(t, role.May("anything else"))
	}
	for role := range rights {
		assert.True(t, KnownRole(role))
		assert.Contains(t, want, role)
	}
	assert.False(t, KnownRole("patient"))
	assert.False(t, KnownRole(""))
}

func TestStaffSayInWhoseRecordItBelongs(t *testing.T) {
	w := talking(t)
	right := Identity{PatientNumber: "P-9", BSN: "123456782"}
	c, err := CoupleAnew(w.c, right, fatima)
	require.NoError(t, err)
	assert.Equal(t, right, c.Person.Identity)
	assert.Equal(t, []Effect{{Do: TellDesk, Text: "desk.coupled", By: fatima}}, c.Effects)
	_, err = CoupleAnew(c, right, fatima)
	assert.ErrorIs(t, err, ErrSameRecord)
	_, err = CoupleAnew(c, Identity{PatientNumber: "1", BSN: "123456789"}, fatima)
	assert.ErrorIs(t, err, ErrBSN)

	d := Derde{ID: "d", Name: "Tim"}
	c, err = CoupleDerde(w.c, d, right, fatima)
	require.NoError(t, err)
	assert.Equal(t, right, c.Derde.Identity)
	assert.Equal(t, w.c.Person.Identity, c.Person.Identity, "who writes stays who they are")
	assert.Zero(t, d.Identity)
	_, err = CoupleDerde(w.c, *c.Derde, right, fatima)
	assert.ErrorIs(t, err, ErrSameRecord)
	_, err = CoupleDerde(w.c, d, Identity{}, fatima)
	assert.ErrorIs(t, err, ErrPatientNumber)
}
