package his

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/encoding/charmap"
)

// Answers in a folder are text files that the HIS, or a person, puts in answersDir of the
// practice's folder:
//
//	Gesprek: 1042
//	Patiënt: 20417
//	Van: P. Bakker (huisarts)
//
//	Dat ziet er onschuldig uit.
//
// Instead of the patient's number, or beside it, the day of birth will do (Geboren: 2-3-1980).
// Without either a mistyped number of a conversation would bring the answer to another patient.
//
// The text is UTF-8, or else Windows-1252. Write it under another extension than .txt and
// rename it when it is complete. When the answer was sent the file goes to sentDir; when it
// cannot be sent it goes to failedDir, with the reason in a file beside it.
//
// Which answer it is, is told by its name and its words, so that a file that is read again is
// the same. Once it was put away that is noted in overDir: a file of the same name with the same
// words is another answer then.
const (
	answersDir = "antwoorden"
	sentDir    = "verzonden"
	failedDir  = "mislukt"
	overDir    = ".afgehandeld"
)

// An answer in a file is given until it was reported, so there is no cursor to keep.
var _ Answerer = (*folder)(nil)

// Woken is Answerer.Woken: a folder does not knock.
func (f *folder) Woken() <-chan struct{} { return nil }

// Answers is Answerer.Answers.
func (f *folder) Answers(ctx context.Context, _ string) (answers []Answer, next string, err error) {
	err = f.eachAnswer(ctx, func(_ *place, _ string, a Answer) error {
		answers = append(answers, a)
		return nil
	})
	slices.SortStableFunc(answers, func(a, b Answer) int { return a.Written.Compare(b.Written) })
	return answers, "", err
}

// Report is Answerer.Report. The file stays where it is until the answer has arrived.
func (f *folder) Report(ctx context.Context, r Report) error {
	dir, over := map[Delivery]string{DeliveryDelivered: sentDir, DeliveryFailed: failedDir}[r.Delivery]
	if !over {
		return nil
	}
	err := f.eachAnswer(ctx, func(p *place, name string, a Answer) error {
		if a.Reference != r.Reference {
			return nil
		}
		return p.settle(name, dir, r.Reason)
	})
	if err != nil {
		return err
	}
	return f.noteOver(ctx, r.Reference)
}

// noteOver comes after the file was put away, also when that was by a try that ended there.
func (f *folder) noteOver(ctx context.Context, reference string) error {
	if _, err := uuid.Parse(reference); err != nil {
		return nil
	}
	unlock, err := f.busy.lock(ctx, answersDir)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := f.answersPlace()
	if p == nil || err != nil {
		return err
	}
	if p, err = p.below(overDir); err != nil {
		return f.unread(err)
	}
	defer p.close()
	if err := p.write("over", reference, func(io.Writer) error { return nil }); err != nil {
		return f.unread(err)
	}
	return p.sync()
}

// eachAnswer goes over the files of the practice that hold an answer, sorted by name.
func (f *folder) eachAnswer(ctx context.Context, do func(*place, string, Answer) error) error {
	unlock, err := f.busy.lock(ctx, answersDir)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := f.answersPlace()
	if p == nil || err != nil {
		return err
	}
	defer p.close()
	names, err := p.list()
	if err != nil {
		return f.unread(err)
	}
	slices.Sort(names)
	for _, name := range names {
		if !strings.EqualFold(path.Ext(name), ".txt") || strings.HasPrefix(name, ".") {
			continue
		}
		a, isFile, err := p.answer(name)
		if err != nil || !isFile {
			continue // one that cannot be read holds up no other; it may come yet
		}
		if err := do(p, name, a); err != nil {
			return f.unread(err)
		}
	}
	return nil
}

func (f *folder) unread(err error) error { return fmt.Errorf("answers in folder %s: %w", f.dir, err) }

// answersPlace is nil when the practice has never had such a directory.
func (f *folder) answersPlace() (*place, error) {
	p, err := f.place()
	if err != nil {
		return nil, f.unread(err)
	}
	_, err = p.root.Stat(answersDir)
	if errors.Is(err, fs.ErrNotExist) {
		p.close()
		return nil, nil
	}
	return p.below(answersDir)
}

// answer reads one file. Its name is not told to anyone: it may hold a patient's.
func (p *place) answer(name string) (a Answer, isFile bool, err error) {
	info, err := p.root.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return a, false, bare("look at an answer", err)
	}
	file, err := p.open(name)
	if err != nil {
		return a, false, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxText+1))
	if err != nil {
		return a, false, err
	}
	a = readAnswer(name, data, info.ModTime())
	for over := true; over; {
		if over, err = p.has(overDir + "/" + a.Reference); err != nil {
			return a, false, err
		}
		if over {
			a.ID = derive(a.ID, "again")
			a.Reference = a.ID.String()
		}
	}
	return a, true, nil
}

// readAnswer takes a file apart; what is wrong with it is a Problem.
func readAnswer(name string, data []byte, written time.Time) Answer {
	id := derive(namespace, "answer", name, string(data))
	a := Answer{ID: id, Reference: id.String(), Written: written}
	if len(data) > maxText {
		a.Problem = ProblemTooLarge
		return a
	}
	text := string(data)
	if !utf8.Valid(data) {
		text, _ = charmap.Windows1252.NewDecoder().String(text)
	}
	head, said, _ := strings.Cut(plain(strings.TrimPrefix(text, "\uFEFF")), "\n\n")
	fields := map[string]string{}
	for row := range strings.Lines(head) {
		label, value, _ := strings.Cut(row, ":")
		fields[strings.ToLower(line(label))] = line(value)
	}
	a.Number, _ = strconv.ParseInt(fields["gesprek"], 10, 64)
	a.Author = readAuthor(fields["van"])
	var dated bool
	a.For, dated = readWhose(fields)
	a.Problem = cmp.Or(
		problemIf(a.Number < 1, ProblemNoConversation),
		problemIf(!dated, ProblemBirthDate),
		problemIf(*a.For == Whose{}, ProblemNoPatient),
		problemIf(a.Author.Name == "", ProblemNoName),
		problemIf(plain(said) == "", ProblemNoWords))
	if a.Problem == "" {
		a.Text = strings.TrimSpace(plain(said))
	}
	return a
}

// numberLabel stands before the number in the line about the patient of a letter (patientLine),
// which can be copied whole.
const numberLabel = "patiëntnummer "

// readWhose reads for which patient an answer is; dated is false for a day that is none.
func readWhose(fields map[string]string) (w *Whose, dated bool) {
	w = &Whose{Number: cmp.Or(fields["patiënt"], fields["patient"], fields["patiëntnummer"], fields["patientnummer"])}
	if _, after, copied := strings.Cut(w.Number, numberLabel); copied {
		w.Number, _, _ = strings.Cut(after, ",")
	}
	said := cmp.Or(fields["geboren"], fields["geboortedatum"])
	if said == "" {
		return w, true
	}
	for _, form := range []string{"2-1-2006", "2/1/2006", time.DateOnly} {
		if born, err := time.Parse(form, said); err == nil {
			w.Born = born
			return w, true
		}
	}
	return w, false
}

// readAuthor takes "P. Bakker (huisarts)" apart. A role that only the bridge may give is none.
func readAuthor(s string) Author {
	name, role, _ := strings.Cut(s, "(")
	a := Author{Name: line(name), Role: Role(strings.ToLower(line(strings.TrimSuffix(strings.TrimSpace(role), ")"))))}
	if a.Role == RolePatient || a.Role == RoleBridge {
		a.Role = ""
	}
	return a
}

// settle moves an answer out of the way; the reason stands beside it.
func (p *place) settle(name, dir, reason string) error {
	again, err := p.again()
	if err != nil {
		return err
	}
	sub, err := again.below(dir)
	if err != nil {
		return err
	}
	defer sub.close()
	target := strings.TrimSuffix(name, path.Ext(name)) + "." + Mark(uuid.New())
	if reason = line(reason); reason != "" {
		err = sub.write("reden", target+".reden.txt", func(w io.Writer) error {
			_, err := io.WriteString(w, reason+"\n")
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := p.rename(name, dir+"/"+target+".txt"); err != nil {
		return err
	}
	return errors.Join(sub.sync(), p.sync())
}
