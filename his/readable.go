package his

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a container may have no time zones

	"github.com/google/uuid"
)

// local is where the practices are. The zone is built in, so it is always found.
var local = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		panic(err)
	}
	return zone
}()

var months = [...]string{
	"januari", "februari", "maart", "april", "mei", "juni",
	"juli", "augustus", "september", "oktober", "november", "december",
}

var weekdays = [...]string{"zondag", "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag"}

// Readable is the item for a person: what it is, by whom, about whom and on what
// ground, and then the words as they were written. It is in Dutch, as everything in a
// Dutch record. files are the names under which the attachments can be found.
//
// Nothing of ours follows the words, and what precedes them is one line each: no name
// and no text can pass for something that we say.
func Readable(item Item, files []string) string {
	c := item.Conversation
	rows := []struct{ label, value string }{
		{"Patiënt", patientLine(c.subject())},
		{"Gaat over", concerns(c)},
		{"Van", c.signed(item.Author)},
		{"Account van", c.account()},
		{"Soort", categories[c.Category]},
		{"Grond", ground(c)},
		{"Praktijk", practiceLine(c.Practice)},
		{"Gesprek", conversationLine(item)},
		{"Kenmerk", Mark(item.ID)},
		{"Herkomst", item.origin()},
		{"Verzonden", weekdays[item.Sent.In(local).Weekday()] + " " + moment(item.Sent)},
		{"Antwoord op", marks(item.InReplyTo)},
		{replacesLabel(item.Kind), item.replaced()},
		{"Ten onrechte", mistaken(item)},
		{"Alleen hier", onlyHere(item.Closing)},
		{"Vervallen", neverHere(item.Closing)},
		{"Bijlagen", strings.Join(files, ", ")},
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n", heading(item))
	for _, r := range rows {
		if r.value != "" {
			fmt.Fprintf(&out, "%-12s %s\n", r.label+":", r.value)
		}
	}
	said := item.body()
	if said == "" && len(files) > 0 {
		said = "[Bijlage zonder tekst.]"
	}
	if said != "" {
		fmt.Fprintf(&out, "\n%s\n", said)
	}
	return out.String()
}

// headings say what something is: by the patient, what follows when it is about another, and by the practice.
var headings = map[Kind]struct{ patient, another, practice string }{
	KindMessage:    {"Bericht van de patiënt", " over een ander", "Antwoord van de praktijk"},
	KindEdit:       {"Wijziging door de patiënt", ", gaat over een ander", "Wijziging door de praktijk"},
	KindRemoval:    {"Verwijderd door de patiënt", ", gaat over een ander", "Verwijderd door de praktijk"},
	KindClosing:    {"Afsluiting van het gesprek", "", "Afsluiting van het gesprek"},
	KindReopening:  {"Het gesprek gaat verder", "", "Het gesprek gaat verder"},
	KindWithdrawal: {"Grond ingetrokken", "", "Grond ingetrokken"},
	KindMistake:    {"Hoort niet in dit dossier", "", "Hoort niet in dit dossier"},
}

func heading(item Item) string {
	said := item.said()
	switch {
	case item.Author.Role != RolePatient:
		return said.practice
	case item.Conversation.aboutAnother():
		return said.patient + said.another
	case item.Conversation.Derde != nil:
		return strings.Replace(said.patient, "de patiënt", "een ander dan de patiënt", 1)
	}
	return said.patient
}

// said are the headings of this item; the first message of a conversation is the question.
func (i Item) said() (said struct{ patient, another, practice string }) {
	said = headings[i.Kind]
	if i.Kind == KindMessage && (i.First || i.Seq == 1) {
		said.patient = strings.Replace(said.patient, "Bericht", "Vraag", 1)
	}
	return said
}

// aboutAnother says that a record has something about somebody who has none of their own.
func (c Conversation) aboutAnother() bool { return c.Derde != nil && c.Derde.Patient == nil }

// subject is in whose record it is: the account holder's, or, when staff have said who the Derde
// is, the Derde's.
func (c Conversation) subject() Patient {
	if c.Derde != nil && c.Derde.Patient != nil {
		return *c.Derde.Patient
	}
	return c.Patient
}

// signed is who wrote something and as what.
func (c Conversation) signed(a Author) string {
	switch {
	case a.Role != RolePatient || c.Derde == nil:
		return a.signature()
	case c.aboutAnother():
		return a.name() + " (patiënt, schrijft over een ander)"
	}
	return a.name() + " (schrijft over de patiënt)"
}

// account is whose account it came by, where that is not the patient.
func (c Conversation) account() string {
	if c.Derde == nil || c.Derde.Patient == nil {
		return ""
	}
	return patientLine(c.Patient)
}

// body is what was written, or what there is to say where nothing was: that something
// came which could not be carried must not disappear from the record.
func (i Item) body() string {
	said := plain(i.Text)
	switch {
	case i.Closing != nil:
		return i.Closing.document(i.Conversation, i.Sent)
	case said != "" || len(i.Attachments) > 0:
		return said
	case i.Kind == KindRemoval && i.OfEdit:
		return "De afzender heeft deze wijziging uit de chat verwijderd op " + moment(i.Sent) + ". Wat er daarvoor stond, staat daar nog. De wijziging blijft in dit dossier."
	case i.Kind == KindRemoval:
		return "De afzender heeft dit bericht, met alle wijzigingen ervan, uit de chat verwijderd op " + moment(i.Sent) + ". Het blijft in dit dossier."
	case i.Kind == KindMistake:
		return "Dit is ten onrechte in dit dossier gekomen."
	case i.Kind == KindMessage || i.Kind == KindEdit:
		return "[De inhoud van dit bericht kon niet worden overgenomen.]"
	}
	return ""
}

// signature is a name and what its bearer is.
func (a Author) signature() string { return a.name() + roleSuffix(a.Role) }

func (a Author) name() string {
	if a.Role == RoleBridge {
		return "Spreekkamer"
	}
	return line(a.Name)
}

// filed is when filing was decided on.
func (i Item) filed() time.Time {
	if i.Filed.IsZero() {
		return i.Sent
	}
	return i.Filed
}

func roleSuffix(r Role) string {
	if r == RoleBridge {
		return " (software van de chat)"
	}
	return " (" + strings.Replace(line(string(r)), "patient", "patiënt", 1) + ")"
}

func patientLine(p Patient) string {
	parts := []string{fullName(p), born(p.BirthDate), numberLabel + line(p.Number)}
	if p.BSN != "" {
		parts = append(parts, "BSN "+p.BSN)
	}
	return join(parts)
}

func concerns(c Conversation) string {
	switch {
	case c.Derde == nil:
		return "de patiënt zelf"
	case c.Derde.Patient == nil:
		return derdeLine(*c.Derde) + "; niet gekoppeld aan een eigen dossier"
	default:
		return derdeLine(*c.Derde) + "; door de praktijk gekoppeld aan deze patiënt"
	}
}

func derdeLine(d Derde) string {
	parts := []string{line(d.Name), born(d.BirthDate)}
	if relation := d.relation(); relation != "" {
		parts = append(parts, "volgens de schrijver: "+relation)
	}
	return join(parts)
}

// adult is the age from which nobody is called a child here.
const adult = 16

// relation is what the Derde is of the writer: the choice of a child says nothing of the age.
func (d Derde) relation() string {
	relation := line(d.Relation)
	if relation == "kind" && datable(d.BirthDate) && !d.BirthDate.AddDate(adult, 0, 0).After(d.AttestedAt) {
		return "zoon of dochter"
	}
	return relation
}

func ground(c Conversation) string {
	if c.Derde == nil {
		return ""
	}
	return groundLine(*c.Derde)
}

var grounds = map[Ground]string{
	GroundParent:     "ouder of voogd van een kind jonger dan 16 jaar",
	GroundPermission: "toestemming van deze persoon",
}

func groundLine(d Derde) string {
	parts := []string{grounds[d.Ground], "verklaard door de schrijver op " + moment(d.AttestedAt)}
	if version := line(d.StatementVersion); version != "" {
		parts = append(parts, "versie "+version+" van de verklaring")
	}
	return join(parts)
}

func practiceLine(p Practice) string {
	if p.AGB == "" {
		return line(p.Name)
	}
	return line(p.Name) + ", AGB " + p.AGB
}

func conversationLine(item Item) string {
	said := fmt.Sprintf("%d, nummer %d in dit gesprek", item.Conversation.Number, item.Seq)
	if item.Conversation.Urgent {
		said += ", SPOED"
	}
	return said
}

func replacesLabel(k Kind) string {
	if k == KindEdit {
		return "Vervangt"
	}
	return "Betreft"
}

// origin is where an item comes from that did not come by the chat.
func (i Item) origin() string {
	if !i.copied {
		return ""
	}
	reader := "de patiënt"
	if of := i.Conversation; of.Derde != nil && of.Derde.Patient != nil { // the record is of another than who reads it
		reader = cmp.Or(fullName(of.Patient), "de schrijver") + ", die over de patiënt schrijft"
	}
	return "geschreven in het HIS, en zo gestuurd aan " + reader + "; dit is een afschrift"
}

// replaced is which message an edit or a removal is about.
func (i Item) replaced() string {
	said := marks(i.Replaces)
	if said != "" && i.ReplacesSeq > 0 {
		said = fmt.Sprintf("nummer %d in dit gesprek, %s", i.ReplacesSeq, said)
	}
	return said
}

// mistaken names the messages that do not belong where they are.
func mistaken(i Item) string {
	if i.Kind != KindMistake {
		return ""
	}
	if len(i.Mistaken) == 0 {
		return "alle berichten van dit gesprek"
	}
	return marks(i.Mistaken...)
}

// marks names messages by their marks ("kenmerk"): every letter has its own in its head, and a
// file has it in its name. The zero ID names none.
func marks(ids ...uuid.UUID) string {
	var all []string
	for _, id := range ids {
		if id != uuid.Nil {
			all = append(all, Mark(id))
		}
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		return "het bericht met kenmerk " + all[0]
	}
	return "de berichten met kenmerk " + strings.Join(all, ", ")
}

// moment is a time in the practice, in words.
func moment(t time.Time) string {
	t = t.In(local)
	return day(t) + " om " + t.Format("15:04") + " uur"
}

func day(t time.Time) string { return fmt.Sprintf("%d %s %d", t.Day(), months[t.Month()-1], t.Year()) }

func born(t time.Time) string {
	if !datable(t) {
		return ""
	}
	return "geboren " + day(t)
}

func join(parts []string) string {
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ", ")
}
