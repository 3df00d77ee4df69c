package his_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

type object = map[string]any

func ref(to string) object { return object{"reference": to} }

// told is what an answerer has to say now.
func told(t testing.TB, c his.Connector) []his.Answer {
	t.Helper()
	all, _, err := c.(his.Answerer).Answers(t.Context(), "")
	require.NoError(t, err)
	return all
}

// inThread is a Communication in the thread of the header, as staff write it.
func inThread(header string, more object) object {
	c := object{
		"resourceType": "Communication", "status": "completed", "partOf": []any{ref(header)},
		"sender": object{"display": "P. Bakker"}, "payload": []any{object{"contentString": "Dat is niet erg."}},
	}
	for name, value := range more {
		c[name] = value
	}
	return c
}

func TestANoteToAColleagueIsNoAnswer(t *testing.T) {
	for _, tt := range []struct {
		name string
		to   []any
		want int
	}{
		{"nobody in particular", nil, 1},
		{"a patient", []any{ref("Patient/1")}, 1},
		{"who acts for a patient", []any{object{"type": "RelatedPerson", "identifier": object{"value": "1"}}}, 1},
		{"a patient and a colleague", []any{ref("Practitioner/9"), ref("Patient/1")}, 1},
		{"a colleague", []any{ref("Practitioner/9")}, 0},
		{"the practice", []any{object{"type": "Organization", "display": "De Linde"}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeFHIR(t)
			c := fhirAt(t, f, nil)
			fileIn(t, c, histest.Message(1))
			more := object{}
			if tt.to != nil {
				more["recipient"] = tt.to
			}
			f.create("Communication", inThread(f.find("Communication", "")[0], more))
			assert.Len(t, told(t, c), tt.want)
		})
	}
}

func TestATaskWithinThePracticeGivesNoAnswer(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	fileIn(t, c, histest.Message(1))
	output := object{"type": object{"text": "Notitie"}, "valueString": "Lastige patiënt, bel de wijkverpleging."}
	f.create("Task", object{
		"resourceType": "Task", "status": "completed", "intent": "order", "focus": ref(f.find("Communication", "")[0]),
		"owner": object{"display": "P. Bakker"}, "output": []any{output},
	})
	assert.Empty(t, told(t, c))
}

func TestAnAnswerToWhatWasWithdrawnFromARecordIsForStaff(t *testing.T) {
	for n, what := range []string{"the conversation", "the message"} {
		t.Run(what, func(t *testing.T) {
			f := newFakeFHIR(t)
			c := fhirAt(t, f, nil)
			fileIn(t, c, histest.Message(1))
			filed := f.find("Communication", "")
			require.Len(t, filed, 2)
			f.create("Communication", inThread(filed[0], object{"inResponseTo": []any{ref(filed[1])}}))
			require.Empty(t, told(t, c)[0].Problem)
			withdrawn := f.newest(filed[n])
			withdrawn["status"] = "entered-in-error"
			f.put(filed[n], "", withdrawn)
			all := told(t, c)
			require.Len(t, all, 1)
			assert.Equal(t, his.ProblemWithdrawn, all[0].Problem)
			assert.Empty(t, all[0].Text)
		})
	}
}

func TestAnOutputOfATaskThatWasWithdrawnIsForStaff(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	fileIn(t, c, histest.Message(1))
	path := f.find("Task", "")[0]
	task := f.newest(path)
	task["status"] = "entered-in-error"
	task["output"] = []any{object{"type": object{"text": "Antwoord"}, "valueString": "Dat is niet erg."}}
	f.put(path, "", task)
	all := told(t, c)
	require.Len(t, all, 1)
	assert.NotEmpty(t, all[0].Problem)
	assert.Empty(t, all[0].Text)
}

// A thing that cannot be read, now or ever, holds up no answer behind it.
func TestOneBadResourceHoldsUpNoAnswer(t *testing.T) {
	for name, more := range map[string]object{
		"an author who is not ours to see": {"sender": ref("Practitioner/sick")},
		"an author at no address":          {"sender": ref("%%%")},
		"a file that is not ours to see":   {"payload": []any{object{"contentAttachment": object{"url": "Binary/sick"}}}},
		"a file that is none":              {"payload": []any{object{"contentAttachment": object{"url": "Binary/text"}}}},
		"a document that is forbidden":     {"payload": []any{object{"contentReference": ref("DocumentReference/sick")}}},
	} {
		for _, status := range []int{400, 401, 403, 410, 413, 422} {
			t.Run(name, func(t *testing.T) {
				f := newFakeFHIR(t)
				f.sick = map[string]int{"Practitioner/sick": status, "Binary/sick": status, "DocumentReference/sick": status}
				f.put("Binary/text", "", object{"resourceType": "Binary", "data": "%%%"})
				c := fhirAt(t, f, nil)
				fileIn(t, c, histest.Message(1))
				header := f.find("Communication", "")[0]
				f.create("Communication", inThread(header, more))
				f.create("Communication", inThread(header, nil))
				all := told(t, c)
				require.Len(t, all, 2)
				assert.NotEmpty(t, all[0].Problem)
				assert.Empty(t, all[0].Text)
				assert.Equal(t, "Dat is niet erg.", all[1].Text)
			})
		}
	}
}

func TestAServerThatIsAwayIsAskedAgain(t *testing.T) {
	f := newFakeFHIR(t)
	f.sick = map[string]int{"Practitioner/sick": 503}
	c := fhirAt(t, f, nil)
	fileIn(t, c, histest.Message(1))
	f.create("Communication", inThread(f.find("Communication", "")[0], object{"sender": ref("Practitioner/sick")}))
	_, _, err := c.(his.Answerer).Answers(t.Context(), "")
	require.Error(t, err)
}

func TestAnOutputThatCannotBeReadIsForStaffOrComesLater(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	fileIn(t, c, histest.Message(1))
	path := f.find("Task", "")[0]
	task := f.newest(path)
	task["output"] = []any{object{"type": object{"text": "Antwoord"}, "valueReference": ref("Communication/sick")}}
	f.put(path, "", task)
	f.sick = map[string]int{"Communication/sick": 403}
	all := told(t, c)
	require.Len(t, all, 1)
	assert.Equal(t, his.ProblemUnreadable, all[0].Problem)
	f.sick["Communication/sick"] = 503
	_, _, err := c.(his.Answerer).Answers(t.Context(), "")
	require.Error(t, err, "it is not passed by")
}

func TestAPatientWhoCannotBeReadIsStillThePatient(t *testing.T) {
	f := newFakeFHIR(t)
	f.sick = map[string]int{"Patient/sick": 403}
	c := fhirAt(t, f, nil)
	fileIn(t, c, histest.Message(1))
	f.create("Communication", inThread(f.find("Communication", "")[0], object{"sender": object{"reference": "Patient/sick", "display": "J. de Vries"}}))
	assert.Empty(t, told(t, c))
}
