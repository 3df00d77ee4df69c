package his_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

func TestAPersonReads(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*his.Item)
		want   string
	}{
		{"who asks", func(*his.Item) {}, "Van:         Jan de Vries (patiënt)\n"},
		{"that it is a question", func(*his.Item) {}, "Vraag van de patiënt\n\n"},
		{"that it is no question any more", func(i *his.Item) { i.Seq = 2 }, "Bericht van de patiënt\n\n"},
		{"that it was the question where it was before", func(i *his.Item) { i.Seq, i.First = 5, true }, "Vraag van de patiënt\n\n"},
		{"that it is an answer", func(i *his.Item) { i.Author.Role = his.RoleHuisarts }, "Antwoord van de praktijk\n\n"},
		{"in what function", func(i *his.Item) { i.Author = his.Author{Name: "Fatima", Role: his.RoleDoktersassistent} }, "Van:         Fatima (doktersassistent)\n"},
		{"that nobody wrote it", func(i *his.Item) { i.Author = his.Author{Role: his.RoleBridge} }, "Van:         Spreekkamer (software van de chat)\n"},
		{"which patient", func(*his.Item) {}, "Patiënt:     Jan de Vries, geboren 2 maart 1980, patiëntnummer 20417, BSN 999990019\n"},
		{"that it is about the patient", func(*his.Item) {}, "Gaat over:   de patiënt zelf\n"},
		{"whom else it is about", about, "Gaat over:   Sanne de Vries, geboren 14 september 2015, volgens de schrijver: dochter; niet gekoppeld aan een eigen dossier\n"},
		{"that the writer is somebody else", about, "Van:         Jan de Vries (patiënt, schrijft over een ander)\n"},
		{"that it is about somebody else", about, "Vraag van de patiënt over een ander\n\n"},
		{"that what changes is about somebody else", func(i *his.Item) { about(i); i.Kind = his.KindEdit }, "Wijziging door de patiënt, gaat over een ander\n\n"},
		{"that what is removed is about somebody else", func(i *his.Item) { about(i); i.Kind = his.KindRemoval }, "Verwijderd door de patiënt, gaat over een ander\n\n"},
		{"in whose record it is", known, "Vraag van een ander dan de patiënt\n\nPatiënt:     Sanne de Vries, geboren 14 september 2015, patiëntnummer 20418, BSN 123456782\n"},
		{"who wrote, in the record of another", known, "Van:         Jan de Vries (schrijft over de patiënt)\nAccount van: Jan de Vries, geboren 2 maart 1980, patiëntnummer 20417, BSN 999990019\n"},
		{"on what ground", about, "Grond:       ouder of voogd van een kind jonger dan 16 jaar, verklaard door de schrijver op 1 juni 2026 om 11:11 uur, versie 2026-01 van de verklaring\n"},
		{"which practice", func(*his.Item) {}, "Praktijk:    Huisartsenpraktijk De Linde, AGB 01054321\n"},
		{"that it is urgent", func(i *his.Item) { i.Conversation.Urgent = true }, "Gesprek:     1042, nummer 1 in dit gesprek, SPOED\n"},
		{"when, in summer", func(*his.Item) {}, "Verzonden:   maandag 1 juni 2026 om 11:13 uur\n"},
		{"when, in winter", func(i *his.Item) { i.Sent = i.Sent.AddDate(0, 6, 0) }, "Verzonden:   dinsdag 1 december 2026 om 10:13 uur\n"},
		{"on what day, after midnight here", func(i *his.Item) { i.Sent = time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC) }, "vrijdag 1 januari 2027 om 00:30 uur\n"},
		{"what is answered", func(i *his.Item) { i.InReplyTo = i.ID }, "Antwoord op: het bericht met kenmerk " + short(histest.Message(1)) + "\n"},
		{"what is replaced", func(i *his.Item) { i.Kind, i.Replaces = his.KindEdit, i.ID }, "Vervangt:    het bericht met kenmerk " + short(histest.Message(1)) + "\n"},
		{"by what others refer to it", func(*his.Item) {}, "Kenmerk:     " + short(histest.Message(1)) + "\n"},
		{"what does not belong here", func(i *his.Item) {
			i.Kind, i.Mistaken = his.KindMistake, []uuid.UUID{histest.Message(1).ID, histest.Message(2).ID}
		}, "Ten onrechte: de berichten met kenmerk " + short(histest.Message(1)) + ", " + short(histest.Message(2)) + "\n"},
		{"which message was removed", func(i *his.Item) { i.Kind, i.Replaces, i.Text = his.KindRemoval, i.ID, "" }, "Betreft:     het bericht met kenmerk " + short(histest.Message(1)) + "\n"},
		{"which number was removed", func(i *his.Item) { i.Kind, i.Replaces, i.ReplacesSeq, i.Text = his.KindRemoval, i.ID, 8, "" }, "Betreft:     nummer 8 in dit gesprek, het bericht met kenmerk " + short(histest.Message(1)) + "\n"},
		{"what a grown-up is of the writer", func(i *his.Item) { grown(i, 2010, 6, 1) }, "volgens de schrijver: zoon of dochter; niet"},
		{"that somebody is a child on the last day", func(i *his.Item) { grown(i, 2010, 6, 2) }, "volgens de schrijver: kind; niet"},
		{"which numbers have no letter", func(i *his.Item) { i.Kind, i.Closing = his.KindClosing, &his.Closing{Only: []int{3}} }, "Alleen hier: nummer 3 van dit gesprek; zonder eigen brief\n"},
		{"which number was never filed", func(i *his.Item) { i.Kind, i.Closing = his.KindClosing, &his.Closing{Gone: []int{3}} }, "Vervallen:   nummer 3 van dit gesprek; verwijderd of overgeslagen voordat het was vastgelegd\n"},
		{"which numbers have no letters", func(i *his.Item) { i.Kind, i.Closing = his.KindClosing, &his.Closing{Only: []int{1, 2, 4, 6, 7, 8}} }, "Alleen hier: nummers 1, 2, 4, 6 tot en met 8 van dit gesprek; zonder eigen brief\n"},
		{"that there are no words", func(i *his.Item) { i.Text, i.Attachments = "", make([]his.Attachment, 2) }, "\n\n[Bijlage zonder tekst.]\n"},
		{"what was removed", func(i *his.Item) { i.Kind, i.Replaces, i.Text = his.KindRemoval, i.ID, "" }, "met alle wijzigingen ervan, uit de chat verwijderd op 1 juni 2026 om 11:13 uur. Het blijft in dit dossier.\n"},
		{"that the ground was withdrawn", func(i *his.Item) { about(i); i.Kind = his.KindWithdrawal }, "Grond ingetrokken\n\n"},
		{"that something is missing", func(i *his.Item) { i.Text = "" }, "\n[De inhoud van dit bericht kon niet worden overgenomen.]\n"},
		{"the files", func(*his.Item) {}, "Bijlagen:    a.jpg, b.pdf\n"},
		{"the words, at the end", func(i *his.Item) { i.Text = "a\nb" }, "\n\na\nb\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			item := histest.Message(1)
			tt.change(&item)
			assert.Contains(t, his.Readable(item, []string{"a.jpg", "b.pdf"}), tt.want)
		})
	}
}

func known(i *his.Item) { i.Conversation.Derde = histest.Child(histest.ChildPatient()) }

func about(i *his.Item) { i.Conversation.Derde = histest.Child(nil) }

// grown is about a child of the writer with this birthday.
func grown(i *his.Item, year int, month time.Month, day int) {
	about(i)
	i.Conversation.Derde.Relation, i.Conversation.Derde.Ground = "kind", his.GroundPermission
	i.Conversation.Derde.BirthDate = time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func short(i his.Item) string { return strings.ReplaceAll(i.ID.String(), "-", "")[:12] }

// What people give as a name must not look like a line of ours.
func TestNoNameAddsALine(t *testing.T) {
	want := strings.Count(his.Readable(named("x"), nil), "\n")
	for _, bad := range histest.Hostile() {
		assert.Equal(t, want, strings.Count(his.Readable(named(bad), nil), "\n"), "%q", bad)
	}
}

func named(s string) his.Item {
	i := histest.Message(1)
	i.Author.Name, i.Author.Role = s, his.Role(s)
	i.Conversation.Practice.Name = s
	i.Conversation.Patient.Number, i.Conversation.Patient.FirstName, i.Conversation.Patient.LastName = s, s, s
	i.Conversation.Derde = histest.Child(nil)
	i.Conversation.Derde.Name, i.Conversation.Derde.Relation, i.Conversation.Derde.StatementVersion = s, s, s
	return i
}
