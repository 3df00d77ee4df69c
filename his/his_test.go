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

// conform is how each kind of connector is put to the suite.
var conform = map[string]func(*testing.T){"folder": folderConforms, "fhir": fhirConforms, "medvri": medvriConforms}

func TestEveryConnectorConforms(t *testing.T) {
	for _, kind := range his.Kinds() {
		t.Run(kind, func(t *testing.T) {
			suite := conform[kind]
			require.NotNil(t, suite, "nothing says that %s files what it is given: put it to histest.Run", kind)
			suite(t)
		})
	}
}

func TestMessageIDNeverChanges(t *testing.T) {
	id := his.MessageID("$Zm9vYmFy")
	assert.Equal(t, "b0dfe278-1801-57aa-a800-f055b96de7bb", id.String(), "everything would be filed again")
	assert.Equal(t, uuid.Version(5), id.Version())
	assert.NotEqual(t, id, his.MessageID("$Zm9vYmFz"))
}

// Each change makes the item one that can never be filed; the code is told to staff in words.
var impossible = []struct {
	name   string
	change func(*his.Item)
	want   his.Flaw
}{
	{"without an id", func(i *his.Item) { i.ID = uuid.Nil }, his.FlawNoID},
	{"without a number", func(i *his.Item) { i.Seq = 0 }, his.FlawNoPlace},
	{"of a kind we do not know", func(i *his.Item) { i.Kind = "fax" }, his.FlawUnknownKind},
	{"without a time", func(i *his.Item) { i.Sent = time.Time{} }, his.FlawNoTime},
	{"from the year 10000", func(i *his.Item) { i.Sent = i.Sent.AddDate(8000, 0, 0) }, his.FlawNoTime},
	{"filed in the year 10000", func(i *his.Item) { i.Filed = i.Filed.AddDate(8000, 0, 0) }, his.FlawNoTime},
	{"without an author", func(i *his.Item) { i.Author.Name = " \x00\u200b" }, his.FlawNoAuthor},
	{"of an author without a role", func(i *his.Item) { i.Author.Role = "" }, his.FlawNoAuthor},
	{"without a conversation", func(i *his.Item) { i.Conversation.ID = uuid.Nil }, his.FlawNoConversation},
	{"in a conversation without a number", func(i *his.Item) { i.Conversation.Number = 0 }, his.FlawNoConversation},
	{"in a conversation never opened", func(i *his.Item) { i.Conversation.Opened = time.Time{} }, his.FlawNotOpened},
	{"without a practice", func(i *his.Item) { i.Conversation.Practice.ID = "" }, his.FlawNoPractice},
	{"of a practice without a name", func(i *his.Item) { i.Conversation.Practice.Name = "" }, his.FlawNoPractice},
	{"of a practice with a strange AGB code", func(i *his.Item) { i.Conversation.Practice.AGB = "1|2&x" }, his.FlawPracticeCode},
	{"of a patient without a number", func(i *his.Item) { i.Conversation.Patient.Number = "\n" }, his.FlawPatientNumber},
	{"of a patient with half a BSN", func(i *his.Item) { i.Conversation.Patient.BSN = "12345678" }, his.FlawPatientNumber},
	{"about a Derde without a name", func(i *his.Item) { i.Conversation.Derde = derde(func(d *his.Derde) { d.Name = "" }) }, his.FlawDerde},
	{"about a Derde without a ground", func(i *his.Item) { i.Conversation.Derde = derde(func(d *his.Derde) { d.Ground = "" }) }, his.FlawDerde},
	{"about a Derde nobody attested", func(i *his.Item) { i.Conversation.Derde = derde(func(d *his.Derde) { d.AttestedAt = time.Time{} }) }, his.FlawDerde},
	{"about a Derde with a strange BSN", func(i *his.Item) { i.Conversation.Derde = derde(func(d *his.Derde) { d.Patient.BSN = "x" }) }, his.FlawDerde},
	{"with a megabyte of words", func(i *his.Item) { i.Text = string(make([]byte, 1<<20+1)) + "x" }, his.FlawTooLong},
	{"that closes nothing with a document", func(i *his.Item) { i.Closing = histest.Document() }, his.FlawDocument},
	{"that closes with half a code", func(i *his.Item) {
		i.Kind, i.Closing = his.KindClosing, histest.Document()
		i.Closing.Consult.System = ""
	}, his.FlawDocument},
	{"that edits nothing", func(i *his.Item) { i.Kind = his.KindEdit }, his.FlawReplacesNone},
	{"that removes nothing", func(i *his.Item) { i.Kind = his.KindRemoval }, his.FlawReplacesNone},
	{"that withdraws nothing", func(i *his.Item) { i.Kind = his.KindWithdrawal }, his.FlawNoDerde},
	{"with an attachment without data", func(i *his.Item) { i.Attachments = make([]his.Attachment, 1) }, his.FlawAttachment},
	{"with an attachment of no size", func(i *his.Item) { i.Attachments = photos(-1) }, his.FlawAttachment},
	{"with an attachment of 2 GB", func(i *his.Item) { i.Attachments = photos(1 << 31) }, his.FlawAttachment},
	{"with one attachment twice", func(i *his.Item) {
		i.Attachments = photos(1, 1)
		i.Attachments[0].ID, i.Attachments[1].ID = i.ID, i.ID
	}, his.FlawAttachment},
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
			require.ErrorIs(t, err, tt.want)
			assert.EqualError(t, err, "item "+item.ID.String()+": "+tt.want.Error())
			why, where := his.WhyRefused(err)
			assert.Equal(t, string(tt.want), why)
			assert.Empty(t, where)
			assert.Contains(t, his.Refusals(), why)
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
