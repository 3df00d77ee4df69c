package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// valid is the least that an operator has to write.
const valid = `
homeserver: {domain: gp.example}
organisation:
  name: Huisartsen De Linde
  website: https://delinde.example
  privacy: {url: https://delinde.example/privacy}
  terms: {url: https://delinde.example/terms}
practices:
  - id: linde
    name: De Linde
    phone: "020 123 4567"
    huisartsenpost: "0880 003 0600"
    postcodes: [1017, 1018 ab]
    his: {type: folder, path: his/linde}
staff:
  - {user: "@fatima:gp.example", name: Fatima, role: doktersassistent, practice: linde}
`

// with lays YAML over the valid settings, as an operator edits a file. {} empties a group.
func with(t *testing.T, changes string) string {
	t.Helper()
	settings, change := map[string]any{}, map[string]any{}
	require.NoError(t, yaml.Unmarshal([]byte(valid), settings))
	require.NoError(t, yaml.Unmarshal([]byte(changes), change))
	overlay(settings, change)
	text, err := yaml.Marshal(settings)
	require.NoError(t, err)
	return string(text)
}

func overlay(on, from map[string]any) {
	for key, value := range from {
		below, isGroup := on[key].(map[string]any)
		above, alsoGroup := value.(map[string]any)
		if isGroup && alsoGroup {
			overlay(below, above)
		} else {
			on[key] = value
		}
	}
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestTheLeastThatIsNeededLeavesTheRestAsInTheExample(t *testing.T) {
	c, err := Load(file(t, valid))
	require.NoError(t, err)
	assert.Equal(t, "gp.example", c.Homeserver.Domain)
	assert.Equal(t, "http://127.0.0.1:8008", c.Homeserver.URL)
	assert.Empty(t, c.Homeserver.AllowedServers)
	assert.Equal(t, 30*24*time.Hour, c.Retention.Messages)
	assert.Equal(t, 3*time.Minute, c.Relay.KeyTimeout)
	assert.Equal(t, Bytes(25e6), c.Relay.MaxFileSize)
	assert.Contains(t, c.Relay.RefusedFiles, ".exe")
	assert.Empty(t, c.Relay.Clamd)
	assert.Equal(t, Document{"https://delinde.example/terms", "1.0", "2026-01-01"}, c.Organisation.Terms)
	require.Len(t, c.Practices, 1)
	assert.Equal(t, []Postcode{"1017", "1018AB"}, c.Practices[0].Postcodes)
	assert.Equal(t, 2, c.Desk.AnswerDays)
	assert.Equal(t, time.Hour, c.Desk.RemindAfter)
	assert.Equal(t, []Staff{{"@fatima:gp.example", "Fatima", "doktersassistent", "linde"}}, c.Staff)
	require.NoError(t, c.Validate())
}

func TestEveryMistakeIsNamedWithItsRemedy(t *testing.T) {
	for _, tt := range []struct{ name, changes, setting, remedy string }{
		{"a typing error in a group", "retension: {messages: 9d}", "retension", "did you mean retention?"},
		{"a typing error in a setting", "retention: {mesages: 9d}", "retention.mesages", "did you mean messages?"},
		{"a capital", "Retention: {messages: 9d}", "Retention", "did you mean retention?"},
		{"a hyphen for an underscore", "relay: {key-timeout: 1m}", "relay.key-timeout", "did you mean key_timeout?"},
		{"a name with a dot", "retention.messages: 9d", "retention.messages", "no such setting"},
		{"a group with an unknown name before the dot", "a.b: 9d", "a.b", "no such setting"},
		{"a value where a group belongs", "retention: 9d", "retention", "group of settings: messages"},
		{"a list where a group belongs", "retention: [9d]", "retention", "group of settings: messages"},
		{"an unknown setting of a practice", "practices: [{idd: x}]", "practices[0].idd", "no such setting"},
		{"an unknown setting of a practice's HIS", "practices: [{his: {pth: x}}]", "practices[0].his.pth", "no such setting"},
		{"keep for ever", "retention: {messages: 0d}", "retention.messages", "more than nothing"},
		{"nothing for how long to keep", "retention: {messages: }", "retention.messages", "more than nothing"},
		{"keep longer than the law allows", "retention: {messages: 31d}", "retention.messages", "30d is the longest"},
		{"keep one second too long", "retention: {messages: 30d1s}", "retention.messages", "30d is the longest"},
		{"a period without a unit", "retention: {messages: 30}", "retention.messages", "is no period"},
		{"a period in another unit", "retention: {messages: 4w}", "retention.messages", "is no period"},
		{"waiting for a key for ever", "relay: {key_timeout: 2h}", "relay.key_timeout", "between 1s and 1h"},
		{"unsigned devices in between", "relay: {unsigned_devices: maybe}", "relay.unsigned_devices", "choose pass or hold"},
		{"a size without a unit", "relay: {max_file_size: 25}", "relay.max_file_size", "is no size"},
		{"files larger than memory", "relay: {max_file_size: 1GB}", "relay.max_file_size", "between 1kB and 100MB"},
		{"a file that is no kind of file", "relay: {refused_files: [exe]}", "relay.refused_files", "is no type such as"},
		{"a path for a kind of file", "relay: {allowed_files: ['../x']}", "relay.allowed_files", "is no type such as"},
		{"pictures without an end", "relay: {max_pixels: 0}", "relay.max_pixels", "between 1000000"},
		{"a scanner nowhere", "relay: {clamd: /run/clamd.ctl}", "relay.clamd", "give unix:/run/clamav/clamd.ctl"},
		{"a homeserver without http", "homeserver: {url: localhost:8008}", "homeserver.url", "give an address"},
		{"a password in an address", "homeserver: {url: 'http://a:b@h'}", "homeserver.url", "without a password"},
		{"the example's domain", "homeserver: {domain: example.com}", "homeserver.domain", "still the example's"},
		{"an address for a domain", "homeserver: {domain: 'https://gp.example'}", "homeserver.domain", "after the colon"},
		{"a user id for a server", "homeserver: {allowed_servers: ['@a:b']}", "homeserver.allowed_servers", "no server name"},
		{"everyone and someone", "homeserver: {allowed_servers: ['*', b.example]}", "homeserver.allowed_servers", "lets everyone in"},
		{"a port without an address", "listen: 29340", "listen", "between quotes"},
		{"a port that does not exist", "listen: 127.0.0.1:99999", "listen", "an address and a port"},
		{"a port of nothing", "listen: 127.0.0.1:0", "listen", "an address and a port"},
		{"an address nobody can reach", "address: 'http://0.0.0.0:29340'", "address", "no place to go to"},
		{"no registration", "registration: ''", "registration", "name of the registration file"},
		{"a whole user id for the bot", "bot: {localpart: '@bot:gp.example'}", "bot.localpart", "without @"},
		{"a bot without a name", "bot: {display_name: ''}", "bot.display_name", "name that people see"},
		{"a short key", "secrets: {key: YWJj}", "secrets.key", "not 32 bytes"},
		{"no key at all", "secrets: {key_file: ''}", "secrets.key_file", "master key's file"},
		{"no recovery key", "secrets: {recovery_key_file: ''}", "secrets.recovery_key_file", "recovery key's file"},
		{"one file for two keys", "secrets: {key_file: a, recovery_key_file: a}", "secrets.recovery_key_file", "another file"},
		{"another database", "database: {type: mysql}", "database.type", "sqlite or postgres"},
		{"no database", "database: {uri: ''}", "database.uri", "file or address"},
		{"a database in memory", "database: {uri: 'file::memory:'}", "database.uri", "lost at a restart"},
		{"a server without its type", "database: {uri: 'postgres://h/d'}", "database.uri", "set database.type"},
		{"a type without its server", "database: {type: postgres}", "database.uri", "postgres://"},
		{"another language", "language: fr", "language", "nl or en"},
		{"the example's organisation", "organisation: {name: Huisartsen Voorbeeld}", "organisation.name", "still the example's"},
		{"no organisation", "organisation: {name: ' '}", "organisation.name", "must be given"},
		{"a version that is a number", "organisation: {privacy: {version: 1.0}}", "organisation.privacy.version", "between quotes"},
		{"no version", "organisation: {terms: {version: ''}}", "organisation.terms.version", "give the version"},
		{"a date in Dutch", "organisation: {terms: {date: 1-2-2026}}", "organisation.terms.date", "give a date"},
		{"no practice", "practices: []", "practices", "at least one practice"},
		{"a practice that is a word", "practices: [linde]", "practices[0]", "expected a map"},
		{"practices that are a word", "practices: linde", "practices", "must be an array or slice"},
		{"an id with a space", "practices: [{id: de linde}]", "practices[0].id", "small letters"},
		{"the same id twice", "practices: [{id: a}, {id: a}]", "practices[1].id", "there twice"},
		{"the example's phone number", "practices: [{phone: 000 000 0000}]", "practices[0].phone", "still the example's"},
		{"a phone number that YAML has read", "practices: [{phone: 0201234567}]", "practices[0].phone", "between quotes"},
		{"a word for a phone number", "practices: [{phone: bel ons}]", "practices[0].phone", "give a number"},
		{"a wrong emergency line", "practices: [{emergency_phone: '1'}]", "practices[0].emergency_phone", "give a number"},
		{"an AGB code of seven digits", "practices: [{agb: '1234567'}]", "practices[0].agb", "eight digits"},
		{"a postcode that begins with zero", "practices: [{postcodes: ['0123']}]", "practices[0].postcodes", "no postcode"},
		{"a postcode twice", "practices: [{postcodes: [1234ab, 1234 AB]}]", "practices[0].postcodes", "there twice"},
		{"hours in Dutch", "practices: [{hours: ['ma-vr 08:00-17:00']}]", "practices[0].hours", "mon-fri 08:00-12:30"},
		{"hours as a group", "practices: [{hours: [{mon: 8}]}]", "practices[0].hours[0]", "between quotes"},
		{"a holiday without an end", "practices: [{closed: ['2026-07-20/']}]", "practices[0].closed", "2026-07-20/2026-07-31"},
		{"a holiday that nobody has", "practices: [{holidays: [carnaval]}]", "practices[0].holidays", "choose good_friday"},
		{"an answer in a month", "desk: {answer_days: 30}", "desk.answer_days", "20 working days"},
		{"a reminder at once", "desk: {remind_after: 5s}", "desk.remind_after", "between 1m and 24h"},
		{"a reminder next week", "desk: {remind_after: 7d}", "desk.remind_after", "between 1m and 24h"},
		{"an outage of a moment", "desk: {outage_after: 30s}", "desk.outage_after", "at least 1m"},
		{"an answer yesterday", "desk: {answer_days: -1}", "desk.answer_days", "20 working days"},
		{"an unknown HIS", "practices: [{his: {type: medicom}}]", "practices[0].his.type", "choose fhir, folder, medvri"},
		{"a HIS without a place", "practices: [{his: {type: folder}}]", "practices[0].his.path", "directory to file in"},
		{"a FHIR server without an address", "practices: [{his: {type: fhir}}]", "practices[0].his.fhir.url", "give an address"},
		{"an unknown login", "practices: [{his: {type: fhir, fhir: {login: kerberos}}}]", "practices[0].his.fhir.login", "choose basic, bearer, none, oauth2, smart"},
		{"half a login", "practices: [{his: {type: fhir, fhir: {login: smart, secret_file: key.pem, token_url: 'https://a.example', client_id: x}}}]", "practices[0].his.fhir.key_id", "of the kind smart needs it"},
		{"a token's address that is none", "practices: [{his: {type: fhir, fhir: {token_url: a.example}}}]", "practices[0].his.fhir.token_url", "give an address"},
		{"a FHIR server that all on the way can read", "practices: [{his: {type: fhir, fhir: {url: 'http://his.example/fhir'}}}]", "practices[0].his.fhir.url", "must begin with https"},
		{"a login on a network", "practices: [{his: {type: fhir, fhir: {token_url: 'http://10.0.0.5/token'}}}]", "practices[0].his.fhir.token_url", "must begin with https"},
		{"a hook that begins like this machine", "practices: [{his: {type: fhir, fhir: {hook_url: 'http://localhost.example/his'}}}]", "practices[0].his.fhir.hook_url", "must begin with https"},
		{"half a certificate", "practices: [{his: {type: fhir, fhir: {cert_file: a.pem}}}]", "practices[0].his.fhir.cert_key_file", "together"},
		{"a profile of no type", "practices: [{his: {type: fhir, fhir: {profiles: ['https://his.example/message']}}}]", "practices[0].his.fhir.profiles", "no type and profile"},
		{"a profile that is no address", "practices: [{his: {type: fhir, fhir: {profiles: ['Task|work']}}}]", "practices[0].his.fhir.profiles", "no address of a profile"},
		{"a tag without a system", "practices: [{his: {type: fhir, fhir: {tags: [chat]}}}]", "practices[0].his.fhir.tags", "no system and code"},
		{"a spool without addresses", "practices: [{his: {type: medvri, path: a}}]", "practices[0].his.sender", "Edifact addresses"},
		{"two practices in one directory", "practices: [{his: {path: a}}, {his: {path: ./a}}]", "practices[1].his.path", "give each its own"},
		{"a practice without staff", "practices: [{id: eik}]", "practices[0].staff", "nobody would read"},
		{"staff of another server", "staff: [{user: '@a:other.example'}]", "staff[0].user", "no user of our own homeserver"},
		{"a name for a user id", "staff: [{user: fatima}]", "staff[0].user", "no user of our own homeserver"},
		{"the example's staff", "staff: [{user: '@assistent:example.com'}]", "staff[0].user", "still the example's"},
		{"the bot as staff", "staff: [{user: '@spreekkamer:gp.example'}]", "staff[0].user", "the bot itself"},
		{"a person twice", "staff: [{user: '@a:gp.example'}, {user: '@a:gp.example'}]", "staff[1].user", "there twice"},
		{"staff without a name", "staff: [{user: '@a:gp.example'}]", "staff[0].name", "name that patients see"},
		{"a Matrix id for a name", "staff: [{name: '@a:gp.example'}]", "staff[0].name", "letters, spaces"},
		{"a name of a whole line", "staff: [{name: '" + strings.Repeat("a", 41) + "'}]", "staff[0].name", "at most 40"},
		{"an unknown role", "staff: [{role: dokter}]", "staff[0].role", "choose huisarts"},
		{"staff of no practice", "staff: [{practice: eik}]", "staff[0].practice", `no practice "eik"`},
		{"a log that tells all", "log: {level: all}", "log.level", "choose trace"},
		{"a log in XML", "log: {format: xml}", "log.format", "json or console"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(file(t, with(t, tt.changes)))
			var found Mistakes
			require.ErrorAs(t, err, &found)
			require.Contains(t, settings(found), tt.setting, err)
			assert.Contains(t, err.Error(), tt.remedy)
		})
	}
}

func TestOnThisMachineAFHIRServerMayBeWithoutTLS(t *testing.T) {
	for _, address := range []string{"http://127.0.0.1:8080/fhir", "http://127.9.0.1/fhir", "http://[::1]:8080/fhir", "http://localhost/fhir", "https://his.example/fhir"} {
		var found Mistakes
		found.checkFHIR("his.", HIS{FHIR: FHIR{URL: address, HookURL: address}}, nil)
		assert.Empty(t, found, address)
	}
}

func TestASystemIsAskedOnlyForWhatItNeeds(t *testing.T) {
	Connectors["cloud"] = nil // one without a directory
	t.Cleanup(func() { delete(Connectors, "cloud") })
	for kind, want := range map[string][]string{
		"cloud": nil, "folder": {"his.path"}, "medvri": {"his.sender", "his.path"}, "fhir": {"his.fhir.url"}, "fax": {"his.type"},
	} {
		var found Mistakes
		found.checkHIS("his.", HIS{Type: kind}, map[string]bool{})
		assert.Equal(t, want, settings(found), kind)
	}
}

func settings(found Mistakes) (names []string) {
	for _, one := range found {
		names = append(names, one.Setting)
	}
	return names
}

func TestTheUntouchedExampleIsRecognised(t *testing.T) {
	_, err := Load("")
	var found Mistakes
	require.ErrorAs(t, err, &found)
	assert.Equal(t, []string{
		"homeserver.domain", "organisation.name", "organisation.website", "organisation.privacy.url",
		"organisation.terms.url", "practices[0].name", "practices[0].phone", "practices[0].huisartsenpost",
		"staff[0].user",
	}, settings(found))
}

func TestAllMistakesComeAtOnceAndEachSettingOnlyOnce(t *testing.T) {
	_, err := Load(file(t, with(t, "retension: 1\nretention: {messages: soon}\nlanguage: fr\nrelay: {max_file_size: 3}")))
	var found Mistakes
	require.ErrorAs(t, err, &found)
	assert.Equal(t, []string{"retension", "retention.messages", "relay.max_file_size", "language"}, settings(found))
	assert.Contains(t, err.Error(), `"soon" is no period`)
	assert.Contains(t, err.Error(), "max_file_size: is no size")
	assert.Len(t, strings.Split(err.Error(), "\n"), 4)
}

func TestAnEmptyGroupLeavesTheDefaults(t *testing.T) {
	c, err := Load(file(t, with(t, "retention:\nrelay: {}")))
	require.NoError(t, err)
	assert.Equal(t, 30*24*time.Hour, c.Retention.Messages)
	assert.Equal(t, 3*time.Minute, c.Relay.KeyTimeout)
}

func TestTheEnvironmentWinsOverTheFile(t *testing.T) {
	t.Setenv("SPREEKKAMER_RETENTION_MESSAGES", "30s")
	t.Setenv("SPREEKKAMER_HOMESERVER_ALLOWED_SERVERS", "a.example, b.example:8448")
	t.Setenv("SPREEKKAMER_DATABASE_TYPE", "postgres")
	t.Setenv("SPREEKKAMER_DATABASE_URI", "postgres://db/spreekkamer")
	t.Setenv("SPREEKKAMER_ORGANISATION_PRIVACY_VERSION", "2.0")
	t.Setenv("SPREEKKAMER_LANGUAGE", "") // an empty variable is not set
	c, err := Load(file(t, with(t, "retention: {messages: 12h}")))
	require.NoError(t, err)
	assert.Equal(t, 30*time.Second, c.Retention.Messages)
	assert.Equal(t, []string{"a.example", "b.example:8448"}, c.Homeserver.AllowedServers)
	assert.Equal(t, Secret("postgres://db/spreekkamer"), c.Database.URI)
	assert.Equal(t, "2.0", c.Organisation.Privacy.Version)
	assert.Equal(t, "nl", c.Language)
}

func TestAWrongVariableIsNamed(t *testing.T) {
	for _, tt := range []struct{ name, variable, setting string }{
		{"a typing error", "SPREEKKAMER_RETENTION_MESSAGE=1d", "SPREEKKAMER_RETENTION_MESSAGE"},
		{"a list of groups", "SPREEKKAMER_STAFF=me", "SPREEKKAMER_STAFF"},
		{"a group", "SPREEKKAMER_RETENTION=1d", "SPREEKKAMER_RETENTION"},
		{"what Kubernetes sets", "SPREEKKAMER_SERVICE_HOST=10.0.0.1", ""},
		{"what Docker sets", "SPREEKKAMER_PORT_29340_TCP=tcp://10.0.0.1:29340", ""},
		{"somebody else's", "HOME=/", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			settingsOf := map[string]any{}
			require.NoError(t, yaml.Unmarshal([]byte(valid), settingsOf))
			_, err := load(settingsOf, []string{tt.variable})
			if tt.setting == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.setting+": there is no such setting")
		})
	}
}

func TestAFileThatIsNoConfigIsRefused(t *testing.T) {
	for _, tt := range []struct{ name, text, message string }{
		{"no YAML", "a: [", "did not find expected"},
		{"a list", "- a", "cannot unmarshal"},
		{"a word", "hello", "cannot unmarshal"},
		{"a setting twice", "listen: a:1\nlisten: b:1", "already defined"},
		{"two documents", "listen: a:1\n---\nlisten: b:1", "more than one document"},
		{"a film", strings.Repeat("#", maxFile+1), "larger than 1 MB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(file(t, tt.text))
			require.ErrorContains(t, err, tt.message)
			var found Mistakes
			assert.False(t, errors.As(err, &found), "%v", err)
		})
	}
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorContains(t, err, "copy config.example.yaml")
	_, err = Load(t.TempDir())
	require.ErrorContains(t, err, "read the config")
}

func TestAnEmptyFileIsTheExample(t *testing.T) {
	_, want := Load("")
	for _, text := range []string{"", "# only a remark\n", "null\n"} {
		_, err := Load(file(t, text))
		assert.Equal(t, fmt.Sprint(want), fmt.Sprint(err), "%q", text)
	}
}
