package his

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// document is the text of a closed conversation: what was asked and answered, literally,
// and then the summary. Each message begins with a line of ours, and its own lines are
// moved in, so that no words can pass for the next message or for the summary.
func (c Closing) document(of Conversation, at time.Time) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n%s, patiënt: %s\n", conversationTitle(of), line(of.Practice.Name), patientLine(of.subject()))
	if of.Derde != nil {
		fmt.Fprintf(&out, "Gaat over: %s\nGrond: %s\n", concerns(of), groundLine(*of.Derde))
	}
	if account := of.account(); account != "" {
		fmt.Fprintf(&out, "Account van: %s\n", account)
	}
	if c.Consult != nil {
		fmt.Fprintf(&out, "Contact: %s\n", c.Consult.words())
	}
	fmt.Fprintf(&out, "Afgesloten: %s\n", c.ended(of, at))
	if c.Unanswered {
		fmt.Fprintf(&out, "Antwoord: %s\n", unanswered)
	}
	for _, s := range c.Said {
		fmt.Fprintf(&out, "\n%s%s, %s:\n", s.numbered(), of.signed(s.Author), moment(s.Sent))
		indented(&out, plain(s.Text))
		for _, file := range s.Files {
			fmt.Fprintf(&out, "    [bijlage: %s]\n", line(file))
		}
	}
	if summary := plain(c.Summary); summary != "" {
		by := ""
		if c.By.name() != "" {
			by = " door " + c.By.signature()
		}
		fmt.Fprintf(&out, "\nSamenvatting%s:\n", by)
		indented(&out, summary)
	}
	return out.String()
}

// numbered is how the letters, and what the report says of numbers, call it.
func (s Said) numbered() string {
	if len(s.Seq) == 0 {
		return ""
	}
	return strings.Replace(numbers(s.Seq), "n", "N", 1) + ": "
}

const unanswered = "de praktijk heeft in dit gesprek niet geantwoord"

// endings say what ended a conversation. %s is the account holder.
var endings = map[Ending]string{
	EndingWithdrawn: "omdat %s de eigen toestemming voor de chat introk",
	EndingDeclined:  "omdat het account van %s is afgewezen",
	EndingGround:    "automatisch, omdat de grond waarop %s over een ander schrijft niet meer geldt",
	EndingAnother:   "omdat %s opnieuw moet zeggen over wie het gaat",
	EndingInSystem:  "door de praktijk, in het eigen systeem",
}

// ended is when a conversation was closed and, where that is known, by whom or by what.
func (c Closing) ended(of Conversation, at time.Time) string {
	parts := []string{"op " + moment(at)}
	if c.ClosedBy.name() != "" {
		parts = append(parts, "door "+c.ClosedBy.signature())
	}
	if said, known := endings[c.Ending]; known {
		holder := Author{Name: fullName(of.Patient), Role: RolePatient}
		parts = append(parts, strings.ReplaceAll(said, "%s", cmp.Or(of.signed(holder), "de schrijver")))
	}
	return strings.Join(parts, ", ")
}

// outcome is how a conversation ended, in one line.
func (c Closing) outcome(of Conversation, at time.Time) string {
	parts := []string{"Afgesloten " + c.ended(of, at)}
	if c.Unanswered {
		parts = append(parts, unanswered)
	}
	return strings.Join(parts, "; ")
}

// onlyHere are the numbers of what has no letter of its own, so that nobody looks for it.
func onlyHere(c *Closing) string {
	if c == nil || len(c.Only) == 0 {
		return ""
	}
	return numbers(c.Only) + " van dit gesprek; zonder eigen brief"
}

// neverHere are the numbers of what never came into the record, so that nobody misses it.
func neverHere(c *Closing) string {
	if c == nil || len(c.Gone) == 0 {
		return ""
	}
	return numbers(c.Gone) + " van dit gesprek; verwijderd of overgeslagen voordat het was vastgelegd"
}

func numbers(all []int) string {
	word := "nummer "
	if len(all) > 1 {
		word = "nummers "
	}
	var parts []string
	for from := 0; from < len(all); {
		to := from
		for to+1 < len(all) && all[to+1] == all[to]+1 {
			to++
		}
		parts = append(parts, span(all[from], all[to]))
		from = to + 1
	}
	return word + strings.Join(parts, ", ")
}

func span(from, to int) string {
	switch to {
	case from:
		return strconv.Itoa(from)
	case from + 1:
		return fmt.Sprintf("%d, %d", from, to)
	}
	return fmt.Sprintf("%d tot en met %d", from, to)
}

func indented(out *strings.Builder, said string) {
	for said := range strings.Lines(said) {
		fmt.Fprintf(out, "    %s\n", strings.TrimSuffix(said, "\n"))
	}
}

// words are what a person reads of a code.
func (c Code) words() string {
	if display := line(c.Display); display != "" {
		return display + " (" + line(c.Code) + ")"
	}
	return line(c.Code)
}
