package config

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAPeriodIsReadInDaysDownToSeconds(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "15m": 15 * time.Minute, "12h": 12 * time.Hour,
		"30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "0d": 0, "0s": 0, "1h30m": 90 * time.Minute,
	} {
		got, err := ParseDuration(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
}

func TestWhatIsNoPeriodIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "d", "30", "-1d", "+1d", "1d-12h", "-30s", "1d2d", "500ms", "1.0001s", "4w", "30 d", "1d 12h",
		"99999999999999999999d", "65535d2500000h", "1e3d", "eternal",
	} {
		_, err := ParseDuration(text)
		assert.ErrorContains(t, err, "is no period", text)
	}
}

func TestEveryPeriodOfWholeSecondsIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days, seconds := rapid.Uint16().Draw(t, "days"), rapid.Uint16().Draw(t, "seconds")
		got, err := ParseDuration(fmt.Sprintf("%dd%ds", days, seconds))
		if want := time.Duration(days)*24*time.Hour + time.Duration(seconds)*time.Second; err != nil || got != want {
			t.Fatalf("%v, %v; want %v", got, err, want)
		}
	})
}

func TestNoTextMakesAPeriodBelowNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[-+]?[0-9]{0,6}d?[-+.0-9hms]{0,8}`).Draw(t, "text")
		if d, err := ParseDuration(text); err == nil && d < 0 {
			t.Fatalf("%q is %v", text, d)
		}
	})
}

func TestASizeNeedsItsUnit(t *testing.T) {
	for text, want := range map[string]Bytes{"500kB": 5e5, "500KB": 5e5, "25MB": 25e6, "25 MB": 25e6, "1GB": 1e9} {
		got, err := ParseBytes(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "25", "MB", "-1MB", "1.5MB", "25mb", "25MiB", "99999999999GB"} {
		_, err := ParseBytes(text)
		assert.ErrorContains(t, err, "is no size", text)
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	c := Config{Secrets: Secrets{Key: "hunter2hunter2"}, Database: Database{URI: "postgres://a:hunter2@h/d"}}
	asJSON, err := json.Marshal(c)
	require.NoError(t, err)
	for _, text := range []string{
		string(asJSON), fmt.Sprint(c), fmt.Sprintf("%+v %#v %s %q", c, c, c.Secrets, c.Database),
		fmt.Sprint(c.Secrets.Key), strconv.Quote(c.Database.URI.String()),
	} {
		assert.NotContains(t, text, "hunter2")
	}
	assert.Empty(t, Secret("").String(), "an empty secret shows that it is empty")
}

func TestAMistakeNeverRepeatsASecret(t *testing.T) {
	for _, changes := range []string{
		"secrets: {key: hunter2}",
		"database: {uri: 'postgres://a:hunter2@h/d'}",
		"database: {type: postgres, uri: 'mysql://a:hunter2@h/d'}",
	} {
		_, err := Load(file(t, with(t, changes)))
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestADateMayStandWithoutQuotes(t *testing.T) {
	c, err := Load(file(t, valid+"\nlog: {level: debug}"))
	require.NoError(t, err)
	assert.Equal(t, "debug", c.Log.Level)
	c, err = Load(file(t, with(t, "organisation: {privacy: {date: 2026-02-28}}")))
	require.NoError(t, err)
	assert.Equal(t, "2026-02-28", c.Organisation.Privacy.Date)
}
