package his

import (
	"fmt"
	"strings"
)

// document is the text of a closed conversation: what was asked and answered, literally,
// and then the summary. Each message begins with a line of ours, and its own lines are
// moved in, so that no words can pass for the next message or for the summary.
func (c Closing) document(of Conversation) string {
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
	if c.ClosedBy.name() != "" {
		fmt.Fprintf(&out, "Afgesloten door: %s\n", c.ClosedBy.signature())
	}
	if c.Unanswered {
		out.WriteString("Antwoord: de praktijk heeft in dit gesprek niet geantwoord\n")
	}
	for _, s := range c.Said {
		fmt.Fprintf(&out, "\n%s, %s:\n", of.signed(s.Author), moment(s.Sent))
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
