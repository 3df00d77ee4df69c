package story

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"slices"
	"strings"

	"github.com/spreekkamer/spreekkamer/e2e/client"
)

// Talk is the conversation itself (steps 4 to 7).
var Talk = []Step{
	{"The patient asks something, with a photo; the bot asks whom it concerns", asks},
	{"'Myself' opens a conversation room with a card, the question and the photo", opens},
	{"The answer of staff reaches the patient with name and role", answers},
	{"Replies, edits, reactions and removals go both ways", relates},
	{"Nothing of one side can be seen at the other: no id, user name or server", leaveNoTrace},
	{"The huisarts answers in the HIS: the patient reads it with name and function, once", answersInHIS},
	{"Staff close it; a new conversation about someone else asks name, birth date and ground", aboutDerde},
	{"Everything is in the HIS folder, once and in order", filed},
}

// Picture is a PNG of a patient: what matters is that its bytes arrive as they were sent. Explained is
// one of the practice.
var (
	Picture   = spot(color.RGBA{R: 200, G: 60, B: 60, A: 255})
	Explained = spot(color.RGBA{R: 250, G: 250, B: 240, A: 255})
)

// spot draws a spot of a colour on something like skin.
func spot(of color.Color) []byte {
	const width, height, radius = 160, 120, 20
	drawn := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			drawn.Set(x, y, color.RGBA{R: 230, G: uint8(190 - y/4), B: 170, A: 255})
			if dx, dy := x-width/2, y-height/2; dx*dx+dy*dy < radius*radius {
				drawn.Set(x, y, of)
			}
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, drawn); err != nil {
		panic(err) // memory does not fail
	}
	return data.Bytes()
}

func asks(ctx context.Context, s *Story) error {
	if _, err := s.says(ctx, s.Patient, s.Consulting, "Ik heb een plek op mijn arm. Kunt u kijken?"); err != nil {
		return err
	}
	s.Tell("%s sends a photo", name(s.Patient))
	file := client.File{Bytes: Picture, Name: "plek.png", MimeType: "image/png"}
	if _, err := s.Patient.SendImage(ctx, s.Consulting, file); err != nil {
		return err
	}
	_, err := s.hears(ctx, s.Patient, s.Consulting, "Over wie gaat uw vraag?")
	return err
}

func opens(ctx context.Context, s *Story) (err error) {
	if _, err = s.says(ctx, s.Patient, s.Consulting, "over mijzelf"); err != nil {
		return err
	}
	if s.TalkRoom, err = s.Fatima.WaitInvite(ctx, s.World.Bot); err != nil {
		return err
	}
	if err = s.Fatima.Join(ctx, s.TalkRoom); err != nil {
		return err
	}
	if _, err = s.hears(ctx, s.Fatima, s.TalkRoom, "31-05-1980"); err != nil { // the card
		return err
	}
	if s.Question, err = s.hears(ctx, s.Fatima, s.TalkRoom, "Ik heb een plek op mijn arm"); err != nil {
		return err
	}
	s.Photo, err = s.Fatima.WaitEvent(ctx, s.TalkRoom, "the photo", func(e client.Event) bool { return e.MsgType() == "m.image" })
	if err != nil {
		return err
	}
	data, err := s.Fatima.Download(ctx, s.Photo)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, Picture) {
		return fmt.Errorf("the photo has other bytes")
	}
	s.Tell("%s sees the photo, byte for byte", name(s.Fatima))
	_, err = s.hears(ctx, s.Fatima, s.Balie, "Anneke de Berg")
	return err
}

func answers(ctx context.Context, s *Story) (err error) {
	if _, err = s.says(ctx, s.Fatima, s.TalkRoom, "Dat ziet er onschuldig uit."); err != nil {
		return err
	}
	if s.Answer, err = s.hears(ctx, s.Patient, s.Consulting, "Dat ziet er onschuldig uit."); err != nil {
		return err
	}
	if !strings.HasPrefix(s.Answer.Body(), "Fatima, doktersassistent") {
		return fmt.Errorf("the answer does not name who answers: %q", s.Answer.Body())
	}
	s.Tell("%s sends a photo", name(s.Fatima))
	if _, err = s.Fatima.SendImage(ctx, s.TalkRoom, client.File{Bytes: Explained, Name: "uitleg.png", MimeType: "image/png", Caption: "Zo smeert u"}); err != nil {
		return err
	}
	photo, err := s.hears(ctx, s.Patient, s.Consulting, "Zo smeert u")
	if err != nil {
		return err
	}
	data, err := s.Patient.Download(ctx, photo)
	if err == nil && !bytes.Equal(data, Explained) {
		err = fmt.Errorf("the photo has other bytes")
	}
	return err
}

func relates(ctx context.Context, s *Story) error {
	for _, way := range []struct {
		from, to         *client.Client
		here, there      string
		target, mirrored client.Event
	}{
		{s.Patient, s.Fatima, s.Consulting, s.TalkRoom, s.Answer, client.Event{}},
		{s.Fatima, s.Patient, s.TalkRoom, s.Consulting, s.Question, client.Event{}},
	} {
		if err := s.relateOneWay(ctx, way.from, way.to, way.here, way.there, way.target); err != nil {
			return err
		}
	}
	return nil
}

// relateOneWay replies to something, edits that, takes it back, and reacts.
func (s *Story) relateOneWay(ctx context.Context, from, to *client.Client, here, there string, target client.Event) error {
	word := "van de praktijk"
	if from == s.Patient { // whose account staff do not see
		word = "van de patiënt"
	}
	reply, err := from.SendTextWith(ctx, here, "Een reactie "+word, client.TextOptions{ReplyTo: target.ID})
	if err != nil {
		return err
	}
	arrived, err := s.hears(ctx, to, there, "Een reactie "+word)
	if err != nil {
		return err
	}
	if arrived.RelatesTo.ReplyTo.EventID == "" {
		return fmt.Errorf("the reply of %s lost what it replies to", name(from))
	}
	if _, err := from.Edit(ctx, here, reply, "Verbeterd "+word); err != nil {
		return err
	}
	if _, err := s.hears(ctx, to, there, "Verbeterd "+word); err != nil {
		return err
	}
	s.Tell("%s reacts with 👍", name(from))
	if _, err := from.React(ctx, here, target.ID, "👍"); err != nil {
		return err
	}
	err = to.WaitFor(ctx, "the reaction", func(c *client.Client) bool {
		_, found := c.Room(there).Find(func(e client.Event) bool {
			return len(e.Reactions) > 0 && e.Reactions[len(e.Reactions)-1].Key == "👍"
		})
		return found
	})
	if err != nil {
		return err
	}
	s.Tell("%s removes the message", name(from))
	if _, err := from.Redact(ctx, here, reply, ""); err != nil {
		return err
	}
	return to.WaitRedacted(ctx, there, arrived.ID)
}

func closes(ctx context.Context, s *Story) error {
	if err := s.talk(ctx, s.Fatima, s.TalkRoom, []line{{"!samenvatting Plek op arm, zalf.", "Uw samenvatting komt bij het gesprek"}}); err != nil {
		return err
	}
	if _, err := s.says(ctx, s.Fatima, s.TalkRoom, "!sluiten"); err != nil {
		return err
	}
	_, err := s.hears(ctx, s.Patient, s.Consulting, "gesloten")
	return err
}

// filed reads the HIS folder as someone in the practice would.
func filed(_ context.Context, s *Story) error { return until(s.lookInFolder) }

func (s *Story) lookInFolder() error {
	letters, err := s.files("*.txt")
	if err != nil {
		return err
	}
	var all strings.Builder
	for _, file := range letters {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		all.Write(text)
	}
	for _, words := range []string{"Ik heb een plek op mijn arm", "Dat ziet er onschuldig uit.", "Zo smeert u", "Verbeterd van"} {
		if n := strings.Count(all.String(), words); n < 1 {
			return fmt.Errorf("the HIS folder has %q %d times", words, n)
		}
	}
	err = hasDocument(letters, "Ik heb een plek op mijn arm", "Dat ziet er onschuldig uit.", "Smeer het twee weken in.", "Plek op arm, zalf.")
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(letters, isCopy("Smeer het twee weken in.")) {
		return fmt.Errorf("the answer of the HIS has no letter among the others")
	}
	photos, err := s.files("*.png")
	if err != nil {
		return err
	}
	if len(photos) < 2 {
		return fmt.Errorf("the HIS folder has %d photos", len(photos))
	}
	bundles, err := s.files("*.json")
	if err != nil {
		return err
	}
	if len(bundles) < len(letters)-1 { // the copy has none: the HIS has the answer itself
		return fmt.Errorf("%d letters but %d bundles", len(letters), len(bundles))
	}
	s.Tell("the HIS folder has %d letters, %d FHIR bundles and %d photos", len(letters), len(bundles), len(photos))
	return nil
}
