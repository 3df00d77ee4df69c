package story

import (
	"context"
	"fmt"
)

// aboutDerde closes what is open and starts a conversation about someone else.
func aboutDerde(ctx context.Context, s *Story) error {
	if err := closes(ctx, s); err != nil {
		return err
	}
	if _, err := s.says(ctx, s.Patient, s.Consulting, "Mijn kind hoest al een week"); err != nil {
		return err
	}
	if _, err := s.hears(ctx, s.Patient, s.Consulting, "Over wie gaat uw vraag?"); err != nil {
		return err
	}
	err := s.talk(ctx, s.Patient, s.Consulting, []line{
		{"iemand anders", "Hoe heet"},
		{"Sem de Berg", "geboortedatum van Sem de Berg"},
		{"1-1-2000", "Wie is Sem de Berg voor u?"},
		{"1", "Wat klopt?"},
		{"1", "16 jaar of ouder"}, // a parent of someone of 26: refused
	})
	if err != nil {
		return err
	}
	if err := s.talk(ctx, s.Patient, s.Consulting, []line{{"2", "ontvangen"}}); err != nil {
		return err
	}
	return s.openNewTalk(ctx)
}

func (s *Story) openNewTalk(ctx context.Context) (err error) {
	if s.TalkRoom, err = s.Fatima.WaitInvite(ctx, s.World.Bot); err != nil {
		return err
	}
	if err = s.Fatima.Join(ctx, s.TalkRoom); err != nil {
		return err
	}
	question, err := s.hears(ctx, s.Fatima, s.TalkRoom, "Mijn kind hoest al een week")
	if err != nil {
		return err
	}
	if !contains(question.Body(), "Sem de Berg") {
		return fmt.Errorf("the message does not say whom it concerns: %q", question.Body())
	}
	return nil
}
