package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/spreekkamer/spreekkamer"
)

// whatEverGetsThrough must be safe to run with, whatever the file was.
func whatEverGetsThrough(c Config) string {
	switch {
	case c.Retention.Messages <= 0 || c.Retention.Messages > 30*24*time.Hour:
		return "keeps messages for " + c.Retention.Messages.String()
	case len(c.Practices) == 0 || len(c.Staff) == 0:
		return "has nobody to answer"
	case c.Homeserver.Domain == "example.com":
		return "runs on the example's server"
	}
	return ""
}

// value draws anything that YAML can hold, also where a setting expects something else.
func value(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.String().AsAny(), rapid.Int().AsAny(), rapid.Float64().AsAny(), rapid.Bool().AsAny(),
		rapid.Just[any](nil), rapid.Just[any](time.Unix(0, 0).UTC()),
		rapid.SampledFrom([]any{"-1d", "0s", "31d", "9999999d", "*", "@a:b", "a.b.c", "postgres://"}),
	}
	if depth > 0 {
		leaves = append(leaves,
			rapid.SliceOfN(value(depth-1), 0, 3).AsAny(),
			rapid.MapOfN(name(), value(depth-1), 0, 4).AsAny())
	}
	return rapid.OneOf(leaves...)
}

func name() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"retention", "messages", "practices", "staff", "his", "id", "homeserver", "allowed_servers",
		"organisation", "privacy", "url", "relay", "secrets", "retention.messages", "Retention", "",
	}))
}

func TestNoSettingsHoweverHostileCrashOrGetThrough(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	rapid.Check(t, func(t *rapid.T) {
		settings := map[string]any{}
		if err := yaml.Unmarshal([]byte(valid), &settings); err != nil {
			t.Fatal(err)
		}
		overlay(settings, rapid.MapOfN(name(), value(3), 0, 4).Draw(t, "settings"))
		text, err := yaml.Marshal(settings)
		if err != nil {
			t.Skip("YAML cannot write this")
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := Load(path); err == nil {
			if danger := whatEverGetsThrough(c); danger != "" {
				t.Fatalf("%s:\n%s", danger, text)
			}
		}
	})
}

// FuzzLoad looks for bytes that crash the reader; its seeds run with every test.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		valid, string(spreekkamer.ExampleConfig), "", "\x00", "a: &a [*a]", "&a a: *a", "? [a, b]\n: c",
		"<<: {listen: 1}", "1: 2\nnull: 3", "practices: {0: {id: x}}", "!!binary x: y", "staff: [[[]]]",
		"a: &x [1,1]\nb: &y [*x,*x]\nc: &z [*y,*y]\nd: [*z,*z]", "homeserver: !!set {a, b}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := parse(text)
		if err != nil {
			return
		}
		if c, err := load(file, nil); err == nil {
			if danger := whatEverGetsThrough(c); danger != "" {
				t.Fatalf("%s:\n%s", danger, text)
			}
		}
	})
}
