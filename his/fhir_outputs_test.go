package his_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
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
