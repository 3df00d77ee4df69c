package page_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/page"
)

func bundles(t testing.TB, items ...his.Item) (all []json.RawMessage) {
	t.Helper()
	for _, item := range items {
		b, err := his.Bundle(item)
		require.NoError(t, err)
		var text bytes.Buffer
		require.NoError(t, b.Write(&text))
		all = append(all, text.Bytes())
	}
	return all
}

func render(t testing.TB, items ...his.Item) string {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, page.Write(&out, bundles(t, items...), zone))
	return out.String()
}

func photo(t testing.TB) his.Attachment {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 240, 120))
	for x := range 240 {
		for y := range 120 {
			picture.Set(x, y, color.RGBA{uint8(x), 120, uint8(2 * y), 255})
		}
	}
	var data bytes.Buffer
	require.NoError(t, png.Encode(&data, picture))
	return his.Attachment{
		Name: "plek.png", ContentType: "image/png", Size: int64(data.Len()),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data.Bytes())), nil },
	}
}

// Someone who knows neither FHIR nor us finds: the question, who wrote it, whom it concerns
// and why that is allowed, when, the photo, the answer, and by whom.
func TestAPersonFindsEverythingOnThePage(t *testing.T) {
	question, answer, closing := histest.Message(1), histest.Message(2), histest.Message(3)
	question.Text, question.Attachments = "Sanne heeft een plek op haar arm.\nMoeten wij komen?", []his.Attachment{photo(t)}
	answer.Author, answer.Text, answer.InReplyTo = his.Author{Name: "P. Bakker", Role: his.RoleHuisarts}, "Nee, dat is een schaafwond.", question.ID
	closing.Kind, closing.Text, closing.Closing = his.KindClosing, "", histest.Document()
	for _, item := range []*his.Item{&question, &answer, &closing} {
		item.Conversation.Derde = histest.Child(histest.ChildPatient())
	}
	got := render(t, question, answer, closing)
	at := -1
	for _, want := range []string{
		"Gesprek 1042", "Sanne de Vries, geboren 14-09-2015, BSN 123456782, patiëntnummer 20418",
		"Gaat over", "Sanne de Vries, geboren 14 september 2015", "Grond: ouder of voogd van een kind jonger dan 16 jaar",
		"Jan de Vries, geboren 02-03-1980, BSN 999990019, schrijft over: dochter", "Huisartsenpraktijk De Linde", "afgesloten op 1 juni 2026 om 11:15 uur, door Fatima (doktersassistent)</dd>",
		"Vraag van Jan de Vries (schrijft over: dochter)", "01-06-2026 om 11:13 uur", "Sanne heeft een plek op haar arm.", "data:image/png;base64,", "plek.png",
		"Antwoord van P. Bakker (huisarts)", "01-06-2026 om 11:14 uur", "Op het bericht van Jan de Vries (schrijft over: dochter), 01-06-2026 om 11:13 uur", "Nee, dat is een schaafwond.",
		"Verslag", "Afgesloten: op 1 juni 2026 om 11:15 uur, door Fatima (doktersassistent)", "Samenvatting door Fatima (doktersassistent)", "S: plek op arm",
	} {
		next := strings.Index(got[at+1:], want)
		require.GreaterOrEqual(t, next, 0, "%s, after what comes before it", want)
		at += 1 + next
	}
}

// Whom it concerns is said once, above, also when nobody else is concerned or the Derde has no
// record of their own.
func TestWhomItConcernsIsAlwaysSaid(t *testing.T) {
	assert.Contains(t, render(t, histest.Message(1)), "<dt>Gaat over</dt><dd>de patiënt zelf</dd>")
	about, later := histest.Message(1), histest.Message(2)
	about.Conversation.Derde, later.Conversation.Derde = histest.Child(nil), histest.Child(nil)
	got := render(t, about, later)
	assert.Contains(t, got, "volgens de schrijver: dochter; niet gekoppeld aan een eigen dossier. Grond:")
	assert.Contains(t, got, "Vraag van Jan de Vries (patiënt, schrijft over een ander)")
	assert.Equal(t, 1, strings.Count(got, "Sanne de Vries, geboren 14 september 2015"))
	later.Conversation.Derde.AttestedAt = later.Conversation.Derde.AttestedAt.Add(time.Hour)
	assert.Equal(t, 2, strings.Count(render(t, about, later), "Sanne de Vries, geboren 14 september 2015"), "the ground was given anew")
}

// How it ended stands beside the status, not only in the report.
func TestHowAConversationEndedIsSaidAbove(t *testing.T) {
	closing := histest.Message(2)
	closing.Kind, closing.Text, closing.Closing = his.KindClosing, "", &his.Closing{Ending: his.EndingWithdrawn, Unanswered: true}
	assert.Contains(t, render(t, histest.Message(1), closing),
		"<dd>afgesloten op 1 juni 2026 om 11:14 uur, omdat Jan de Vries (patiënt) de eigen toestemming voor de chat introk; de praktijk heeft in dit gesprek niet geantwoord</dd>")
	closing.Closing.Ending = ""
	assert.Contains(t, render(t, histest.Message(1), closing), "<dd>afgesloten op 1 juni 2026 om 11:14 uur; de praktijk heeft in dit gesprek niet geantwoord</dd>")
	again := histest.Message(3)
	again.Kind, again.Text = his.KindReopening, ""
	assert.Contains(t, render(t, histest.Message(1), closing, again), "<dd>loopt</dd>")
}

func TestARemovalIsSaidWithWhatWasRemoved(t *testing.T) {
	said, removal := histest.Message(1), histest.Message(2)
	removal.Kind, removal.Replaces, removal.Text = his.KindRemoval, said.ID, ""
	got := render(t, said, removal)
	assert.Equal(t, 1, strings.Count(got, `<article class=" removed"`), "its words are struck out")
	assert.Equal(t, 1, strings.Count(got, "<article"), "the notice is no message of its own")
	assert.Regexp(t, `(?s)Vraag van Jan.*`+said.Text+`.*De afzender heeft dit bericht uit de chat verwijderd</strong> op 01-06-2026 om 11:14 uur`, got)
}

func TestNobodyCanWriteThatAMessageWasRemoved(t *testing.T) {
	said, claim := histest.Message(1), histest.Message(2)
	claim.InReplyTo, claim.Text = said.ID, "De afzender heeft dit bericht uit de chat verwijderd op 1 juni 2026 om 11:14 uur."
	got := render(t, said, claim)
	assert.Equal(t, 2, strings.Count(got, "<article"))
	assert.NotContains(t, got, "verwijderd</strong>")
}

func TestAnEditTakesTheOldWordingsPlaceAndAMistakeIsSeen(t *testing.T) {
	first, edit, wrong, mistake := histest.Message(1), histest.Message(2), histest.Message(3), histest.Message(4)
	edit.Kind, edit.Replaces, edit.Text = his.KindEdit, first.ID, "Beter gezegd."
	wrong.Text = "Over een ander."
	mistake.Kind, mistake.Mistaken = his.KindMistake, append(mistake.Mistaken, wrong.ID)
	got := render(t, first, edit, wrong, mistake)
	assert.Regexp(t, `(?s)Vraag van.*01-06-2026 om 11:13 uur.*Beter gezegd\..*Eerder stond hier \(01-06-2026 om 11:13 uur, kenmerk [0-9a-f]{12}\):.*`+first.Text, got)
	assert.Regexp(t, `(?s)class=" mistaken".*hoort niet in dit dossier.*Over een ander\.`, got)
}

// What is pointed to has to be found: an edited message stands where it was first said.
func TestAnAnswerToWhatWasEditedPointsToATimeOnThePage(t *testing.T) {
	first, edit, again, answer := histest.Message(1), histest.Message(2), histest.Message(3), histest.Message(4)
	edit.Kind, edit.Replaces, edit.Text = his.KindEdit, first.ID, "Beter gezegd."
	again.Kind, again.Replaces, again.Text = his.KindEdit, first.ID, "Nog beter gezegd."
	answer.Author, answer.Text, answer.InReplyTo = his.Author{Name: "P. Bakker", Role: his.RoleHuisarts}, "Nee.", first.ID
	assert.Contains(t, render(t, first, edit, again, answer), "Op het bericht van Jan de Vries (patiënt), 01-06-2026 om 11:13 uur, kenmerk "+his.Mark(first.ID))
}

// A document points to a message by its mark: that has to be found on the page, and in what a HIS shows.
func TestWhatADocumentPointsToIsFound(t *testing.T) {
	first, edit, again := histest.Message(1), histest.Message(2), histest.Message(3)
	edit.Kind, edit.Replaces = his.KindEdit, first.ID
	again.Kind, again.Replaces, again.ReplacesSeq = his.KindEdit, first.ID, first.Seq
	assert.Contains(t, string(bundles(t, first)[0]), `"Kenmerk: `+his.Mark(first.ID)+`; nummer 1 in dit gesprek"`)
	assert.Contains(t, render(t, first), "<small>Kenmerk: "+his.Mark(first.ID)+"; nummer 1 in dit gesprek</small>")
	assert.Equal(t, 1, strings.Count(render(t, first), his.Mark(first.ID)), "once")
	got := render(t, first, edit, again)
	assert.Contains(t, got, "<small>Kenmerk: "+his.Mark(first.ID)+", "+his.Mark(again.ID)+"; nummers 1, 3 in dit gesprek</small>")
	assert.Contains(t, got, "kenmerk "+his.Mark(first.ID)+", "+his.Mark(edit.ID)+"):")
	assert.Contains(t, got, "Gewijzigd door de afzender", "the other notes stay")
}

func TestWhatPeopleWriteIsNeverMarkup(t *testing.T) {
	for _, bad := range append(histest.Hostile(), "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "javascript:alert(1)") {
		item := histest.HostileMessage(bad)
		item.Attachments[0].ContentType = "image/svg+xml"
		got := render(t, item)
		for _, never := range []string{"<script", "<img", "onerror=alert(1)>\"", "svg+xml"} {
			assert.NotContains(t, got, never, "%q", bad)
		}
	}
}

func TestWhatIsNoBundleIsAnError(t *testing.T) {
	for _, text := range []string{`{"resourceType":"Patient"}`, `[]`, `x`} {
		assert.Error(t, page.Write(io.Discard, []json.RawMessage{json.RawMessage(text)}, time.UTC))
	}
	b := base64.StdEncoding.EncodeToString([]byte("x"))
	assert.NoError(t, page.Write(io.Discard, []json.RawMessage{json.RawMessage(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Task","description":["` + b + `"]}}]}`)}, time.UTC))
}

// The Task is made once; that the practice has taken the conversation up stands in what it wrote.
func TestAConversationThatIsAnsweredIsNotNew(t *testing.T) {
	asked, answered := histest.Message(1), histest.Message(2)
	asked.Conversation.Status = his.StatusRequested
	answered.Author = his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}
	assert.Contains(t, render(t, asked), "nieuw")
	got := render(t, asked, answered)
	assert.NotContains(t, got, "nieuw")
	assert.Contains(t, got, "loopt")
}
