package app

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/spreekkamer/spreekkamer/config"
)

func settings(t *testing.T) config.Config {
	t.Helper()
	c, err := config.Example()
	require.NoError(t, err)
	c.Homeserver.Domain = "gp.example"
	c.Registration = filepath.Join(t.TempDir(), "registration.yaml")
	return c
}

func TestAFreshRegistrationFitsItsSettings(t *testing.T) {
	c := settings(t)
	r := NewRegistration(c)
	require.NoError(t, r.Fits(c))
	assert.False(t, r.RateLimited)
	assert.Len(t, r.ASToken, 64)
	other := NewRegistration(c)
	assert.NotEqual(t, r.ASToken, other.ASToken)
	assert.NotEqual(t, r.HSToken, other.HSToken)
	assert.NotEqual(t, r.SenderLocalpart, other.SenderLocalpart)
}

func TestNamespacesHoldExactlyOurNames(t *testing.T) {
	r := NewRegistration(settings(t))
	for name, want := range map[string]bool{
		"@spreekkamer:gp.example": true, "@spreekkamer2:gp.example": false, "@spreekkamer:gpxexample": false,
		"@spreekkamer:gp.example.evil": false, "@a@spreekkamer:gp.example": false,
	} {
		assert.Equal(t, want, r.owns(name), name)
	}
	for name, want := range map[string]bool{
		"#spreekkamer_space_linde:gp.example": true, "#spreekkamer:gp.example": false, "#spreekkamer_x:other": false,
	} {
		assert.Equal(t, want, regexp.MustCompile(r.Namespaces.Aliases[0].Regex).MatchString(name), name)
	}
}

func TestTheFileHoldsAllThatHomeserversAskFor(t *testing.T) {
	text, err := NewRegistration(settings(t)).YAML()
	require.NoError(t, err)
	fields := map[string]any{}
	require.NoError(t, yaml.Unmarshal(text, &fields))
	for _, key := range []string{"id", "url", "as_token", "hs_token", "sender_localpart"} {
		assert.NotEmpty(t, fields[key], key)
	}
	assert.Equal(t, false, fields["rate_limited"])
	assert.Equal(t, true, fields["io.element.msc4190"])
	assert.NotContains(t, fields, "org.matrix.msc3202", "to-device comes by /sync, and only there is it kept for us")
	namespaces := fields["namespaces"].(map[string]any)
	assert.Equal(t, []any{}, namespaces["rooms"], "always present")
	for _, kind := range []string{"users", "aliases"} {
		assert.Equal(t, true, namespaces[kind].([]any)[0].(map[string]any)["exclusive"], kind)
	}
}

func TestARegistrationIsWrittenOnceAndReadBack(t *testing.T) {
	c := settings(t)
	_, err := LoadRegistration(c)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "spreekkamer registration --write")

	r := NewRegistration(c)
	require.NoError(t, r.Write(c.Registration))
	info, err := os.Stat(c.Registration)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	got, err := LoadRegistration(c)
	require.NoError(t, err)
	assert.Equal(t, r, got)

	require.ErrorIs(t, NewRegistration(c).Write(c.Registration), os.ErrExist, "tokens in use are never replaced")
	got, err = LoadRegistration(c)
	require.NoError(t, err)
	assert.Equal(t, r, got)
}

func TestARegistrationThatDoesNotFitSaysWhy(t *testing.T) {
	c := settings(t)
	for _, tt := range []struct {
		name   string
		change func(*Registration)
		want   string
	}{
		{"no id", func(r *Registration) { r.ID = "" }, "id is missing"},
		{"no token", func(r *Registration) { r.HSToken = "" }, "as_token or hs_token is missing"},
		{"one token", func(r *Registration) { r.HSToken = r.ASToken }, "must differ"},
		{"another address", func(r *Registration) { r.URL = "http://old:1" }, "make them the same"},
		{"the bot as sender", func(r *Registration) { r.SenderLocalpart = "spreekkamer" }, "another name than the bot's"},
		{"no namespace", func(r *Registration) { r.Namespaces = Namespaces{} }, "holds @spreekkamer:gp.example"},
		{"a namespace for all", func(r *Registration) { r.Namespaces.Users[0].Exclusive = false }, "no exclusive namespace"},
		{"a broken pattern", func(r *Registration) { r.Namespaces.Users[0].Regex = "(" }, "no exclusive namespace"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRegistration(c)
			tt.change(&r)
			c := c
			c.Registration = filepath.Join(t.TempDir(), "registration.yaml")
			require.NoError(t, r.Write(c.Registration))
			_, err := LoadRegistration(c)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), r.ASToken)
		})
	}
}

func TestAFileThatIsNoRegistrationIsRefused(t *testing.T) {
	c := settings(t)
	require.NoError(t, os.WriteFile(c.Registration, []byte("- 1"), 0o600))
	_, err := LoadRegistration(c)
	require.ErrorContains(t, err, "cannot unmarshal")
	c.Registration = t.TempDir()
	_, err = LoadRegistration(c)
	require.ErrorContains(t, err, "registration: ")
}

func TestTheExampleRegistrationIsWhatTheCommandMakes(t *testing.T) {
	example, err := ReadRegistration("../registration.example.yaml")
	require.NoError(t, err)
	c, err := config.Example()
	require.NoError(t, err)
	require.NoError(t, example.Fits(c))
	made := NewRegistration(c)
	made.ASToken, made.HSToken, made.SenderLocalpart = example.ASToken, example.HSToken, example.SenderLocalpart
	assert.Equal(t, made, example)
}
