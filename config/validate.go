package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
)

// The forms of names and numbers. Server names and user ids follow the Matrix specification,
// appendix "Identifier grammar"; a bot keeps to the strict set.
var (
	serverForm    = regexp.MustCompile(`^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,255})(:\d{1,5})?$`)
	localpartForm = regexp.MustCompile(`^[a-z0-9._=/+-]{1,100}$`)
	idForm        = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	postcodeForm  = regexp.MustCompile(`^[1-9][0-9]{3}([A-Z]{2})?$`)
	resourceForm  = regexp.MustCompile(`^[A-Z][A-Za-z]+$`)
	agbForm       = regexp.MustCompile(`^[0-9]{8}$`)
	fileForm      = regexp.MustCompile(`^(\.[a-z0-9]{1,15}|[a-z]+/([a-z0-9.+-]+|\*))$`)
	clamdForm     = regexp.MustCompile(`^(unix:/.+|tcp:.+:\d{1,5})$`)
	phoneForm     = regexp.MustCompile(`^(\+|0)[0-9]{6,14}$`)
)

var exampleOnce = sync.OnceValues(Example)

// Validate names everything that is wrong, not only the first thing. The error is a Mistakes.
func (c Config) Validate() error {
	var found Mistakes
	c.validate(&found)
	return found.err()
}

func (c Config) validate(found *Mistakes) {
	c.checkServer(found)
	c.checkBot(found)
	c.checkSecrets(found)
	c.checkOrganisation(found)
	c.checkPractices(found)
	c.checkStaff(found)
	c.checkLimits(found)
}

func (c Config) checkServer(found *Mistakes) {
	found.checkURL("homeserver.url", c.Homeserver.URL)
	found.checkOwn("homeserver.domain", c.Homeserver.Domain, func(e Config) string { return e.Homeserver.Domain })
	found.want(serverForm.MatchString(c.Homeserver.Domain), "homeserver.domain",
		"give the server's name, as it stands after the colon in its user ids")
	for _, server := range c.Homeserver.AllowedServers {
		found.want(server == "*" || serverForm.MatchString(server), "homeserver.allowed_servers",
			"%q is no server name such as huisarts.example", server)
		found.want(server != "*" || len(c.Homeserver.AllowedServers) == 1, "homeserver.allowed_servers",
			`"*" lets everyone in: leave out the others, or leave out "*"`)
	}
	host, port, err := net.SplitHostPort(c.Listen)
	number, portErr := strconv.ParseUint(port, 10, 16)
	found.want(err == nil && portErr == nil && number > 0 && !strings.Contains(host, "/"), "listen",
		"give an address and a port such as 127.0.0.1:29340")
	found.checkURL("address", c.Address)
	found.want(c.Registration != "", "registration", "give the name of the registration file")
}

func (c Config) checkBot(found *Mistakes) {
	found.want(localpartForm.MatchString(c.Bot.Localpart), "bot.localpart",
		"use small letters, digits and . _ = - / + only, without @ and without the server")
	found.want(c.Bot.DisplayName != "" && len(c.Bot.DisplayName) <= 100, "bot.display_name",
		"give the name that people see, at most 100 bytes")
}

func (c Config) checkSecrets(found *Mistakes) {
	s := c.Secrets
	if s.Key != "" {
		_, err := decodeKey(string(s.Key))
		found.want(err == nil, "secrets.key", "is not 32 bytes in base64: make a key with `spreekkamer keys`")
	}
	found.want(s.Key != "" || s.KeyFile != "", "secrets.key_file", "give the name of the master key's file")
	found.want(s.RecoveryKeyFile != "", "secrets.recovery_key_file", "give the name of the recovery key's file")
	found.want(s.RecoveryKeyFile != s.KeyFile, "secrets.recovery_key_file", "must be another file than key_file")
	found.want(slices.Contains([]string{SQLite, Postgres}, c.Database.Type), "database.type",
		"choose sqlite or postgres")
	if c.Database.URIFile == "" {
		found.checkURI("database.uri", c.Database.Type, string(c.Database.URI))
	}
}

// checkURI never repeats the address: a password may be in it.
func (m *Mistakes) checkURI(setting, kind, uri string) {
	m.want(uri != "", setting, "give the database's file or address")
	isPostgres := strings.HasPrefix(uri, "postgres://") || strings.HasPrefix(uri, "postgresql://")
	if kind == Postgres {
		m.want(isPostgres, setting, "give an address that begins with postgres://")
		return
	}
	m.want(!isPostgres, setting, "is an address of PostgreSQL: set database.type to postgres")
	m.want(!strings.Contains(uri, ":memory:") && !strings.Contains(uri, "mode=memory"), setting,
		"must be a file: what is only in memory is lost at a restart")
}

func (c Config) checkOrganisation(found *Mistakes) {
	o := c.Organisation
	found.checkOwn("organisation.name", o.Name, func(e Config) string { return e.Organisation.Name })
	found.checkOwn("organisation.website", o.Website, func(e Config) string { return e.Organisation.Website })
	found.checkURL("organisation.website", o.Website)
	found.checkOwn("organisation.privacy.url", o.Privacy.URL, func(e Config) string { return e.Organisation.Privacy.URL })
	found.checkDocument("organisation.privacy", o.Privacy)
	found.checkOwn("organisation.terms.url", o.Terms.URL, func(e Config) string { return e.Organisation.Terms.URL })
	found.checkDocument("organisation.terms", o.Terms)
	found.want(slices.Contains([]string{"nl", "en"}, c.Language), "language", "choose nl or en")
}

func (m *Mistakes) checkDocument(setting string, d Document) {
	m.checkURL(setting+".url", d.URL)
	m.want(d.Version != "", setting+".version", "give the version that people agree with")
	_, err := time.Parse(time.DateOnly, d.Date)
	m.want(err == nil, setting+".date", "give a date such as \"2026-01-01\"")
}

// checkOwn recognises what nobody can leave as the example has it.
func (m *Mistakes) checkOwn(setting, value string, of func(Config) string) {
	example, err := exampleOnce()
	m.want(err != nil || value != of(example), setting, "is still the example's: give your own")
	m.want(strings.TrimSpace(value) != "", setting, "must be given")
}

func (m *Mistakes) checkURL(setting, value string) {
	u, err := url.Parse(value)
	ok := err == nil && u.Hostname() != "" && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil
	m.want(ok, setting, "give an address such as https://huisarts.example, without a password in it")
	if ok {
		ip, err := netip.ParseAddr(u.Hostname())
		m.want(err != nil || !ip.IsUnspecified(), setting,
			"%s is no place to go to: give a name or an address that can be reached", u.Hostname())
	}
}

// checkSafeURL is for what carries a record or a login: nobody on the way may read along.
func (m *Mistakes) checkSafeURL(setting, value string) {
	m.checkURL(setting, value)
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" {
		return
	}
	ip, err := netip.ParseAddr(u.Hostname())
	m.want(u.Hostname() == "localhost" || err == nil && ip.IsLoopback(), setting,
		"must begin with https://: only on this machine itself (localhost) is http safe")
}

func (c Config) checkLimits(found *Mistakes) {
	found.want(c.Retention.Messages > 0, "retention.messages",
		"must be more than nothing: messages have to exist long enough to be answered")
	found.want(c.Retention.Messages <= care.MaxRetention, "retention.messages",
		"30d is the longest: what matters for care is in the HIS by then")
	found.want(c.Desk.AnswerDays >= 0 && c.Desk.AnswerDays <= 20, "desk.answer_days",
		"give between 0 (no promise) and 20 working days")
	found.want(c.Desk.OutageAfter == 0 || c.Desk.OutageAfter >= time.Minute, "desk.outage_after",
		"give at least 1m, or 0s to say nothing")
	found.want(c.Desk.RemindAfter == 0 || c.Desk.RemindAfter >= time.Minute && c.Desk.RemindAfter <= 24*time.Hour, "desk.remind_after",
		"give between 1m and 24h, such as 1h, or 0s to remind nobody")
	found.want(c.Relay.KeyTimeout >= time.Second && c.Relay.KeyTimeout <= time.Hour, "relay.key_timeout",
		"give between 1s and 1h, such as 3m")
	found.want(slices.Contains([]string{Pass, Hold}, c.Relay.UnsignedDevices), "relay.unsigned_devices",
		"choose pass or hold")
	found.want(c.Relay.MaxFileSize >= 1000 && c.Relay.MaxFileSize <= 100e6, "relay.max_file_size",
		"give between 1kB and 100MB, such as 25MB")
	for setting, list := range map[string][]string{"relay.refused_files": c.Relay.RefusedFiles, "relay.allowed_files": c.Relay.AllowedFiles} {
		for _, entry := range list {
			found.want(fileForm.MatchString(entry), setting, "%q is no type such as text/html or audio/*, and no end of a name such as .exe", entry)
		}
	}
	for setting, n := range map[string]int{"messages": c.Limits.Messages, "invitations": c.Limits.Invitations, "server_invitations": c.Limits.ServerInvitations} {
		found.want(n >= 0 && n <= 10_000, "limits."+setting, "give a number up to 10000; 0 is no limit")
	}
	found.want(c.Relay.MaxPixels >= 1e6 && c.Relay.MaxPixels <= 1e9, "relay.max_pixels", "give between 1000000 and 1000000000")
	found.want(c.Relay.Clamd == "" || clamdForm.MatchString(c.Relay.Clamd), "relay.clamd",
		"give unix:/run/clamav/clamd.ctl or tcp:127.0.0.1:3310, or \"\" for no scanner")
	found.want(slices.Contains([]string{"trace", "debug", "info", "warn", "error"}, c.Log.Level), "log.level",
		"choose trace, debug, info, warn or error")
	found.want(slices.Contains([]string{"json", "console"}, c.Log.Format), "log.format", "choose json or console")
}
