package care

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (w *world) confirm() error {
	return w.staff(func(c Case, env Env) (Case, error) { return ConfirmIdentity(c, fatima, env) })
}

func TestWhoseIdentityChangedIsAskedAgainAndGoesOnAfterANamedPersonsYes(t *testing.T) {
	w := talking(t)
	talk := w.c.Conversation
	w.losesIdentity("key").stands(Unconfirmed, AskIdentityName)
	assert.Equal(t, []Effect{say("identity.changed"), tell("beheer.identity_changed"), tellDesk("desk.identity_changed"), ask(AskIdentityName)}, w.last)
	assert.ErrorIs(t, w.confirm(), ErrNotAnswered)
	w.types("Jan de Berg").stands(Unconfirmed, AskIdentityBirth)
	assert.ErrorIs(t, w.confirm(), ErrNotAnswered)
	w.types("morgen").stands(Unconfirmed, AskIdentityBirth)
	w.types("31-5-1980").stands(Unconfirmed, NoQuestion)
	assert.Equal(t, []Effect{say("identity.awaiting"), tell("beheer.identity_check")}, w.last)
	assert.Equal(t, "Jan de Berg", w.c.Person.Draft.Name)
	assert.Equal(t, 1980, w.c.Person.Draft.BirthDate.Year)
	w.types("bent u daar?").stands(Unconfirmed, NoQuestion)
	assert.Equal(t, []Effect{say("identity.still_awaiting")}, w.last, "nothing passes")
	assert.False(t, w.c.Person.MaySpeak())

	require.NoError(t, w.confirm())
	w.stands(Active, NoQuestion)
	assert.Equal(t, "key", w.c.Person.Key)
	assert.Empty(t, w.c.Person.NewKey)
	assert.Equal(t, Derde{}, w.c.Person.Draft)
	assert.Equal(t, talk, w.c.Conversation, "the conversation goes on")
	assert.True(t, w.types("daar ben ik weer").did(Pass))
	assert.Error(t, w.confirm(), "once")
}

func TestTheSameChangeIsHeardOfOnceAndAnotherOneAsksAnew(t *testing.T) {
	w := active(t).losesIdentity("one").types("Jan", "31-5-1980")
	was := w.c.Person
	w.losesIdentity("one")
	assert.Equal(t, was, w.c.Person)
	assert.Empty(t, w.last)
	w.losesIdentity("two").stands(Unconfirmed, AskIdentityName)
	assert.ErrorIs(t, w.confirm(), ErrNotAnswered, "what was answered before was answered by someone else")
}

func TestWhatIsHeldStillWaitsAfterIdentityWasConfirmed(t *testing.T) {
	for _, q := range []Question{AskWhom, AskDerdeBirth} {
		w := asking(t, q).losesIdentity("key").types("Jan", "31-5-1980")
		require.NoError(t, w.confirm())
		w.stands(Active, AskWhom)
		assert.True(t, w.types("1").did(Release))
	}
}

func TestWhoIsNotWhoTheyWereIsDeclinedAndTheConversationEnds(t *testing.T) {
	for _, w := range []*world{active(t), asking(t, AskGround), talking(t)} {
		w.losesIdentity("key").types("Piet Anders", "1-1-1970")
		require.NoError(t, w.decline())
		w.stands(Declined, AskAgain)
		assert.Empty(t, w.c.Person.Current)
		assert.Equal(t, Derde{}, w.c.Person.Draft)
	}
}

func TestWithdrawingWorksWhileIdentityIsInDoubt(t *testing.T) {
	for _, lines := range [][]string{{"intrekken"}, {"Jan", "intrekken"}, {"Jan", "31-5-1980", "intrekken"}} {
		w := talking(t).losesIdentity("key").types(lines...).stands(Withdrawn, AskAgain)
		assert.Equal(t, Derde{}, w.c.Person.Draft)
	}
}

func TestAChangeOfIdentityMattersOnlyWhereSomeoneWasApproved(t *testing.T) {
	for _, s := range allStates {
		after := ChangeIdentity(Case{Person: Person{State: s}}, "key", Env{Now: noon})
		switch s {
		case Active, Unconfirmed:
			assert.Equal(t, Unconfirmed, after.Person.State)
		case Awaiting:
			assert.Equal(t, []Effect{tell("beheer.identity_awaiting")}, after.Effects)
			assert.Empty(t, ChangeIdentity(Case{Person: after.Person}, "key", Env{Now: noon}).Effects)
		default:
			assert.Equal(t, Case{Person: Person{State: s}}, after)
		}
	}
}

func TestApprovalIsOfTheIdentityThatIsThereThen(t *testing.T) {
	c := awaiting(t).losesIdentity("new").c
	c, err := ApproveAccount(c, Identity{PatientNumber: "1"}, fatima, Env{Now: noon, Key: "new"})
	require.NoError(t, err)
	assert.Equal(t, "new", c.Person.Key)
	assert.Empty(t, c.Person.NewKey)
}

func TestEveryTextOfIdentityHasAWayOut(t *testing.T) {
	for _, text := range []string{"identity.changed", "identity.awaiting", "identity.still_awaiting"} {
		assert.True(t, hasPhone(text), text)
	}
	assert.True(t, slices.Contains(AllQuestions(), AskIdentityName))
}
