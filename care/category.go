package care

import "errors"

// A Category tells conversations about care from practical ones, such as a change of address
// (requirement B9). The patient chooses it with whom the question concerns: one question more
// is one patient less. A practical question asks no ground for sharing data of a Derde; it is
// about the account itself.
type Category string

// The categories.
const (
	CareCategory Category = "care"
	Practical    Category = "practical"
)

// ErrSameCategory says that a conversation is of that category already.
var ErrSameCategory = errors.New("this conversation has that category already")

// openPractical opens a conversation that is not about care.
func openPractical(c *Case, env Env) {
	c.Conversation.Category = Practical
	openConversation(c, env)
}

// Categorise corrects what the patient chose. Staff are told when nobody has asked whom a
// question about care concerns.
func Categorise(c Case, to Category, by string, _ Env) (Case, error) {
	switch {
	case c.Conversation.State != Open:
		return c, ErrNotOpen
	case c.Conversation.Category == to:
		return c, ErrSameCategory
	}
	c.Conversation.Category = to
	text := "desk.category." + string(to)
	if to == CareCategory && c.Conversation.Derde == "" {
		text = "desk.category.ask_whom"
	}
	c.do(Effect{Do: TellDesk, Text: text, By: by})
	return c, nil
}

// Advise tells the patient that a question is not for chat: the text says whether to come in
// or to call. It is filed like an answer. The conversation stays open: the patient may have to
// say that it cannot wait, or that they cannot come; staff close it when it is done.
func Advise(c Case, text, by string, env Env) (Case, error) {
	switch {
	case c.Conversation.State != Open || c.Person.State != Active:
		return c, ErrNotOpen
	case !c.Conversation.Stands(env.Whom, env.Now):
		return c, ErrGroundEnded
	}
	c.do(Effect{Do: Advice, Text: text, By: by}, Effect{Do: TellDesk, Text: "desk.advised", By: by})
	return c, nil
}
