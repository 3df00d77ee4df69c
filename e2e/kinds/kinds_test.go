package kinds

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	world.RemoveBinary()
	os.Exit(code)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// value is must for calls that return something too.
func value[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// A side is one end of a conversation, as someone who sends sees it.
type side struct {
	name        string
	from, to    *client.Client
	here, there string
}

// A talk is an open conversation between a patient and staff.
type talk struct {
	*story.Story
	scanner *harness.Clamd
	patient world.Person
}

func (k talk) sides() []side {
	return []side{
		{"from the patient", k.Patient, k.Fatima, k.Consulting, k.TalkRoom},
		{"from staff", k.Fatima, k.Patient, k.TalkRoom, k.Consulting},
	}
}

// Every kind goes both ways on both homeservers; once the patient is on another one, so that
// nothing of its name may be seen at the practice.
func TestEverythingPeopleSend(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kind   harness.Kind
		second bool
	}{
		{"on Dendrite, with a patient of another homeserver", harness.Dendrite, true},
		{"on Synapse", harness.Synapse, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := begin(t, tt.kind, tt.second)
			for _, s := range k.sides() {
				t.Run(s.name, func(t *testing.T) {
					t.Run("every kind", func(t *testing.T) { everyKind(t, s) })
					t.Run("relations", func(t *testing.T) { relations(t, s) })
					t.Run("what cannot be carried", func(t *testing.T) { gaps(t, s, k) })
				})
			}
			t.Run("the HIS", func(t *testing.T) { inTheHIS(t, k) })
			t.Run("the scanner", func(t *testing.T) { scannerAway(t, k) })
			t.Run("no leaks", func(t *testing.T) { noLeaks(t, k) })
			if t.Failed() {
				t.Log(k.World.Bridge().LogTail())
			}
		})
	}
}

// maxFile is small, so that a file that is too large costs little.
const maxFile = 300_000

func begin(t *testing.T, kind harness.Kind, second bool) talk {
	t.Helper()
	scanner := value(harness.StartClamd(t.Context(), t.TempDir()))(t)
	t.Cleanup(func() { _ = scanner.Stop() })
	o := world.Options{Kind: kind, Patients: 1, Second: second, Env: []string{
		"SPREEKKAMER_RELAY_CLAMD=" + scanner.Address, "SPREEKKAMER_RELAY_MAX_FILE_SIZE=300kB",
	}}
	w := world.InTest(t, o)
	patient := w.Patients[0]
	if second {
		patient = w.SecondPatients[0]
	}
	s := &story.Story{World: w, Tell: func(string, ...any) {}}
	if _, err := s.Play(t.Context(), story.Answered(patient)); err != nil {
		t.Fatalf("%v\n%s", err, w.Bridge().LogTail())
	}
	return talk{s, scanner, patient}
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func everyKind(t *testing.T, s side) {
	ctx := limited(t)
	label := func(i int) string { return fmt.Sprintf("soort %d, %s", i, s.name) }
	for i, k := range All {
		value(k.Send(ctx, s.from, s.here, label(i)))(t)
	}
	last := -1
	for i, k := range All {
		e, err := Wait(ctx, s.to, s.there, label(i))
		if err != nil {
			t.Fatalf("%s: %v", k.Name, err)
		}
		if err := k.Check(ctx, s.to, e); err != nil {
			t.Error(err)
		}
		if at := place(s.to.Room(s.there), e.ID); at <= last {
			t.Errorf("%s is out of order", k.Name)
		} else {
			last = at
		}
	}
}

func place(r client.Room, event string) int {
	for i, e := range r.Timeline {
		if e.ID == event {
			return i
		}
	}
	return -1
}

// gaps sends what cannot be carried between things that can: it shows in its place, and its
// sender is told.
func gaps(t *testing.T, s side, k talk) {
	ctx := limited(t)
	attached := func(name string, data []byte) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			_, err := s.from.SendFile(ctx, s.here, client.File{Bytes: data, Name: name, MimeType: "application/pdf"})
			return err
		}
	}
	for n, gap := range []struct {
		name, told string
		send       func(ctx context.Context) error
	}{
		{"a type that nobody knows", "Dit soort bericht", func(ctx context.Context) error {
			_, err := s.from.SendRaw(ctx, s.here, "org.example.sketch", map[string]any{"lines": 3})
			return err
		}},
		{"a program", "Dit soort bestand", attached("brief.pdf", append([]byte("MZ"), make([]byte, 200)...))},
		{"a virus", "virus", attached("brief.txt", []byte("lees dit: "+harness.Harmful))},
		{"a file that is too large", "te groot", attached("groot.bin", make([]byte, maxFile+1))},
		{"a file that is gone", "niet ophalen", func(ctx context.Context) error {
			_, err := s.from.SendRaw(ctx, s.here, "m.room.message", map[string]any{
				"msgtype": "m.file", "body": "weg.pdf", "url": "mxc://" + k.World.Home.ServerName + "/weg"})
			return err
		}},
	} {
		before, after := fmt.Sprintf("voor gat %d %s", n, s.name), fmt.Sprintf("na gat %d %s", n, s.name)
		value(s.from.SendText(ctx, s.here, before))(t)
		must(t, gap.send(ctx))
		value(s.from.SendText(ctx, s.here, after))(t)
		value(s.to.WaitText(ctx, s.there, after))(t)
		shown := between(s.to.Room(s.there).Bodies(), before, after)
		if len(shown) != 1 || !strings.Contains(shown[0], "ontbreekt") && !strings.Contains(shown[0], "niet kan aankomen") {
			t.Errorf("%s: in its place stands %q", gap.name, shown)
		}
		if _, err := s.from.WaitText(ctx, s.here, gap.told); err != nil {
			t.Errorf("%s: the sender is not told: %v", gap.name, err)
		}
	}
}

func between(all []string, before, after string) (found []string) {
	inside := false
	for _, text := range all {
		switch {
		case strings.Contains(text, before):
			inside = true
		case strings.Contains(text, after):
			return found
		case inside:
			found = append(found, text)
		}
	}
	return found
}

// scannerAway stops the scanner for a moment: nothing passes unseen, nothing is lost, and what
// comes after it waits.
func scannerAway(t *testing.T, k talk) {
	ctx, s := limited(t), k.sides()[0]
	if out, err := k.World.Command(ctx, "doctor"); !strings.Contains(out, "✓ virus scanner: ClamAV") {
		t.Errorf("the doctor says %s, %v", out, err)
	}
	must(t, k.scanner.Stop())
	if out, _ := k.World.Command(ctx, "doctor"); !strings.Contains(out, "✗ virus scanner:") {
		t.Errorf("the doctor says %s", out)
	}
	photo := All[4]
	value(photo.Send(ctx, s.from, s.here, "foto zonder scanner"))(t)
	value(s.from.SendText(ctx, s.here, "na de foto zonder scanner"))(t)
	must(t, k.scanner.Start(ctx))
	value(s.to.WaitText(ctx, s.there, "na de foto zonder scanner"))(t)
	e, found := s.to.Room(s.there).Text("foto zonder scanner")
	if !found {
		t.Fatal("the photo was lost")
	}
	if err := photo.Check(ctx, s.to, e); err != nil {
		t.Error(err)
	}
}

// inTheHIS looks for what staff see in the folder: everything of a kind is there twice, once of
// each side, under its name and with its bytes.
func inTheHIS(t *testing.T, k talk) {
	deadline := time.Now().Add(time.Minute)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for _, kind := range All {
		if kind.Filed == "" {
			continue
		}
		for {
			n := filed(t, k, kind)
			if n >= 2 {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("%s: %d files in the HIS", kind.Name, n)
				break
			}
			<-tick.C
		}
	}
}

// noLeaks looks at everything that the bot sent, also for what a phone writes in its photos.
func noLeaks(t *testing.T, k talk) {
	found, looked, err := k.Leaks(limited(t), mediatest.Secret, "mx-reply", Folder)
	must(t, err)
	for _, leak := range found {
		t.Error(leak)
	}
	t.Logf("looked at %d events", looked)
	if looked < 2*len(All) {
		t.Errorf("only %d events", looked)
	}
}

func filed(t *testing.T, k talk, kind Kind) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(k.World.HIS, "*", "*", "*"+kind.Filed))
	must(t, err)
	for _, name := range files {
		data, err := os.ReadFile(name)
		must(t, err)
		if string(data) == string(kind.Bytes) {
			n++
		}
	}
	return n
}
