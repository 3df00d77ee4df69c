package faults

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// A patient makes a new cryptographic identity on another phone, as somebody does who has lost
// all keys: nothing passes until staff have checked who it is.
func TestAPatientResetsTheirIdentity(t *testing.T) {
	each(t, world.Options{}, func(t *testing.T, s *story.Story) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		phone, err := s.World.LoginAs(ctx, s.World.Patients[0], client.ResetIdentity)
		must(t, err)
		sees(ctx, t, s.Joost, s.Beheer, "zijn opnieuw gemaakt")
		sees(ctx, t, s.Fatima, s.TalkRoom, "niet meer zeker of dit nog de patiënt is")
		sees(ctx, t, phone, s.Consulting, "Hoe heet u?")
		speaks(ctx, t, s.Fatima, s.TalkRoom, "dit mag niet verder.")
		speaks(ctx, t, phone, s.Consulting, "Anneke de Berg")
		sees(ctx, t, phone, s.Consulting, "Wat is uw geboortedatum?")
		speaks(ctx, t, phone, s.Consulting, "31-5-1980")
		check := sees(ctx, t, s.Joost, s.Beheer, "zegt nu: Anneke de Berg, geboren 31-05-1980")
		code := regexp.MustCompile(`!bevestigen (\S+)`).FindStringSubmatch(check)
		if code == nil {
			t.Fatalf("no code in %q", check)
		}
		speaks(ctx, t, s.Joost, s.Beheer, "!bevestigen "+code[1])
		sees(ctx, t, phone, s.Consulting, "U kunt weer verder. Joost heeft uw gegevens gecontroleerd.")
		speaks(ctx, t, phone, s.Consulting, "daar ben ik weer.")
		sees(ctx, t, s.Fatima, s.TalkRoom, "daar ben ik weer.")
		speaks(ctx, t, s.Fatima, s.TalkRoom, "welkom terug.")
		sees(ctx, t, phone, s.Consulting, "welkom terug.")
		for _, text := range phone.Room(s.Consulting).Bodies() {
			if strings.Contains(text, "dit mag niet verder") {
				t.Error("what staff wrote in between went to someone who had not been checked")
			}
		}
	})
}
