package world

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"
)

// registration is what the homeserver and the bridge share; made by hand, since the
// homeserver's name is not known before it runs.
func (w *World) writeRegistration() error {
	token := func() string {
		b := make([]byte, 16)
		_, _ = rand.Read(b)
		return hex.EncodeToString(b)
	}
	return writeYAML(w.registrationFile(), map[string]any{
		"id": "spreekkamer", "url": w.bridgeForHome(), "as_token": token(), "hs_token": token(),
		"sender_localpart": "sk" + token()[:10], "rate_limited": false, "io.element.msc4190": true,
		"namespaces": map[string]any{
			"users":   []any{map[string]any{"exclusive": true, "regex": "@spreekkamer:.*"}},
			"aliases": []any{map[string]any{"exclusive": true, "regex": "#spreekkamer_.*"}},
			"rooms":   []any{},
		},
	})
}

// BotToken is with what the bot is who it is, for who has to send as it.
func (w *World) BotToken() (string, error) {
	text, err := os.ReadFile(w.registrationFile())
	if err != nil {
		return "", err
	}
	var r struct {
		Token string `yaml:"as_token"`
	}
	err = yaml.Unmarshal(text, &r)
	return r.Token, err
}

// homeForBridge and bridgeForHome are where the two find each other: behind the proxy, if any.
func (w *World) homeForBridge() string {
	if w.Proxy == nil {
		return w.Home.URL
	}
	return w.Proxy.ForBridge()
}

func (w *World) bridgeForHome() string {
	if !w.opts.Faults {
		return w.bridgeURL()
	}
	return fmt.Sprintf("http://127.0.0.1:%d", w.proxyPorts[1])
}

func (w *World) bridgeURL() string { return fmt.Sprintf("http://127.0.0.1:%d", w.port) }

func (w *World) writeConfig(context.Context) error {
	document := map[string]any{"url": "https://lindelaan.example/privacy", "version": "2.1", "date": "2026-01-01"}
	settings := map[string]any{
		"homeserver":   map[string]any{"url": w.homeForBridge(), "domain": w.Home.ServerName, "allowed_servers": w.allowed()},
		"listen":       fmt.Sprintf("127.0.0.1:%d", w.port),
		"address":      w.bridgeForHome(),
		"registration": w.registrationFile(),
		"secrets": map[string]any{
			"key_file":          filepath.Join(w.bridgeDir(), "master.key"),
			"recovery_key_file": filepath.Join(w.bridgeDir(), "recovery.key"),
		},
		"database": w.database(),
		"organisation": map[string]any{
			"name": "Huisartsen Lindelaan", "website": "https://lindelaan.example", "privacy": document, "terms": document,
		},
		"practices": []any{w.practice()},
		"staff":     w.staffSettings(),
		// people in tests type faster than people; SPREEKKAMER_LIMITS_… sets limits again
		"limits": map[string]any{"messages": 0, "invitations": 0, "server_invitations": 0},
	}
	if w.opts.Retention > 0 {
		settings["retention"] = map[string]any{"messages": w.opts.Retention.String()}
	}
	return writeYAML(w.ConfigFile(), settings)
}

func (w *World) practice() map[string]any {
	practice := map[string]any{
		"id": PracticeID, "name": "Huisartspraktijk Lindelaan", "phone": "020 123 4567", "huisartsenpost": "020 765 4321",
		"emergency_phone": "020 123 4569", "agb": "01012345", "postcodes": []string{"1011", "1012 AB"},
		"hours":  w.opts.Hours,
		"his":    map[string]any{"type": "folder", "path": w.HIS},
		"filing": map[string]any{"ask_every": "1s"},
	}
	if w.opts.FHIR != "" {
		practice["crm"] = practice["his"]
		practice["his"], practice["filing"] = w.fhir()
	}
	return practice
}

// fhir is a FHIR server that knocks, and is asked otherwise only at the start; or is asked only.
func (w *World) fhir() (his, filing map[string]any) {
	hook, every := w.bridgeURL()+"/his/"+PracticeID, 5*time.Minute
	if w.opts.AskEvery > 0 {
		hook, every = "", w.opts.AskEvery
	}
	his = map[string]any{"type": "fhir", "fhir": map[string]any{
		"url": w.opts.FHIR, "make_patients": w.opts.NewRecords, "hook_url": hook,
	}}
	return his, map[string]any{"ask_every": every.String()}
}

func (w *World) allowed() []string {
	if w.Second == nil {
		return []string{}
	}
	return []string{w.Second.ServerName}
}

func (w *World) database() map[string]any {
	if w.opts.Database != "" {
		return map[string]any{"type": "postgres", "uri": w.opts.Database}
	}
	return map[string]any{"type": "sqlite", "uri": filepath.Join(w.bridgeDir(), "spreekkamer.db")}
}

func (w *World) staffSettings() (all []any) {
	for _, p := range w.Staff {
		all = append(all, map[string]any{"user": p.UserID, "name": p.Name, "role": p.Role, "practice": PracticeID})
	}
	return all
}
