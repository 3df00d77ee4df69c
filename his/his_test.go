package his_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

func TestOpenNamesWhatItKnows(t *testing.T) {
	_, err := his.Open("fax", his.Settings{})
	assert.EqualError(t, err, `his kind "fax": we know fhir, folder, medvri`)
	_, err = his.Open("folder", his.Settings{Dir: "relative"})
	assert.EqualError(t, err, `open his folder: dir "relative": give an absolute path`)
	_, err = his.Open("folder", his.Settings{})
	assert.Error(t, err)
}

func TestMessageIDNeverChanges(t *testing.T) {
	id := his.MessageID("$Zm9vYmFy")
	assert.Equal(t, "b0dfe278-1801-57aa-a800-f055b96de7bb", id.String(), "everything would be filed again")
	assert.Equal(t, uuid.Version(5), id.Version())
	assert.NotEqual(t, id, his.MessageID("$Zm9vYmFz"))
}

// Each change makes the item one that can never be filed; the words go to staff.
var impossible = []struct {
	name   string
	change func(*his.Item)
	want   string
}{
	{"without an id", func(i *his.Item) { i.ID = uuid.Nil }, "no id"},
	{"without a number", func(i *his.Item) { i.Seq = 0 }, "no place in the conversation"},
	{"of a kind we do not know", func(i *his.Item) { i.Kind = "fax" }, "unknown kind of item"},
	{"without a time", func(i *his.Item) { i.Sent = time.Time{} }, "no time"},
	{"from the year 10000", func(i *his.Item) { i.Sent = i.Sent.AddDate(8000, 0, 0) }, "no time"},
	{"filed in the year 10000", func(i *his.Item) { i.Filed = i.Filed.AddDate(8000, 0, 0) }, "no time"},
	{"without an author", func(i *his.Item) { i.Author.Name = " \x00\u200b" }, "no author"},
	{"of an author without a role", func(i *his.Item) { i.Author.Role = "" }, "no author"},
	{"without a conversation", func(i *his.Item) { i.Conversation.ID = uuid.Nil }, "no conversation"},
	{"in a conversation without a number", func(i *his.Item) { i.Conversation.Number = 0 }, "no conversation"},
	{"in a conversation never opened", func(i *his.Item) { i.Conversation.Opened = time.Time{} }, "no time at which the conversation was opened"},
	{"without a practice", func(i *his.Item) { i.Conversation.Practice.ID = "" }, "no practice"},
	{"of a practice without a name", func(i *his.Item) { i.Conversation.Practice.Name = "" }, "no practice"},
	{"of a practice with a strange AGB code", func(i *his.Item) { i.Conversation.Practice.AGB = "1|2&x" }, "the practice's AGB code is not 8 digits"},
	{"of a patient without a number", func(i *his.Item) { i.Conversation.Patient.Number = "\n" }, "no patient number, or a BSN that is not 9 digits"},
	{"of a patient with half a BSN", func(i *his.Item) { i.Conversation.Patient.BSN = "12345678" }, "no patient number, or a BSN that is not 9 digits"},
	{"about a Derde without a name", func(i *his.Item) { i.Conversation.Derde = derde(func(d *his.Derde) { d.Name = "" }) }, "the Derde is not complete"},
	{"about a Derde without a ground", func(i *his.Item) { i.Conversation.Derde = derde(func(d *his.Derde) { d.Ground = "" }) }, "the Derde is not complete"},
	{"about a Derde nobody attested", func(i *his.Item) { i.Conversation.Derde = derde(func(d *his.Derde) { d.AttestedAt = time.Time{} }) }, "the Derde is not complete"},
	{"about a Derde with a strange BSN", func(i *his.Item) { i.Conversation.Derde = derde(func(d *his.Derde) { d.Patient.BSN = "x" }) }, "the Derde is not complete"},
	{"with a megabyte of words", func(i *his.Item) { i.Text = string(make([]byte, 1<<20+1)) + "x" }, "text longer than a HIS can hold"},
	{"that closes nothing with a document", func(i *his.Item) { i.Closing = histest.Document() }, "a document that belongs to a closing only, or with half a code"},
	{"that closes with half a code", func(i *his.Item) {
		i.Kind, i.Closing = his.KindClosing, histest.Document()
		i.Closing.Consult.System = ""
	}, "a document that belongs to a closing only, or with half a code"},
	{"that edits nothing", func(i *his.Item) { i.Kind = his.KindEdit }, "it does not say which message it replaces"},
	{"that removes nothing", func(i *his.Item) { i.Kind = his.KindRemoval }, "it does not say which message it replaces"},
	{"that withdraws nothing", func(i *his.Item) { i.Kind = his.KindWithdrawal }, "it concerns no Derde"},
	{"with an attachment without data", func(i *his.Item) { i.Attachments = make([]his.Attachment, 1) }, "an attachment cannot be read, or is there twice"},
	{"with an attachment of no size", func(i *his.Item) { i.Attachments = photos(-1) }, "an attachment cannot be read, or is there twice"},
	{"with an attachment of 2 GB", func(i *his.Item) { i.Attachments = photos(1 << 31) }, "an attachment cannot be read, or is there twice"},
	{"with one attachment twice", func(i *his.Item) {
		i.Attachments = photos(1, 1)
		i.Attachments[0].ID, i.Attachments[1].ID = i.ID, i.ID
	}, "an attachment cannot be read, or is there twice"},
}

func derde(change func(*his.Derde)) *his.Derde {
	d := histest.Child(histest.ChildPatient())
	change(d)
	return d
}

func photos(sizes ...int64) (all []his.Attachment) {
	for _, size := range sizes {
		all = append(all, histest.Big(size))
	}
	return all
}

func TestAnItemIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range impossible {
		t.Run(tt.name, func(t *testing.T) {
			item := histest.Message(1)
			tt.change(&item)
			_, err := his.Bundle(item)
			require.ErrorIs(t, err, his.ErrRefused)
			assert.EqualError(t, err, "item "+item.ID.String()+": "+tt.want+": refused")
			_, again := open(t, dir).File(t.Context(), item)
			assert.True(t, errors.Is(again, his.ErrRefused))
		})
	}
	assert.Empty(t, files(t, dir))
}

func TestWordsAreKeptAsTheyWereWritten(t *testing.T) {
	for _, tt := range []struct{ name, in, plain, line string }{
		{"ordinary words", "Mag ik <dit> & dat?", "Mag ik <dit> & dat?", "Mag ik <dit> & dat?"},
		{"lines and tabs", "a\r\nb\rc\td\n", "a\nb\nc\td\n", "a b c d"},
		{"control characters", "a\x00b\x1b[31mc\u0085", "ab[31mc", "ab[31mc"},
		{"broken UTF-8", "a\xffb", "a\uFFFDb", "a\uFFFDb"},
		{"a name that turns its direction", "a\u202Egpj.exe", "a\u202Egpj.exe", "agpj.exe"},
		{"an emoji made of several", "👩‍⚕️", "👩‍⚕️", "👩⚕️"},
		{"only white space", " \n\t\u00a0", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.plain, his.Plain(tt.in))
			assert.Equal(t, tt.line, his.Line(tt.in))
		})
	}
}
