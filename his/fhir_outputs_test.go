package his_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/loose"
)

// withOutputs is a server that has a conversation, with these outputs on its Task.
func withOutputs(t *testing.T) (f *fakeFHIR, c his.Connector, set func(...object)) {
	t.Helper()
	f = newFakeFHIR(t)
	c = fhirAt(t, f, nil)
	fileIn(t, c, histest.Message(1))
	path := f.find("Task", "")[0]
	return f, c, func(outputs ...object) {
		task := object{}
		for name, value := range f.newest(path) {
			task[name] = value
		}
		delete(task, "output")
		if len(outputs) > 0 {
			var all []any
			for _, o := range outputs {
				o["type"] = object{"text": "Antwoord"}
				all = append(all, o)
			}
			task["output"] = all
		}
		f.put(path, "", task)
	}
}

func said(words string) object { return object{"valueString": words} }

func saidAs(id, words string) object { return object{"id": id, "valueString": words} }

// Whoever passes answers on has to know that their names are those of places.
func TestOutputsAreAList(t *testing.T) {
	f, c, set := withOutputs(t)
	task := f.find("Task", "")[0]
	set(said("Een."), said("Twee."))
	all := told(t, c)
	require.Len(t, all, 2)
	for n, a := range all {
		assert.Equal(t, task, a.List)
		assert.Equal(t, a.Reference, a.Place)
		assert.Equal(t, []string{task + "#0", task + "#1"}[n], a.Place)
	}
	set(saidAs("x", "Een."))
	named := told(t, c)[0]
	assert.NotEqual(t, all[0].ID, named.ID)
	assert.Equal(t, task+"#0", named.Place)
	set(said("Twee."), saidAs("x", "Een."), saidAs("x", "Drie."))
	moved := told(t, c)
	require.Len(t, moved, 3)
	assert.Equal(t, all[0].ID, moved[0].ID, "it is of the place")
	assert.Equal(t, named.ID, moved[1].ID)
	assert.Equal(t, named.Reference, moved[1].Reference)
	assert.Equal(t, task+"#2", moved[2].Reference, "no two elements have one id")
}

func TestATaskOfWhichTheLastAnswerWentSaysSo(t *testing.T) {
	f, c, set := withOutputs(t)
	set(said("Een."))
	a := told(t, c)[0]
	set()
	assert.Empty(t, told(t, c), "nobody was told that it arrived")
	set(said("Een."))
	require.NoError(t, c.(his.Answerer).Report(t.Context(), his.Report{Reference: a.Reference, Delivery: his.DeliveryDelivered, At: time.Now()}))
	set()
	all := told(t, c)
	require.Len(t, all, 1)
	assert.Equal(t, his.Answer{List: f.find("Task", "")[0], Conversation: histest.Conversation().ID, Withdrawn: true}, all[0])
}

// A Task has one business status for all that is answered in it.
func TestWhatBecameOfOneOutputIsNotLostByAnother(t *testing.T) {
	for name, tt := range map[string]struct {
		told []bool // of each output: that it arrived
		want string
	}{
		"first one that failed":      {[]bool{false, true}, "1 van de 2 antwoorden afgeleverd bij de patiënt; 1 niet: het account is gesloten"},
		"last one that failed":       {[]bool{true, false}, "1 van de 2 antwoorden afgeleverd bij de patiënt; 1 niet: het account is gesloten"},
		"one that failed in between": {[]bool{true, false, true}, "2 van de 3 antwoorden afgeleverd bij de patiënt; 1 niet: het account is gesloten"},
		"all failed":                 {[]bool{false, false}, "Geen van de 2 antwoorden afgeleverd: het account is gesloten"},
		"one failed":                 {[]bool{false}, "Antwoord niet afgeleverd: het account is gesloten"},
		"all arrived":                {[]bool{true, true}, "Antwoord afgeleverd bij de patiënt"},
	} {
		t.Run(name, func(t *testing.T) {
			f, c, set := withOutputs(t)
			set(said("Een."), said("Twee."), said("Drie."))
			all, path := told(t, c), f.find("Task", "")[0]
			report := func(n int, arrived bool) {
				r := his.Report{Answer: all[n].ID, Reference: all[0].Reference, Delivery: his.DeliveryDelivered, At: time.Now()} // their order may have changed
				if !arrived {
					r.Delivery, r.Reason = his.DeliveryFailed, "het account is gesloten"
				}
				require.NoError(t, c.(his.Answerer).Report(t.Context(), r))
			}
			for n, arrived := range tt.told {
				report(n, arrived)
			}
			versions := len(f.versions[path])
			for n, arrived := range tt.told {
				report(n, arrived) // the same again changes nothing
			}
			assert.Len(t, f.versions[path], versions)
			assert.Equal(t, tt.want, loose.Resource(f.newest(path)).Text("businessStatus.text"))
			set()
			assert.Equal(t, slices.Contains(tt.told, true), len(told(t, c)) == 1, "that the patient has something is known when it is taken out")
			for n := range tt.told {
				report(n, true)
			}
			assert.Equal(t, "Antwoord afgeleverd bij de patiënt", loose.Resource(f.newest(path)).Text("businessStatus.text"), "in the end")
		})
	}
}

// A Task that changes while its page is read comes on the next page as well.
func TestATaskThatComesTwiceCountsOnce(t *testing.T) {
	f, c, set := withOutputs(t)
	set(said("Een."))
	for range 2 {
		f.order = append(f.order, f.find("Task", "")[0])
	}
	assert.Len(t, told(t, c), 1)
}

func TestAnAnswerThatIsTakenBackIsGivenAsSuch(t *testing.T) {
	for name, how := range map[string]func(f *fakeFHIR, set func(...object), header string) string{
		"in the thread": func(f *fakeFHIR, _ func(...object), header string) string {
			return f.create("Communication", inThread(header, nil)).path()
		},
		"as an output": func(f *fakeFHIR, set func(...object), _ string) string {
			loose := inThread("", nil)
			delete(loose, "partOf")
			path := f.create("Communication", loose).path()
			set(object{"valueReference": ref(path)})
			return path
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, c, set := withOutputs(t)
			path := how(f, set, f.find("Communication", "")[0])
			before := told(t, c)
			require.Len(t, before, 1)
			assert.False(t, before[0].Withdrawn)
			wrong := object{}
			for name, value := range f.newest(path) {
				wrong[name] = value
			}
			wrong["status"] = "entered-in-error"
			f.put(path, "", wrong)
			all := told(t, c)
			require.NotEmpty(t, all)
			for _, a := range all {
				assert.Equal(t, his.Answer{ID: before[0].ID, Reference: path, Withdrawn: true}, a)
			}
			for _, d := range []his.Delivery{his.DeliveryDelivered, his.DeliveryFailed} {
				require.NoError(t, c.(his.Answerer).Report(t.Context(), his.Report{Reference: path, Delivery: d, At: time.Now()}))
				assert.Equal(t, "entered-in-error", f.newest(path)["status"], "a late word makes it no answer again")
			}
		})
	}
}

func TestWhatWeFiledWronglyIsNoAnswerThatWasTakenBack(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	fileIn(t, c, histest.Message(1))
	mistake := histest.Message(2)
	mistake.Kind, mistake.Author, mistake.Text = his.KindMistake, his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}, "Verkeerd."
	fileIn(t, c, mistake)
	assert.Empty(t, told(t, c))
}
