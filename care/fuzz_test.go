package care

import (
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// What patients type, at every question and in every state: nothing may crash, and what gets
// through has to be fit for the HIS.

// typedSeeds are answers, near misses and things that hide something.
var typedSeeds = []string{
	"", " ", "ja", "1", "Anneke", "van den Berg", "O’Brien-Jansen", "José 李", "a\u0300", "\u200d", "123", "Anna\x00", "\xff\xfe",
	"0612345678", "+31 6 12345678", "020-123 45 67", "0612345678 ext 123456782", "112", "+", "tel:0612345678;phone-context=+1",
	"anna@example.com", "Anna <anna@example.com>", "a@b", "a@b.", `"a b"@example.com`, "a@[1.2.3.4]", "ä@exämple.nl",
	"31 mei 1980", "31-02-1980", "29-2-2008", "01011900", "1-1-0001", "2006-1-2", "mei mei mei", "1 mrt 80", "99999-12-31",
	"1011 AB", "1012", "1012ab", "10 12", "９９９９９００１９", "999990019", "9999.90.019", "mijn bsn is 123456782", "9 9 9 9 9 0 0 1 9",
	strings.Repeat("a", 200), strings.Repeat("1.", 5000), "\u202eanna", "intrekken",
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// fit is what must hold of answers, however they were typed.
func fit(t *testing.T, a Answers) {
	t.Helper()
	for _, name := range []string{a.FirstName, a.LastName} {
		require.LessOrEqual(t, utf8.RuneCountInString(name), maxAnswer)
		require.True(t, utf8.ValidString(name))
		require.False(t, strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.IsDigit(r) }), "%q", name)
	}
	if a.Phone != "" {
		require.Regexp(t, e164, a.Phone)
	}
	if a.Email != "" {
		parsed, err := mail.ParseAddress(a.Email)
		require.NoError(t, err)
		require.Equal(t, a.Email, parsed.Address)
		require.True(t, utf8.ValidString(a.Email))
		require.False(t, strings.ContainsFunc(a.Email, unicode.IsControl), "%q", a.Email)
	}
	if !a.BirthDate.IsZero() {
		require.True(t, a.BirthDate.plausible(DateOf(noon)))
		require.GreaterOrEqual(t, a.BirthDate.Age(DateOf(noon)), AdultForCare)
	}
}

// askedIn is the state in which a question is open; those about a conversation need an account.
func askedIn(q Question) AccountState {
	in := map[Question]AccountState{
		AskPersonal: Informed, AskHealth: Informed, AskTerms: Consented, AskAgain: Withdrawn, NoQuestion: Awaiting,
	}
	switch state, special := in[q]; {
	case special:
		return state
	case q.aboutDerde():
		return Active
	}
	return Registering
}

func FuzzHear(f *testing.F) {
	for i, text := range typedSeeds {
		f.Add(text, uint8(i), int8(i%4), i%5 == 0, i%7 == 0)
	}
	questions := append(slices.Sorted(slices.Values(AllQuestions())), NoQuestion)
	f.Fuzz(func(t *testing.T, text string, asked uint8, choice int8, media, tap bool) {
		q := questions[int(asked)%len(questions)]
		before := Case{Person: Person{ID: "p", State: askedIn(q), Question: q}}
		if before.Person.Question.aboutDerde() {
			before.Conversation, before.Person.Current = Conversation{ID: "c", State: Asking}, "c"
		}
		heard := Heard{Text: text, Choice: int(choice), Media: media, Tap: tap}
		after := Hear(before, heard, Env{Now: noon, Practices: testPractices, NewID: "n", DerdeID: "d"})
		fit(t, after.Person.Answers)
		if ContainsBSN(text) && !ContainsBSN(after.Person.Answers.Phone) {
			require.Equal(t, Remove, after.Effects[0].Do, "%q", text)
		}
		again := Hear(before, heard, Env{Now: noon, Practices: testPractices, NewID: "n", DerdeID: "d"})
		require.Equal(t, after, again, "same input, same answer")
	})
}

func FuzzDate(f *testing.F) {
	for _, text := range typedSeeds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDate(text)
		if err != nil {
			return
		}
		require.True(t, d.Month >= 1 && d.Month <= 12 && d.Day >= 1 && d.Day <= 31, "%q is %v", text, d)
		same, err := ParseDate(strconv.Itoa(d.Day) + "-" + strconv.Itoa(int(d.Month)) + "-" + d.String()[:4])
		require.NoError(t, err)
		require.Equal(t, d, same)
	})
}

// A number that passes the 11-test is found wherever it stands, unless digits touch it.
func FuzzBSN(f *testing.F) {
	for _, text := range typedSeeds {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		ContainsBSN(before)
		apart := func(s string) string { return strings.Map(letters, s) }
		for _, number := range testBSNs {
			require.True(t, ContainsBSN(apart(before)+number+apart(after)))
			require.True(t, ContainsBSN(apart(before)+number[:4]+"."+number[4:]+apart(after)))
		}
	})
}

// letters leaves of a text what cannot be part of a number.
func letters(r rune) rune {
	if _, is := digit(r); is || separator(r) {
		return 'x'
	}
	return r
}

func FuzzPostcode(f *testing.F) {
	for _, text := range typedSeeds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, found := practiceAt(testPractices, text); found {
			code := strings.ToUpper(strings.Join(strings.Fields(text), ""))
			require.Contains(t, []string{"1011", "1012"}, code[:4])
			require.NotEmpty(t, p.ID)
		}
	})
}
