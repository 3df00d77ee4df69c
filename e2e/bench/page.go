package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
)

// results are the figures of one part by name.
type results map[string]float64

// A measured is the last result of a part, as it is kept between runs.
type measured struct {
	At      time.Time
	Machine string
	Results results
}

// A page is docs/performance.md and what it is made of: the last result of every part.
type page struct{ store, file string }

// write keeps a result and makes the part of the page above the marker anew; what people wrote
// below it stays.
func (p page) write(kind harness.Kind, part string, r results) error {
	if err := os.MkdirAll(p.store, 0o755); err != nil {
		return err
	}
	data, err := json.Marshal(measured{time.Now().UTC(), machine(), r})
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.part(kind, part), data, 0o600); err != nil {
		return err
	}
	old, err := os.ReadFile(p.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, notes, _ := strings.Cut(string(old), marker)
	return os.WriteFile(p.file, []byte(p.render()+marker+notes), 0o600)
}

const marker = "<!-- Everything above this line is written by `make bench`. -->\n"

func (p page) part(kind harness.Kind, part string) string {
	return filepath.Join(p.store, string(kind)+"-"+part+".json")
}

func (p page) read(kind harness.Kind, part string) (m measured) {
	data, err := os.ReadFile(p.part(kind, part))
	if err != nil || json.Unmarshal(data, &m) != nil {
		return measured{}
	}
	return m
}

// machine says on what it was measured.
func machine() string {
	name := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	commit, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	return fmt.Sprintf("%d × %s, %s, commit %s", runtime.NumCPU(), name, runtime.Version(), strings.TrimSpace(string(commit)))
}

// A row is one figure beside what it is compared with. With a base, what has to hold is a ratio.
type row struct {
	part, what, figure, base string
	unit                     string
	goal                     float64
	atLeast                  bool // otherwise: at most
}

// rows are the table, with the goals of the project.
var rows = []row{
	{"latency", "patient → staff, median", "patient_p50", "direct_p50", "ms", 2.2, false},
	{"latency", "patient → staff, 95 %", "patient_p95", "direct_p95", "ms", 3, false},
	{"latency", "staff → patient, median", "staff_p50", "direct_p50", "ms", 2.2, false},
	{"latency", "staff → patient, 95 %", "staff_p95", "direct_p95", "ms", 3, false},
	{"rate", "messages a second, 4 rooms; without: the bot sends there", "relayed_rate", "bot_rate", "/s", 0.45, true},
	{"rate", "messages a second, 4 rooms; without: in rooms of others", "relayed_rate", "homeserver_rate", "/s", 0.45, true},
	{"burst", "out of order, 60 in one room, patient → staff", "deep_patient_inversions", "", "", 0, false},
	{"burst", "out of order, 60 in one room, staff → patient", "deep_staff_inversions", "", "", 0, false},
	{"burst", "out of order, 10 in each of many rooms, patient → staff", "wide_patient_inversions", "", "", 0, false},
	{"burst", "out of order, 10 in each of many rooms, staff → patient", "wide_staff_inversions", "", "", 0, false},
	{"rest", "memory, 10 accounts at rest", "rest_10_mb", "", "MB", 150, false},
	{"rest", "memory, 1,000 accounts at rest", "rest_1000_mb", "", "MB", 150, false},
	{"rest", "memory, 10,000 accounts at rest", "rest_10000_mb", "", "MB", 150, false},
	{"rest", "processor, 10,000 accounts at rest", "rest_10000_cpu", "", "% of a core", 5, false},
	{"backlog", "memory, most, while thousands wait in one room", "backlog_mb", "", "MB", 150, false},
	{"backlog", "another patient meanwhile, median; without: nobody waits", "neighbour_p50", "quiet_p50", "ms", 3, false},
	{"backlog", "another patient meanwhile, 95 %; without: nobody waits", "neighbour_p95", "quiet_p95", "ms", 3, false},
}

func (p page) render() string {
	var out strings.Builder
	out.WriteString("# Performance\n\nMeasured by `make bench`: homeserver, bridge, database and clients (matrix-js-sdk) on one machine.\n" +
		"Direct is the same message between the same two clients without the bridge.\n")
	for _, kind := range harness.Kinds {
		p.renderKind(&out, kind)
	}
	out.WriteString("\n")
	return out.String()
}

func (p page) renderKind(out *strings.Builder, kind harness.Kind) {
	about := map[string]bool{}
	var table strings.Builder
	for _, r := range rows {
		m := p.read(kind, r.part)
		if m.Results == nil {
			continue
		}
		table.WriteString(r.line(m.Results))
		about[m.At.Format(time.DateOnly)+", "+m.Machine] = true
	}
	if len(about) == 0 {
		return
	}
	fmt.Fprintf(out, "\n## %s\n\n", strings.ToUpper(string(kind[:1]))+string(kind[1:]))
	for _, line := range slices.Sorted(maps.Keys(about)) {
		fmt.Fprintf(out, "%s.\n", line)
	}
	if m := p.read(kind, "burst"); m.Results != nil {
		fmt.Fprintf(out, "Many rooms: %.0f; all messages there after %.1f s and %.1f s.\n", m.Results["rooms"], m.Results["wide_patient_s"], m.Results["wide_staff_s"])
	}
	if m := p.read(kind, "rate"); m.Results != nil {
		r := m.Results
		fmt.Fprintf(out, "Processor time for a message in 4 rooms: without Spreekkamer %.1f ms of the homeserver, %.1f ms when the bot sends it; relayed %.1f ms of the homeserver (two messages) and %.1f ms of Spreekkamer.\n",
			r["homeserver_homeserver_ms"], r["bot_homeserver_ms"], r["relayed_homeserver_ms"], r["relayed_bridge_ms"])
	}
	if m := p.read(kind, "backlog"); m.Results != nil {
		fmt.Fprintf(out, "Waiting in one room: %.0f messages; carried at %.1f a second.\n", m.Results["waiting"], m.Results["backlog_rate"])
	}
	out.WriteString("\n| what | Spreekkamer | without | ratio | goal | |\n|---|---|---|---|---|---|\n" + table.String())
}

func (r row) line(found results) string {
	figure, without, ratio := found[r.figure], "", ""
	judged, limit := figure, fmt.Sprintf("%.4g %s", r.goal, r.unit)
	if r.base != "" {
		judged = figure / found[r.base]
		without, ratio, limit = fmt.Sprintf("%.1f %s", found[r.base], r.unit), fmt.Sprintf("%.2f", judged), fmt.Sprintf("%.4g", r.goal)
	}
	sign, holds := "≤", judged <= r.goal
	if r.atLeast {
		sign, holds = "≥", judged >= r.goal
	}
	verdict := map[bool]string{true: "holds", false: "missed"}[holds]
	return fmt.Sprintf("| %s | %.1f %s | %s | %s | %s %s | %s |\n", r.what, figure, r.unit, without, ratio, sign, limit, verdict)
}
