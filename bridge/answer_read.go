package bridge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// An answer is one of a system with its files read; what is in it is sealed as it is here.
type answer struct {
	ID        string
	Reference string
	In        uuid.UUID // the conversation, or
	Number    int64
	ReplyTo   uuid.UUID
	For       *his.Whose `json:"-"` // is looked at before it is kept
	Name      string     // who wrote it
	Role      string
	Text      string
	Files     []letterFile
	Problem   string // key of a text
	Print     []byte `json:"-"` // tells this wording from another
	Withdrawn bool   `json:"-"` // the system has taken it back
}

// readAnswer reads the files of an answer while the system still gives them.
func (b *Bridge) readAnswer(a his.Answer) (answer, error) {
	out := headOf(a)
	for _, f := range a.Attachments {
		if f.Size > b.MaxFile {
			out.Problem = "answer.too_large"
			break
		}
		r, err := f.Open()
		if err != nil {
			return out, err
		}
		data, err := io.ReadAll(io.LimitReader(r, b.MaxFile+1))
		if err := errors.Join(err, r.Close()); err != nil {
			return out, err
		}
		out.Files = append(out.Files, letterFile{Name: f.Name, Type: f.ContentType, Data: data})
	}
	return out, nil
}

// headOf is an answer without its files.
func headOf(a his.Answer) answer {
	return answer{
		ID: a.ID.String(), Reference: a.Reference, In: a.Conversation, Number: a.Number, ReplyTo: a.InReplyTo, For: a.For,
		Name: oneLine(a.Author.Name), Role: oneLine(string(a.Author.Role)), Text: a.Text, Problem: problemOf(a), Print: printOf(a), Withdrawn: a.Withdrawn,
	}
}

// problemOf is why an answer must not be passed on, as the key of a text; "" = it may be.
func problemOf(a his.Answer) string {
	if a.Problem == "" {
		return ""
	}
	return "answer.why." + string(a.Problem)
}

// whyNot is why an answer is not passed on, in words for staff and for the system. A connector may
// name a problem of its own that we have no words for.
func (b *Bridge) whyNot(key, practice string) string {
	if !b.Texts.Has(key) {
		key = problemOf(his.Answer{Problem: his.ProblemUnreadable})
	}
	return b.Texts.Text(b.Language, key, b.practiceArgs(b.practice(practice)))
}

// printOf tells one wording of an answer from another. Files count by their names and sizes.
func printOf(a his.Answer) []byte {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q", a.Text)
	for _, f := range a.Attachments {
		fmt.Fprintf(sum, " %q %d", f.Name, f.Size)
	}
	return sum.Sum(nil)
}

// isChanged says that an answer which was taken in reads otherwise in the system now, or is there no
// longer. One that can no longer be passed on has no words to compare, and of one that was not passed on,
// or has left the chat, the patient has none.
func (b *Bridge) isChanged(ctx context.Context, row store.Answer, now his.Answer) (bool, error) {
	if b.Now().Sub(row.At) > trafficLog {
		return false, nil
	}
	if now.Withdrawn || now.Problem != "" {
		return now.Withdrawn && !row.Withdrawn && row.State != store.AnswerFailed, nil
	}
	before, noted, err := b.Store.PrintOfAnswer(ctx, row.ID)
	if row.State == store.AnswerFailed && (!noted || len(before) > sha256.Size) { // see unpassed
		return false, err
	}
	return row.Withdrawn || !bytes.Equal(before, printOf(now)), err
}

// tellChanged says to staff that the patient has what the record has no longer, or otherwise: that is not
// sent again by itself, since nobody knows which of the two the patient has acted on. An answer of before
// wordings were noted is only noted.
func (b *Bridge) tellChanged(ctx context.Context, a answer) error {
	row, known, err := b.Store.Answer(ctx, a.ID)
	if err != nil || !known {
		return err
	}
	if a.Withdrawn != row.Withdrawn {
		if err := b.Store.SetWithdrawn(ctx, row.ID, a.Withdrawn); err != nil {
			return err
		}
	}
	if a.Withdrawn {
		if row.Withdrawn {
			return nil
		}
		return b.add(ctx, aboutAnswer(row, "answer.withdrawn", ""))
	}
	before, told, err := b.Store.PrintOfAnswer(ctx, a.ID)
	if err != nil || bytes.Equal(before, a.Print) {
		return err
	}
	if told {
		if err := b.add(ctx, aboutAnswer(row, "answer.changed", "")); err != nil {
			return err
		}
	}
	return b.Store.SavePrint(ctx, a.ID, a.Print)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
