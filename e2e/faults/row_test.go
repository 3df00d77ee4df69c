package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A row is what one fault led to on one setting.
type row struct {
	Fault, Setting string
	Rounds, Kills  int
	Seconds        int
	Date           string
	Seed           uint64
	Trouble        int // requests that the proxy made trouble for
	tally
}

// begin and end are the lines of the document between which the table stands.
const (
	begin = "<!-- made by make faults -->"
	end   = "<!-- end of the table -->"
)

// record adds a row to the file of results. A later one replaces an earlier one.
func (r row) record(file string) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = out.Write(append(line, '\n'))
	return err
}

// recorded reads the file of results, in the order of the faults in their table.
func recorded(file string) (rows []row, err error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		rows = slices.DeleteFunc(rows, func(old row) bool { return old.Fault == r.Fault && old.Setting == r.Setting })
		rows = append(rows, r)
	}
	place := map[string]int{}
	for i, f := range faults {
		place[f.name] = i
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		if a.Fault != b.Fault {
			return place[a.Fault] - place[b.Fault]
		}
		return strings.Compare(a.Setting, b.Setting)
	})
	return rows, nil
}

// table is the rows as Markdown.
func table(rows []row) string {
	var out strings.Builder
	fmt.Fprintf(&out, "| fault | on | rounds | kills | requests in trouble | messages | lost | doubled | out of order |\n")
	fmt.Fprintf(&out, "|---|---|---|---|---|---|---|---|---|\n")
	sum := row{}
	for _, r := range rows {
		fmt.Fprintf(&out, "| %s | %s | %d | %d | %d | %d | %d | %d | %d |\n", title(r.Fault), r.Setting, r.Rounds, r.Kills, r.Trouble,
			r.Messages, r.Lost, r.Doubled, r.Disorder)
		sum.Rounds, sum.Kills, sum.Trouble, sum.Seconds = sum.Rounds+r.Rounds, sum.Kills+r.Kills, sum.Trouble+r.Trouble, sum.Seconds+r.Seconds
		sum.add(r.tally)
	}
	fmt.Fprintf(&out, "| **all** | | %d | %d | %d | %d | %d | %d | %d |\n", sum.Rounds, sum.Kills, sum.Trouble, sum.Messages, sum.Lost, sum.Doubled, sum.Disorder)
	last := rows[len(rows)-1]
	fmt.Fprintf(&out, "\n%s, seed %d, %s; %d minutes.\n", last.Date, last.Seed, machine(), (sum.Seconds+59)/60)
	return out.String()
}

func title(fault string) string {
	for _, f := range faults {
		if f.name == fault {
			return f.title
		}
	}
	return fault
}

// machine is what the figures are from: as much of it as matters and names nobody.
func machine() string {
	version, err := exec.Command("uname", "-sr").Output()
	if err != nil {
		version = []byte(runtime.GOOS)
	}
	return fmt.Sprintf("%d cores, %s, %s", runtime.NumCPU(), strings.TrimSpace(string(version)), runtime.Version())
}

// writeTable puts the table in its place in the document.
func writeTable(results, document string) error {
	rows, err := recorded(results)
	if err != nil || len(rows) == 0 {
		return err
	}
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s has no place for the table", document)
	}
	return os.WriteFile(document, []byte(before+begin+"\n"+table(rows)+end+after), 0o600)
}

func today() string { return time.Now().Format(time.DateOnly) }
