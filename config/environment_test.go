package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer"
)

// each is a value that differs from the example's for every setting that a variable can hold.
var each = map[string]string{
	"SPREEKKAMER_HOMESERVER_URL":               "https://hs.example",
	"SPREEKKAMER_HOMESERVER_DOMAIN":            "hs.example",
	"SPREEKKAMER_HOMESERVER_ALLOWED_SERVERS":   "other.example",
	"SPREEKKAMER_LISTEN":                       "127.0.0.1:1",
	"SPREEKKAMER_ADDRESS":                      "http://bridge:1",
	"SPREEKKAMER_REGISTRATION":                 "other.yaml",
	"SPREEKKAMER_BOT_LOCALPART":                "other",
	"SPREEKKAMER_BOT_DISPLAY_NAME":             "Other",
	"SPREEKKAMER_SECRETS_KEY":                  "other",
	"SPREEKKAMER_SECRETS_KEY_FILE":             "other.key",
	"SPREEKKAMER_SECRETS_RECOVERY_KEY_FILE":    "other.recovery",
	"SPREEKKAMER_DATABASE_TYPE":                "postgres",
	"SPREEKKAMER_DATABASE_URI":                 "other.db",
	"SPREEKKAMER_DATABASE_URI_FILE":            "other.uri",
	"SPREEKKAMER_LANGUAGE":                     "en",
	"SPREEKKAMER_ORGANISATION_NAME":            "Other",
	"SPREEKKAMER_ORGANISATION_WEBSITE":         "https://other.example",
	"SPREEKKAMER_ORGANISATION_PRIVACY_URL":     "https://other.example/p",
	"SPREEKKAMER_ORGANISATION_PRIVACY_VERSION": "2",
	"SPREEKKAMER_ORGANISATION_PRIVACY_DATE":    "2027-01-01",
	"SPREEKKAMER_ORGANISATION_TERMS_URL":       "https://other.example/t",
	"SPREEKKAMER_ORGANISATION_TERMS_VERSION":   "2",
	"SPREEKKAMER_ORGANISATION_TERMS_DATE":      "2027-01-01",
	"SPREEKKAMER_DESK_ANSWER_DAYS":             "5",
	"SPREEKKAMER_DESK_OUTAGE_AFTER":            "1h",
	"SPREEKKAMER_DESK_REMIND_AFTER":            "30m",
	"SPREEKKAMER_RETENTION_MESSAGES":           "1d",
	"SPREEKKAMER_RELAY_KEY_TIMEOUT":            "1m",
	"SPREEKKAMER_RELAY_MAX_FILE_SIZE":          "1MB",
	"SPREEKKAMER_RELAY_SENT_MARK":              "true",
	"SPREEKKAMER_RELAY_FILED_MARK":             "true",
	"SPREEKKAMER_RELAY_UNSIGNED_DEVICES":       "hold",
	"SPREEKKAMER_RELAY_REFUSED_FILES":          ".exe, text/html",
	"SPREEKKAMER_RELAY_ALLOWED_FILES":          "image/*",
	"SPREEKKAMER_RELAY_MAX_PIXELS":             "2000000",
	"SPREEKKAMER_RELAY_CLAMD":                  "unix:/run/clamav/clamd.ctl",
	"SPREEKKAMER_LIMITS_MESSAGES":              "60",
	"SPREEKKAMER_LIMITS_INVITATIONS":           "20",
	"SPREEKKAMER_LIMITS_SERVER_INVITATIONS":    "200",
	"SPREEKKAMER_LOG_LEVEL":                    "debug",
	"SPREEKKAMER_LOG_FORMAT":                   "console",
}

func TestEverySettingOutsideTheListsCanComeFromTheEnvironment(t *testing.T) {
	example, err := parse(spreekkamer.ExampleConfig)
	require.NoError(t, err)
	names := map[string]bool{}
	envNames(example, envPrefix, names)
	for name, possible := range names {
		assert.Equal(t, possible, each[name] != "", "%s has no row in this test", name)
	}
	before, err := Example()
	require.NoError(t, err)
	for name, value := range each {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			var found Mistakes
			after, err := merge(map[string]any{}, &found)
			require.NoError(t, err)
			require.Empty(t, found)
			assert.NotEqual(t, before, after, "nothing has changed")
		})
	}
}

func TestTheExampleIsReadWithoutTheEnvironment(t *testing.T) {
	before, err := Example()
	require.NoError(t, err)
	t.Setenv("SPREEKKAMER_LANGUAGE", "en")
	after, err := Example()
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestAWrongValueInTheEnvironmentIsNamedAsItsSetting(t *testing.T) {
	for _, tt := range []struct{ name, value, setting, remedy string }{
		{"SPREEKKAMER_RETENTION_MESSAGES", "a month", "retention.messages", "is no period"},
		{"SPREEKKAMER_RETENTION_MESSAGES", "0s", "retention.messages", "more than nothing"},
		{"SPREEKKAMER_RELAY_MAX_FILE_SIZE", "25", "relay.max_file_size", "is no size"},
		{"SPREEKKAMER_HOMESERVER_ALLOWED_SERVERS", "*,other.example", "homeserver.allowed_servers", "lets everyone in"},
		{"SPREEKKAMER_HOMESERVER_ALLOWED_SERVERS", "a,", "homeserver.allowed_servers", "no server name"},
		{"SPREEKKAMER_DESK_ANSWER_DAYS", "soon", "desk.answer_days", "is no number"},
		{"SPREEKKAMER_DESK_ANSWER_DAYS", "21", "desk.answer_days", "20 working days"},
		{"SPREEKKAMER_RELAY_SENT_MARK", "ja", "relay.sent_mark", "neither true nor false"},
		{"SPREEKKAMER_SECRETS_KEY", "hunter2", "secrets.key", "not 32 bytes"},
	} {
		t.Run(tt.name+" "+tt.value, func(t *testing.T) {
			t.Setenv(tt.name, tt.value)
			_, err := Load(file(t, valid))
			var found Mistakes
			require.ErrorAs(t, err, &found)
			assert.Equal(t, []string{tt.setting}, settings(found))
			assert.Contains(t, err.Error(), tt.remedy)
		})
	}
}
