package story

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/client"
)

// Desk is what patients and staff see of each other besides messages. It follows Answered, in
// a practice that is closed now.
var Desk = []Step{
	{"Out of hours the patient hears when it is read and whom to call", closedNow},
	{"The bot's receipt follows the real reading of staff, and the other way round", receipts},
	{"Typing goes both ways", types},
	{"Staff choose the name that patients see", names},
	{"A colleague who comes late sees what was said, in a thread", comesLate},
	{"A practical question asks for no person; staff correct it, and ask to come in", practical},
	{"After an outage everybody who waited is told", outage},
	{"Nothing of one side can be seen at the other", leaveNoTrace},
}

func closedNow(ctx context.Context, s *Story) error {
	closed, err := s.Patient.WaitText(ctx, s.Consulting, "De praktijk is nu dicht. Wij lezen uw bericht")
	if err != nil {
		return err
	}
	received, err := s.Patient.WaitText(ctx, s.Consulting, "Wij hebben uw vraag ontvangen op")
	if err != nil {
		return err
	}
	for _, text := range []string{closed.Body(), received.Body()} {
		if !contains(text, "020 765 4321") || !contains(text, "112") || !contains(text, "vanaf 09:00") {
			return fmt.Errorf("whom to call or when it is read is missing: %q", text)
		}
	}
	if !contains(received.Body(), "U krijgt uiterlijk ") {
		return fmt.Errorf("no day is promised: %q", received.Body())
	}
	n := 0
	for _, e := range s.Patient.Room(s.Consulting).Timeline {
		n += strings.Count(e.Body(), "De praktijk is nu dicht. Wij lezen uw bericht")
	}
	if n != 1 {
		return fmt.Errorf("it is said %d times", n)
	}
	return nil
}

func receipts(ctx context.Context, s *Story) error {
	question, err := s.says(ctx, s.Patient, s.Consulting, "Ziet u dit?")
	if err != nil {
		return err
	}
	arrived, err := s.hears(ctx, s.Fatima, s.TalkRoom, "Ziet u dit?")
	if err != nil {
		return err
	}
	if s.Patient.Room(s.Consulting).Receipts[s.World.Bot] == question {
		return fmt.Errorf("shown as read before anybody read it")
	}
	if err := s.readBy(ctx, s.Fatima, s.TalkRoom, arrived.ID, s.Patient, s.Consulting, question); err != nil {
		return err
	}
	answer, err := s.says(ctx, s.Fatima, s.TalkRoom, "Ja, dat zie ik.")
	if err != nil {
		return err
	}
	back, err := s.hears(ctx, s.Patient, s.Consulting, "Ja, dat zie ik.")
	if err != nil {
		return err
	}
	return s.readBy(ctx, s.Patient, s.Consulting, back.ID, s.Fatima, s.TalkRoom, answer)
}

// readBy lets someone read an event, and waits until the other side sees that its own was read.
func (s *Story) readBy(ctx context.Context, reader *client.Client, there, read string, writer *client.Client, here, written string) error {
	if err := reader.ReadReceipt(ctx, there, read); err != nil {
		return err
	}
	err := writer.WaitFor(ctx, "the receipt", func(c *client.Client) bool { return c.Room(here).Receipts[s.World.Bot] == written })
	if err == nil {
		s.Tell("%s sees that %s has read it", name(writer), name(reader))
	}
	return err
}

func types(ctx context.Context, s *Story) error {
	for _, way := range []struct {
		from, to    *client.Client
		here, there string
	}{{s.Patient, s.Fatima, s.Consulting, s.TalkRoom}, {s.Fatima, s.Patient, s.TalkRoom, s.Consulting}} {
		for _, typing := range []bool{true, false} {
			if err := way.from.Typing(ctx, way.here, typing); err != nil {
				return err
			}
			err := way.to.WaitFor(ctx, fmt.Sprintf("typing %v", typing), func(c *client.Client) bool {
				return c.Room(way.there).Typing[s.World.Bot] == typing
			})
			if err != nil {
				return err
			}
		}
		s.Tell("%s sees that %s types", name(way.to), name(way.from))
	}
	return nil
}

func names(ctx context.Context, s *Story) error {
	if err := s.talk(ctx, s.Fatima, s.TalkRoom, []line{{"!naam Fatima el Idrissi", "Patiënten zien u vanaf nu als"}}); err != nil {
		return err
	}
	if _, err := s.says(ctx, s.Fatima, s.TalkRoom, "Zo heet ik."); err != nil {
		return err
	}
	_, err := s.hears(ctx, s.Patient, s.Consulting, "Fatima el Idrissi, doktersassistent: Zo heet ik.")
	return err
}

func comesLate(ctx context.Context, s *Story) error {
	colleague, err := s.World.Colleague(ctx, "yusuf")
	if err != nil {
		return err
	}
	yusuf, err := s.World.Login(ctx, colleague)
	if err != nil {
		return err
	}
	if err := s.talk(ctx, s.Joost, s.Beheer, []line{{"!medewerker+ " + yusuf.UserID + " huisarts Yusuf", "De medewerker is toegevoegd"}}); err != nil {
		return err
	}
	for _, room := range []string{s.Space, s.TalkRoom} {
		if err := enter(ctx, yusuf, room); err != nil {
			return err
		}
	}
	for _, part := range []string{"Eerdere berichten van dit gesprek", "Ik heb een plek op mijn arm", "Dat ziet er onschuldig uit."} {
		if _, err := s.hears(ctx, yusuf, s.TalkRoom, part); err != nil {
			return err
		}
	}
	photo, err := yusuf.WaitEvent(ctx, s.TalkRoom, "the photo again", func(e client.Event) bool {
		return e.MsgType() == "m.image" && e.RelatesTo.Type == "m.thread"
	})
	if err != nil {
		return err
	}
	data, err := yusuf.Download(ctx, photo)
	if err == nil && len(data) == 0 {
		err = fmt.Errorf("the photo is empty")
	}
	return err
}

func practical(ctx context.Context, s *Story) error {
	if err := closes(ctx, s); err != nil {
		return err
	}
	err := s.talk(ctx, s.Patient, s.Consulting, []line{
		{"Ik ben verhuisd", "Over wie gaat uw vraag?"}, {"praktische vraag", "Wij hebben uw vraag ontvangen"},
	})
	if err != nil {
		return err
	}
	if s.TalkRoom, err = s.Fatima.WaitInvite(ctx, s.World.Bot); err != nil {
		return err
	}
	if err = s.Fatima.Join(ctx, s.TalkRoom); err != nil {
		return err
	}
	if _, err = s.hears(ctx, s.Fatima, s.TalkRoom, "Praktische vraag. Over wie het gaat, is niet gevraagd"); err != nil {
		return err
	}
	if err = s.talk(ctx, s.Fatima, s.TalkRoom, []line{{"!zorg", "Dit is nu een zorgvraag"}, {"!langskomen", "De patiënt heeft dit bericht gekregen"}}); err != nil {
		return err
	}
	_, err = s.hears(ctx, s.Patient, s.Consulting, "Wilt u ons bellen voor een afspraak?")
	return err
}

func outage(ctx context.Context, s *Story) error {
	if err := s.World.Away(ctx, 2*time.Hour, func() error {
		_, err := s.says(ctx, s.Patient, s.Consulting, "Bent u daar nog?")
		return err
	}); err != nil {
		return err
	}
	for _, told := range []struct {
		who        *client.Client
		room, part string
	}{
		{s.Patient, s.Consulting, "uit die tijd"},
		{s.Fatima, s.TalkRoom, "Ingehaald in dit gesprek:"},
		{s.Joost, s.Beheer, "Ingehaald: "},
		{s.Fatima, s.TalkRoom, "Bent u daar nog?"},
	} {
		if _, err := s.hears(ctx, told.who, told.room, told.part); err != nil {
			return err
		}
	}
	return nil
}
