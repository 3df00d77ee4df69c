package care

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// concerning is a patient whose open conversation concerns a child of a birthday, or a partner.
func concerningChild(t *testing.T, born Date) *world {
	w := active(t)
	w.derden = []Derde{{ID: "kid", Person: "p", Name: "Sofie", BirthDate: born, Ground: Parent, AttestedAt: noon}}
	w.types("ik heb een vraag", "2").stands(Active, NoQuestion)
	require.Equal(t, "kid", w.c.Conversation.Derde)
	return w
}

func TestWhatATalkRestsOnEndsOnTheSixteenthBirthdayAndIsAskedAgain(t *testing.T) {
	w := concerningChild(t, Date{2010, 3, 11})
	w.types("nog iets")
	assert.Equal(t, []Effect{{Do: Pass}}, w.last)
	first := w.c.Conversation.ID
	w.now = noon.AddDate(0, 0, 1)
	w.types("en nu?").stands(Active, AskWhom)
	assert.Equal(t, []Effect{{Do: TellDesk, Text: "desk.derde_ended", Conversation: first}, {Do: Shut, Text: "desk.derde_ended", Conversation: first}, say("derde.ended"), {Do: Hold}, ask(AskWhom)}, w.last)
	assert.NotEqual(t, first, w.c.Conversation.ID, "what follows is another conversation")
	assert.Equal(t, 1, w.held, "the message waits")
	w.types("1").stands(Active, NoQuestion)
	assert.True(t, w.did(Release))
	assert.Empty(t, w.c.Conversation.Derde)
}

func TestALateMessageDoesNotPassOnWhatHasEnded(t *testing.T) {
	w := concerningChild(t, Date{2010, 3, 11})
	env := w.env()
	env.Now, env.ConsentedAt, env.Then = noon.AddDate(0, 0, 1), noon.Add(-time.Hour), w.c.Conversation
	after := Hear(w.c, Heard{Waited: true, Missed: true, SentAt: noon}, env)
	assert.False(t, did(after.Effects, Pass))
	assert.True(t, did(after.Effects, Hold))
}

func TestAnAnswerThatWasOfferedAndEndedIsRefusedAndAskedAgain(t *testing.T) {
	w := active(t)
	w.derden = []Derde{{ID: "kid", Person: "p", Name: "Sofie", BirthDate: Date{2010, 3, 11}, Ground: Parent, AttestedAt: noon}}
	w.types("ik heb een vraag")
	env := w.env() // what was offered
	env.Now = noon.AddDate(0, 0, 1)
	after := Hear(w.c, Heard{Text: "2", Choice: 2}, env)
	assert.Equal(t, []Effect{say("derde.ended"), ask(AskWhom)}, after.Effects)
	after = Hear(w.c, Heard{Text: "3", Choice: 3}, env)
	assert.Equal(t, AskDerdeName, after.Person.Question, "the others mean what was shown")
}

func (w *world) saysSomeoneElse() error {
	return w.staff(func(c Case, env Env) (Case, error) { return SomeoneElse(c, byFatima, env) })
}

func (w *world) endsPermission() error {
	return w.staff(func(c Case, env Env) (Case, error) { return EndPermission(c, byFatima, env) })
}

func TestStaffSayThatItConcernsSomeoneElse(t *testing.T) {
	w := talking(t)
	first := w.c.Conversation.ID
	require.NoError(t, w.saysSomeoneElse())
	w.stands(Active, AskWhom)
	assert.Equal(t, []Effect{
		{Do: TellDesk, Text: "desk.asked_again", By: byFatima, Conversation: first}, {Do: Shut, Text: "desk.asked_again", By: byFatima, Conversation: first}, {Do: Say, Text: "derde.someone_else", By: byFatima}, ask(AskWhom),
	}, w.last)
	assert.NotEqual(t, first, w.c.Conversation.ID)
	w.types("zij heeft koorts")
	assert.True(t, w.did(Hold), "what comes next waits")
	w.types("2", "Sofie Jansen", "1-2-2015", "mijn kind", "1").stands(Active, NoQuestion)
	assert.True(t, w.did(Release))
	for _, other := range []*world{active(t), asking(t, AskWhom), awaiting(t)} {
		assert.ErrorIs(t, other.saysSomeoneElse(), ErrNotOpen)
		assert.ErrorIs(t, other.endsPermission(), ErrNotOpen)
	}
}

func TestAPermissionThatWasTakenBackEnds(t *testing.T) {
	w := concerningChild(t, Date{2015, 2, 1})
	after, err := EndPermission(w.c, byFatima, w.env())
	require.NoError(t, err)
	assert.Equal(t, noon, after.Derde.EndedAt)
	assert.False(t, after.Derde.Valid(noon))
	require.NoError(t, w.endsPermission())
	w.stands(Active, AskWhom)
	assert.ErrorIs(t, talking(t).endsPermission(), ErrNoDerde)
}

func TestAPermissionIsTakenBackAlsoWhenTheConversationIsClosed(t *testing.T) {
	w := concerningChild(t, Date{2015, 2, 1})
	c, before := w.c, len(w.c.Effects)
	c.Conversation.State, c.Person.Current = Closed, ""
	after, err := EndPermission(c, byFatima, w.env())
	require.NoError(t, err)
	assert.Equal(t, noon, after.Derde.EndedAt)
	assert.Equal(t, []Effect{
		{Do: Record, Purpose: DerdeData, By: byFatima}, {Do: TellDesk, Text: "desk.permission_ended", By: byFatima},
	}, after.Effects[before:])
	assert.Equal(t, NoQuestion, after.Person.Question)
}

func TestNothingPassesInAConversationWhoseGroundEnded(t *testing.T) {
	w := concerningChild(t, Date{2015, 2, 1})
	env := w.env()
	env.Whom.EndedAt = noon
	_, err := Advise(w.c, "advice.call", byFatima, env)
	assert.ErrorIs(t, err, ErrGroundEnded)
	c := Case{Person: Person{State: Active}}
	converseLate(&c, Heard{Waited: true}, Env{Now: noon, Then: Conversation{ID: "then", State: Closed, Derde: "kid"}, ThenWhom: env.Whom})
	assert.Equal(t, []Effect{{Do: Remove}, say("late.removed")}, c.Effects)
}

func TestWhoLeavesIsNotWrittenToUnknowingly(t *testing.T) {
	assert.Equal(t, []Effect{tellDesk("desk.left")}, Leave(talking(t).c, Env{Now: noon}).Effects[len(talking(t).c.Effects):])
	for _, w := range []*world{active(t), awaiting(t), asking(t, AskWhom)} {
		w.c.Effects = nil
		assert.Empty(t, Leave(w.c, Env{Now: noon}).Effects)
	}
}

func TestATapOnAnOldQuestionIsAnswered(t *testing.T) {
	c := asking(t, AskWhom).c
	c.Effects = nil
	assert.Equal(t, []Effect{say("question.old"), ask(AskWhom)}, OldTap(c, Env{Now: noon}).Effects)
	assert.True(t, hasPhone("question.old") && hasPhone("derde.ended") && hasPhone("derde.someone_else"))
}
