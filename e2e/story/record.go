package story

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// answersInHIS is an answer that the huisarts writes in the HIS, as a file in the folder.
func answersInHIS(ctx context.Context, s *Story) error {
	number, err := s.number()
	if err != nil {
		return err
	}
	dir := filepath.Join(s.World.HIS, "antwoorden")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	s.Tell("the huisarts writes an answer in the HIS")
	answer := "Gesprek: " + number + "\nPatiënt: " + s.patientNumber + "\nVan: P. Bakker (huisarts)\n\nSmeer het twee weken in.\n"
	if err := os.WriteFile(filepath.Join(dir, "antwoord.part"), []byte(answer), 0o600); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, "antwoord.part"), filepath.Join(dir, "antwoord.txt")); err != nil {
		return err
	}
	read, err := s.hears(ctx, s.Patient, s.Consulting, "Smeer het twee weken in.")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(read.Body(), "P. Bakker, huisarts") {
		return fmt.Errorf("the answer does not name who wrote it: %q", read.Body())
	}
	if _, err := s.hears(ctx, s.Fatima, s.TalkRoom, "Smeer het twee weken in."); err != nil {
		return err
	}
	return until(func() error {
		sent, err := filepath.Glob(filepath.Join(dir, "verzonden", "*.txt"))
		if err == nil && len(sent) != 1 {
			err = fmt.Errorf("the answer was not put away as sent: %d", len(sent))
		}
		return err
	})
}

// number is what the HIS calls the open conversation: its newest folder.
func (s *Story) number() (string, error) {
	dirs, err := filepath.Glob(filepath.Join(s.World.HIS, s.patientNumber, "*"))
	if err != nil || len(dirs) == 0 {
		return "", fmt.Errorf("the HIS folder has no conversation (%w)", err)
	}
	return filepath.Base(dirs[len(dirs)-1]), nil
}

// until looks again until something holds, or it has taken too long.
func until(holds func() error) error {
	wait := newWait()
	for {
		if err := holds(); err == nil || wait.over() {
			return err
		}
	}
}

// hasDocument says whether the folder has the document of a closed conversation: question and
// answer as they read in the end, and the summary.
func hasDocument(letters []string, words ...string) error {
	for _, file := range letters {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if strings.Contains(string(text), "Samenvatting door ") {
			for _, w := range words {
				if !strings.Contains(string(text), w) {
					return fmt.Errorf("the document of the closed conversation lacks %q:\n%s", w, text)
				}
			}
			return nil
		}
	}
	return fmt.Errorf("there is no document of a closed conversation")
}

// isCopy says that a letter is a copy of an answer of the HIS with these words.
func isCopy(words string) func(file string) bool {
	return func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.HasPrefix(string(text), "Antwoord van de praktijk") &&
			strings.Contains(string(text), "geschreven in het HIS") && strings.Contains(string(text), words)
	}
}
