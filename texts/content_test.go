package texts

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/care"
)

var bothLanguages = []string{"nl", "en"}

// keysIn collects what the sources of a package name as a text.
func keysIn(t *testing.T, dir string, patterns ...string) (keys []string) {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
	require.NoError(t, err)
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, pattern := range patterns {
			for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(source), -1) {
				keys = append(keys, match[1])
			}
		}
	}
	require.NotEmpty(t, keys, "package %s names no texts: is the pattern still right?", dir)
	return keys
}

func TestEveryTextThatCareNamesIsThere(t *testing.T) {
	c := load(t)
	keys := keysIn(t, "care", `\b(?:say|tell|tellDesk)\("([^"]+)"\)`, `Text: "([^"]+)"`, `text :?= "([^"]+[a-z])"`, `return "([a-z_]+\.[a-z_.]+)"`)
	for _, key := range keys {
		assert.True(t, c.Has(key), key)
	}
	assert.Contains(t, keys, "account.too_young")
	assert.Contains(t, keys, "account.still_awaiting")
}

func TestEveryTextThatTheBridgeNamesIsThere(t *testing.T) {
	c := load(t)
	for _, key := range keysIn(t, "bridge", `Text: "([a-z_.]+[a-z_])"`, `(?:advise|aboutStaff)\("([a-z_.]+)"`, `text :?= "([a-z_.]+[a-z])"`, `b\.(?:refuse|mistake)\([^"\n]*"([a-z_.]+)"`, `Texts\.Text\([^,\n]+, "([a-z_.]+[a-z_])"`) {
		assert.True(t, c.Has(key), key)
	}
}

func TestEveryQuestionHasItsTexts(t *testing.T) {
	c := load(t)
	for _, q := range care.AllQuestions() {
		key := string(q)
		assert.True(t, c.Has(key), key)
		assert.True(t, c.Has("invalid."+key), "invalid.%s", key)
		for _, lang := range bothLanguages {
			if n := q.Choices(); n > 0 {
				assert.Len(t, c.Options(lang, key), n, key)
			}
		}
	}
	assert.Len(t, c.Options("nl", string(care.AskWhom)), 3, "who was named before comes after the first")
	for _, q := range []care.Question{
		care.AskFirstName, care.AskLastName, care.AskPhone, care.AskEmail, care.AskBirthDate, care.AskPractice,
	} {
		assert.True(t, c.Has("echo."+string(q)), "echo.%s", q)
	}
}

func TestEveryThingOfCareHasItsWord(t *testing.T) {
	c := load(t)
	for _, r := range care.Relations {
		assert.True(t, c.Has("relation."+r), r)
	}
	for _, g := range []care.Ground{care.Parent, care.Permission} {
		assert.True(t, c.Has("ground."+string(g)), g)
	}
	for _, r := range []care.Role{care.Huisarts, care.Doktersassist, care.POH, care.Beheer, care.Servicedesk} {
		assert.True(t, care.KnownRole(r) && c.Has("role."+string(r)), r)
	}
	for _, category := range []care.Category{care.CareCategory, care.Practical} {
		assert.True(t, c.Has("desk.category."+string(category)), category)
	}
	for _, why := range []string{"failed", "unreadable", "unsupported", "too_large", "closed"} {
		assert.True(t, c.Has("relay."+why) && c.Has("desk."+why), why)
	}
	for _, why := range []string{
		"failed", "unsupported", "too_large", "too_long", "gone", "broken", "refused_type", "infected", "not_scanned",
	} {
		assert.True(t, c.Has("relay."+why) && c.Has("desk."+why) && c.Has("sent."+why), why)
		assert.Equal(t, why != "failed" && why != "unsupported" && why != "too_long", c.Has("filing."+why), why)
	}
	for _, name := range []string{"help", "approve", "decline", "close", "care", "practical", "come_in", "call", "name", "recap", "retention", "staff.add", "staff.remove", "staff.list"} {
		assert.True(t, c.Has("command.help."+name) && c.Has("command.usage."+name), name)
	}
}

// typing is how the last line of a question begins.
var typing = map[string]*regexp.Regexp{
	"nl": regexp.MustCompile(`^(Typ|Tik op) .*\.$`), "en": regexp.MustCompile(`^(Type|Tap on) .*\.$`),
}

func TestEveryQuestionEndsInWhatToType(t *testing.T) {
	c := load(t)
	for _, q := range care.AllQuestions() {
		for _, lang := range bothLanguages {
			options := c.Options(lang, string(q))
			text := c.Question(lang, string(q), full, options)
			lines := strings.Split(text, "\n")
			assert.Regexp(t, typing[lang], lines[len(lines)-1], "%s %s", lang, q)
			assert.NotRegexp(t, `^\d`, lines[0], "%s %s: the question comes first", lang, q)
			for i, o := range options {
				assert.Contains(t, lines, fmt.Sprintf("%d. %s", i+1, o.Label))
			}
		}
	}
}

func TestTheLastLineNamesTheNumbers(t *testing.T) {
	c := load(t)
	for n, want := range map[int][2]string{
		1:  {"Typ 1.", "Type 1."},
		2:  {"Typ 1 of 2.", "Type 1 or 2."},
		3:  {"Typ 1, 2 of 3.", "Type 1, 2 or 3."},
		6:  {"Typ 1, 2, 3, 4, 5 of 6.", "Type 1, 2, 3, 4, 5 or 6."},
		40: {"Typ een nummer van 1 tot en met 40.", "Type a number from 1 to 40."},
	} {
		options := make([]Option, n)
		for i := range options {
			options[i].Label = fmt.Sprintf("naam\n%d", i)
		}
		for i, lang := range bothLanguages {
			text := c.Question(lang, "whom", Args{}, options)
			assert.True(t, strings.HasSuffix(text, "\n"+want[i]), text)
			assert.Contains(t, text, "\n1. naam 0\n", "an option stays on its line")
		}
	}
}

// toStaff says that a text is for staff, who know our words.
func toStaff(key string) bool {
	for _, prefix := range []string{"card", "desk.", "beheer.", "alarm.", "unfiled.", "answer.", "track.", "find.", "differs.", "command.", "error.", "retention.", "staff.", "help.staff", "role.", "room."} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

func TestPatientsReadPlainWordsOnly(t *testing.T) {
	c := load(t)
	forbidden := regexp.MustCompile(`(?i)ticket|widget|thread|\bHIS\b|<no value>|%!|\{\{`)
	for _, lang := range bothLanguages {
		for key := range c.languages[lang] {
			if toStaff(key) {
				continue
			}
			for _, a := range []Args{{}, full} {
				assert.NotRegexp(t, forbidden, c.Question(lang, key, a, nil), "%s %s", lang, key)
			}
		}
	}
}

func TestDutchTextsSayU(t *testing.T) {
	c := load(t)
	familiar := regexp.MustCompile(`(?i)\b(je|jij|jouw|jou)\b`)
	for key := range c.languages["nl"] {
		assert.NotRegexp(t, familiar, c.Question("nl", key, full, nil), key)
	}
}

// refusals are what a patient is told when something may not be.
var refusals = []string{
	"consent.refused", "register.incomplete", "register.stopped", "account.declined", "account.too_young",
	"account.withdrawn", "account.closed", "account.still_awaiting", "not_yet.consent", "not_yet.media", "bsn.removed",
	"derde.no_ground", "derde.not_a_child", "conversation.stopped", "conversation.expired", "conversation.closed", "help.person", "help", "help.stop",
	"nothing_asked", "again", "invalid.again", "relay.failed", "relay.unreadable", "relay.unsupported",
	"relay.too_large", "relay.closed", "relay.gap", "relay.lost", "relay.gap_lost", "relay.gap_lost_unknown", "advice.come_in", "advice.call", "outage.patient", "outage.waiting", "greeting", "contact.pointer", "statement", "fallback",
}

func TestEveryRefusalHasThePhoneNumberAndNoEmoji(t *testing.T) {
	c := load(t)
	emoji := regexp.MustCompile(`[\x{2190}-\x{2bff}\x{fe0f}\x{20e3}\x{1f000}-\x{1faff}]`)
	for _, lang := range bothLanguages {
		for _, key := range refusals {
			text := c.Text(lang, key, Args{Phone: "010 1234567"})
			assert.Contains(t, text, "010 1234567", "%s %s", lang, key)
			assert.NotRegexp(t, emoji, text, "%s %s", lang, key)
		}
	}
}

func TestTheStatementSaysWhatTheLawAsks(t *testing.T) {
	a := Args{
		Organisation: "Huisartsen Voorbeeld", Website: "https://voorbeeld.test/", Phone: "010 1234567", Days: 14,
		Privacy: Document{Version: "2.1", Date: "1 mei 2026", URL: "https://voorbeeld.test/privacy"},
	}
	for lang, more := range map[string][]string{
		"nl": {"verantwoordelijk", "14 dagen", "vrijwillig", "wissen", "bezwaar", "Autoriteit Persoonsgegevens"},
		"en": {"responsible", "14 days", "voluntary", "erase", "object", "data protection authority"},
	} {
		text := load(t).Text(lang, "statement", a)
		for _, part := range append(more, a.Organisation, a.Website+"\n", a.Phone, "2.1", "1 mei 2026", a.Privacy.URL) {
			assert.Contains(t, text, part)
		}
	}
	assert.Contains(t, load(t).Text("nl", "statement", Args{}), "30 dagen", "the law's limit when nothing is said")
}

func TestTheGreetingSpeaksEnglishToo(t *testing.T) {
	text := load(t).Text("nl", "greeting", full)
	assert.Contains(t, text, "112")
	assert.Contains(t, text, "english")
}

func TestACardHasAtMostSixLines(t *testing.T) {
	c := load(t)
	for _, lang := range bothLanguages {
		card := c.Text(lang, "card", full) + "\n" + c.Text(lang, "desk.child", full)
		assert.LessOrEqual(t, strings.Count(card, "\n")+1, 6, card)
		assert.Contains(t, card, "!sluiten")
		account := c.Text(lang, "beheer.new_account", full)
		assert.LessOrEqual(t, strings.Count(account, "\n")+1, 6, account)
		assert.Contains(t, account, "!goedkeuren c ")
		assert.Contains(t, account, "!afwijzen c")
		assert.Equal(t, account, c.Text(lang, "card.beheer", full))
	}
}

func TestRoomNamesSayNothingAboutAPerson(t *testing.T) {
	c := load(t)
	for _, lang := range bothLanguages {
		for _, key := range []string{"room.consulting", "room.conversation", "room.conversation.closed", "room.balie", "room.beheer"} {
			a, b := full, full
			b.Name, b.FirstName, b.LastName, b.Whom, b.Practice = "Z", "Z", "Z", "Z", "Z"
			assert.Equal(t, c.Text(lang, key, a), c.Text(lang, key, b))
		}
	}
}

// TestATextNeverBreaks tries every text with each field as the only one filled in, and with
// each as the only one left out.
// What no text says need not be asked of who fills in the settings.
func TestEveryThingThatATextMayNameIsNamed(t *testing.T) {
	for _, lang := range bothLanguages {
		source, err := os.ReadFile(lang + ".yaml")
		require.NoError(t, err)
		for field := range reflect.TypeFor[Args]().Fields() {
			assert.Regexp(t, `\.`+field.Name+`\b`, string(source), lang)
		}
	}
}

func TestATextNeverBreaks(t *testing.T) {
	c := load(t)
	for lang, texts := range c.languages {
		for i := range reflect.TypeFor[Args]().NumField() {
			only, without := Args{}, full
			reflect.ValueOf(&only).Elem().Field(i).Set(reflect.ValueOf(full).Field(i))
			reflect.ValueOf(&without).Elem().Field(i).SetZero()
			for key, e := range texts {
				for _, a := range []Args{only, without} {
					_, err := fill(e.ask, a)
					require.NoError(t, err, "%s %s", lang, key)
					assert.NotContains(t, c.Question(lang, key, a, nil), "<no value>", "%s %s", lang, key)
				}
			}
		}
	}
}

func TestWhomHasTheSameWordsInBothForms(t *testing.T) {
	c := load(t)
	for _, lang := range bothLanguages {
		options := c.Options(lang, "whom")
		labels := []string{c.Text(lang, "whom.myself", Args{}), c.Text(lang, "whom.other", Args{})}
		assert.Equal(t, labels, []string{options[0].Label, options[1].Label})
		assert.Contains(t, c.Text(lang, "whom.named", Args{Whom: "Sofie"}), "Sofie")
	}
}

func TestNoOptionIsAWordThatAlwaysWorks(t *testing.T) {
	c := load(t)
	for _, lang := range bothLanguages {
		for key, e := range c.languages[lang] {
			for _, o := range e.options {
				for _, answer := range slices.Concat([]string{o.Label}, o.Also) {
					assert.Empty(t, c.Word(answer), "%s: the word wins from the option %q", key, answer)
				}
			}
		}
	}
}
