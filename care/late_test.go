package care

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// When things happened around a message that was sent at noon and opened an hour later.
var (
	early = noon.Add(-time.Hour)
	after = noon.Add(30 * time.Minute)
)

func TestALateMessageIsTakenForWhatItWasWhenItWasSent(t *testing.T) {
	open := Conversation{ID: "now", State: Open}
	asking := Conversation{ID: "now", State: Asking}
	for _, tt := range []struct {
		name     string
		state    AccountState
		question Question
		talk     Conversation
		heard    Heard
		env      Env
		want     []Effect
		becomes  AccountState
	}{
		{"what is said passes, and its sender is told", Active, NoQuestion, open, Heard{Missed: true},
			Env{ConsentedAt: early, Then: open}, []Effect{{Do: Pass}, say("late.passed")}, Active},
		{"nobody had been told that it was missing", Active, NoQuestion, open, Heard{}, Env{ConsentedAt: early, Then: open}, []Effect{{Do: Pass}}, Active},
		{"words are no answer to what was asked later", Active, AskWhom, asking, Heard{Text: "1", Choice: 1},
			Env{ConsentedAt: early, AskedAt: after, Then: asking}, []Effect{{Do: Hold}, ask(AskWhom)}, Active},
		{"an answer to what was open", Active, AskGround, asking, Heard{Text: "3", Choice: 3},
			Env{ConsentedAt: early, AskedAt: early, Then: asking}, []Effect{record(DerdeData, false), say("derde.no_ground"), {Do: Drop}}, Active},
		{"stop does not stop what began later", Active, AskWhom, asking, Heard{Word: WordStop},
			Env{ConsentedAt: early, AskedAt: after, Then: asking}, []Effect{say("late.not_used"), ask(AskWhom)}, Active},
		{"nothing was going on: it begins", Active, NoQuestion, Conversation{}, Heard{}, Env{ConsentedAt: early, NewID: "new"},
			[]Effect{{Do: Hold}, ask(AskWhom)}, Active},
		{"its conversation is closed, another is open", Active, NoQuestion, open, Heard{},
			Env{ConsentedAt: early, Then: Conversation{ID: "then", State: Closed}},
			[]Effect{{Do: Pass, Conversation: "then"}, {Do: TellDesk, Text: "desk.late_closed", Conversation: "then"}, say("late.closed")}, Active},
		{"what was held with it was dropped", Active, NoQuestion, open, Heard{},
			Env{ConsentedAt: early, Then: Conversation{ID: "then", State: Dropped}}, []Effect{{Do: Remove}, say("late.removed")}, Active},
		{"the consent that stands came after it", Active, NoQuestion, open, Heard{}, Env{ConsentedAt: after, Then: open},
			[]Effect{{Do: Remove}, say("late.removed")}, Active},
		{"a withdrawal of an older consent", Active, NoQuestion, open, Heard{Word: WordWithdraw}, Env{ConsentedAt: after, Then: open},
			[]Effect{{Do: Remove}, say("late.removed")}, Active},
		{"withdrawn since", Withdrawn, AskAgain, Conversation{}, Heard{}, Env{},
			[]Effect{{Do: Remove}, say("late.removed"), ask(AskAgain)}, Withdrawn},
		{"a withdrawal", Awaiting, NoQuestion, Conversation{}, Heard{Word: WordWithdraw}, Env{ConsentedAt: early},
			[]Effect{record(PersonalData, false), record(HealthData, false), say("account.withdrawn"), ask(AskAgain)}, Withdrawn},
		{"a withdrawal before any consent", Informed, AskPersonal, Conversation{}, Heard{Word: WordWithdraw}, Env{AskedAt: after},
			[]Effect{record(PersonalData, false), record(HealthData, false), say("account.withdrawn"), ask(AskAgain)}, Withdrawn},
		{"a name before the question was another one", Registering, AskPhone, Conversation{}, Heard{Text: "Jan"}, Env{ConsentedAt: early, AskedAt: after},
			[]Effect{say("late.not_used"), ask(AskPhone)}, Registering},
		{"a late answer while registering", Registering, AskFirstName, Conversation{}, Heard{Text: "Jan"}, Env{ConsentedAt: early, AskedAt: early},
			[]Effect{say("echo.first_name"), ask(AskLastName)}, Registering},
		{"an account that waits", Awaiting, NoQuestion, Conversation{}, Heard{}, Env{ConsentedAt: early}, []Effect{say("account.still_awaiting")}, Awaiting},
		{"a BSN goes all the same", Active, NoQuestion, open, Heard{Text: "999990019"}, Env{ConsentedAt: early, Then: open},
			[]Effect{{Do: Remove}, say("bsn.removed")}, Active},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Case{Person: Person{ID: "p", State: tt.state, Question: tt.question}, Conversation: tt.talk}
			tt.heard.Waited, tt.heard.SentAt, tt.env.Now = true, noon, noon.Add(time.Hour)
			got := Hear(c, tt.heard, tt.env)
			assert.Equal(t, tt.want, got.Effects)
			assert.Equal(t, tt.becomes, got.Person.State)
			for _, e := range got.Effects {
				assert.True(t, e.Text == "" || catalog().Has(e.Text), e.Text)
			}
		})
	}
}

func TestWhatIsRefusedLateHasAWayOut(t *testing.T) {
	for _, text := range []string{"late.removed", "late.not_used", "late.closed", "relay.missing"} {
		assert.True(t, hasPhone(text), text)
	}
}

func TestConsentIsNotTakenFromBeforeItWasAskedForAgain(t *testing.T) {
	for q, row := range questions {
		lasts := row.remind == &remindHeld || row.remind == &remindIdentity
		assert.Equal(t, lasts, q.Lasts(), q)
	}
}
