package care

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const byFatima = "@fatima:example.org"

func (w *world) categorise(to Category) error {
	return w.staff(func(c Case, env Env) (Case, error) { return Categorise(c, to, byFatima, env) })
}

func (w *world) advise(text string) error {
	return w.staff(func(c Case, env Env) (Case, error) { return Advise(c, text, byFatima, env) })
}

func TestThePatientChoosesTheCategoryWithWhomItConcerns(t *testing.T) {
	for _, tt := range []struct {
		answers []string
		want    Category
		derde   bool
	}{
		{[]string{"1"}, CareCategory, false},
		{[]string{"over mijzelf"}, CareCategory, false},
		{[]string{"3"}, Practical, false},
		{[]string{"praktische vraag"}, Practical, false},
		{[]string{"2", "Sofie Jansen", "1-2-2015", "mijn kind", "1"}, CareCategory, true},
	} {
		w := active(t).types("ik heb een vraag").types(tt.answers...)
		assert.Equal(t, Open, w.c.Conversation.State, tt.answers)
		assert.Equal(t, tt.want, w.c.Conversation.Category, tt.answers)
		assert.Equal(t, tt.derde, w.c.Conversation.Derde != "", tt.answers)
		assert.True(t, w.did(Release) && w.said("conversation.received"))
	}
}

func TestThePracticalOptionComesAfterWhoWasNamedBefore(t *testing.T) {
	w := asking(t, AskGround).types("2")
	require.NoError(t, w.closes())
	w.types("en nu iets praktisch", "3").stands(Active, AskDerdeName).types("stop")
	w.types("en nu iets praktisch", "4").stands(Active, NoQuestion)
	assert.Equal(t, Practical, w.c.Conversation.Category)
	assert.Empty(t, w.c.Conversation.Derde)
	w = active(t).types("een vraag", "4").stands(Active, AskWhom)
	assert.Equal(t, Asking, w.c.Conversation.State, "there is no fourth")
}

func TestStaffCorrectTheCategory(t *testing.T) {
	w := talking(t)
	assert.ErrorIs(t, w.categorise(CareCategory), ErrSameCategory)
	require.NoError(t, w.categorise(Practical))
	assert.Equal(t, Practical, w.c.Conversation.Category)
	assert.Equal(t, []Effect{{Do: TellDesk, Text: "desk.category.practical", By: byFatima}}, w.last)
	require.NoError(t, w.categorise(CareCategory))
	assert.Equal(t, "desk.category.ask_whom", w.last[0].Text, "nobody knows whom it concerns")

	w = asking(t, AskGround).types("2")
	require.NoError(t, w.categorise(Practical))
	require.NoError(t, w.categorise(CareCategory))
	assert.Equal(t, "desk.category.care", w.last[0].Text)

	require.NoError(t, w.closes())
	assert.ErrorIs(t, w.categorise(Practical), ErrNotOpen)
	assert.ErrorIs(t, asking(t, AskWhom).categorise(Practical), ErrNotOpen)
}

func TestAdviceIsSaidOnceAndLeavesTheConversationOpen(t *testing.T) {
	for _, text := range []string{"advice.come_in", "advice.call"} {
		w := talking(t)
		require.NoError(t, w.advise(text))
		assert.Equal(t, []Effect{{Do: Advice, Text: text, By: byFatima}, {Do: TellDesk, Text: "desk.advised", By: byFatima}}, w.last)
		w.types("Ik kan niet komen").stands(Active, NoQuestion)
		assert.True(t, w.did(Pass))
	}
	for _, w := range []*world{active(t), asking(t, AskWhom), talking(t).types("intrekken")} {
		assert.ErrorIs(t, w.advise("advice.call"), ErrNotOpen)
	}
}
