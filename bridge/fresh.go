package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/texts"
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
	Problem   string
}

// freshOf are those of some answers that are not known yet, with their files. What comes after one of which
// a file cannot be read waits in the same conversation only; then the error wraps his.ErrPartly.
func (b *Bridge) freshOf(ctx context.Context, page []his.Answer) (fresh []answer, partly error) {
	waits := map[talkOf]bool{}
	for _, one := range page {
		_, known, err := b.Store.Answer(ctx, one.ID.String())
		if err != nil {
			return nil, err
		}
		of := talkOf{one.Conversation, one.Number}
		if known || waits[of] {
			continue
		}
		read, err := b.readAnswer(one)
		if err != nil {
			partly, waits[of] = fmt.Errorf("read a file of an answer: %w: %w", err, his.ErrPartly), true
			continue
		}
		fresh = append(fresh, read)
	}
	return fresh, partly
}

// A talkOf is the conversation that an answer names.
type talkOf struct {
	id     uuid.UUID
	number int64
}

// readAnswer reads the files of an answer while the system still gives them.
func (b *Bridge) readAnswer(a his.Answer) (answer, error) {
	out := answer{
		ID: a.ID.String(), Reference: a.Reference, In: a.Conversation, Number: a.Number, ReplyTo: a.InReplyTo, For: a.For,
		Name: oneLine(a.Author.Name), Role: oneLine(string(a.Author.Role)), Text: a.Text, Problem: a.Problem,
	}
	for _, f := range a.Attachments {
		if f.Size > b.MaxFile {
			out.Problem = b.Texts.Text(b.Language, "answer.too_large", texts.Args{})
			break
		}
		data, err := b.readFileOf(f)
		if err != nil {
			return out, err
		}
		out.Files = append(out.Files, letterFile{Name: f.Name, Type: f.ContentType, Data: data})
	}
	return out, nil
}

// readFileOf reads no more than one byte above what is passed on.
func (b *Bridge) readFileOf(f his.Attachment) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, b.MaxFile+1))
	return data, errors.Join(err, r.Close())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
