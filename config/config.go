// Package config reads Spreekkamer's settings: config.example.yaml for every default, the
// operator's file over it, SPREEKKAMER_* in the environment over both.
//
// Start at Load. Config is a value: it is read once and handed on, and nothing else in the
// program looks at the environment. Files that a setting points to (keys, the registration)
// are not opened here, except the secrets that MasterKey and DatabaseURI read when asked.
package config

import "time"

// Config is all there is to set. The field tags are the names in the file.
type Config struct {
	Homeserver   Homeserver   `mapstructure:"homeserver"`
	Listen       string       `mapstructure:"listen"`       // host:port of our own HTTP server
	Address      string       `mapstructure:"address"`      // URL of it as the homeserver sees it
	Registration string       `mapstructure:"registration"` // path of the registration file
	Bot          Bot          `mapstructure:"bot"`
	Secrets      Secrets      `mapstructure:"secrets"`
	Database     Database     `mapstructure:"database"`
	Language     string       `mapstructure:"language"` // nl or en
	Organisation Organisation `mapstructure:"organisation"`
	Practices    []Practice   `mapstructure:"practices"`
	Staff        []Staff      `mapstructure:"staff"`
	Desk         Desk         `mapstructure:"desk"`
	Retention    Retention    `mapstructure:"retention"`
	Relay        Relay        `mapstructure:"relay"`
	Limits       Limits       `mapstructure:"limits"`
	Log          Log          `mapstructure:"log"`
}

// Homeserver is the server on which the bot and the staff live.
type Homeserver struct {
	URL            string   `mapstructure:"url"`
	Domain         string   `mapstructure:"domain"`
	AllowedServers []string `mapstructure:"allowed_servers"` // besides Domain; "*" = every server
}

// Bot is the account that speaks for the organisation.
type Bot struct {
	Localpart   string `mapstructure:"localpart"`
	DisplayName string `mapstructure:"display_name"`
}

// Secrets are the keys outside the database; read the master key with Config.MasterKey.
type Secrets struct {
	Key             Secret `mapstructure:"key"`
	KeyFile         string `mapstructure:"key_file"`
	RecoveryKeyFile string `mapstructure:"recovery_key_file"`
}

// Database is where the state is kept; read the address with Config.DatabaseURI.
type Database struct {
	Type    string `mapstructure:"type"` // SQLite or Postgres
	URI     Secret `mapstructure:"uri"`
	URIFile string `mapstructure:"uri_file"`
}

// The values of Database.Type.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Organisation is the controller of the processing, GDPR art. 4(7).
type Organisation struct {
	Name    string   `mapstructure:"name"`
	Website string   `mapstructure:"website"`
	Privacy Document `mapstructure:"privacy"`
	Terms   Document `mapstructure:"terms"`
}

// Document is a text that people agree with: where it stands and which version it is.
type Document struct {
	URL     string `mapstructure:"url"`
	Version string `mapstructure:"version"`
	Date    string `mapstructure:"date"` // 2006-01-02
}

// Practice is one GP practice of the organisation.
type Practice struct {
	ID             string     `mapstructure:"id"`
	Name           string     `mapstructure:"name"`
	Phone          string     `mapstructure:"phone"`
	EmergencyPhone string     `mapstructure:"emergency_phone"` // "" = none
	Huisartsenpost string     `mapstructure:"huisartsenpost"`
	AGB            string     `mapstructure:"agb"` // "" = not known
	Postcodes      []Postcode `mapstructure:"postcodes"`
	Hours          []string   `mapstructure:"hours"`    // as care.ParseBlock reads them
	Closed         []string   `mapstructure:"closed"`   // as care.ParsePeriod reads them
	Holidays       []string   `mapstructure:"holidays"` // care.ExtraHoliday
	HIS            HIS        `mapstructure:"his"`
	CRM            HIS        `mapstructure:"crm"`
	Filing         Filing     `mapstructure:"filing"`
}

// HIS tells which connector files a practice's messages, and where.
type HIS struct {
	Type string `mapstructure:"type"` // one of Connectors
	Path string `mapstructure:"path"` // folder and medvri: where the files go
	FHIR FHIR   `mapstructure:"fhir"`

	Sender   string `mapstructure:"sender"`   // medvri: our Edifact address
	Receiver string `mapstructure:"receiver"` // medvri: the HIS's
}

// FHIR is a FHIR R4 server, and how we log in there.
type FHIR struct {
	URL           string   `mapstructure:"url"`
	Login         string   `mapstructure:"login"`          // what each needs: logins
	ClientID      string   `mapstructure:"client_id"`      // basic: user; oauth2, smart: client
	SecretFile    string   `mapstructure:"secret_file"`    // password, token, client secret or private key
	TokenURL      string   `mapstructure:"token_url"`      // oauth2, smart
	Scope         string   `mapstructure:"scope"`          // oauth2, smart
	KeyID         string   `mapstructure:"key_id"`         // smart
	CAFile        string   `mapstructure:"ca_file"`        // "" = the system's certificates
	CertFile      string   `mapstructure:"cert_file"`      // "" = we show none
	CertKeyFile   string   `mapstructure:"cert_key_file"`  // the key of cert_file
	PatientSystem string   `mapstructure:"patient_system"` // "" = not known
	MakePatients  bool     `mapstructure:"make_patients"`
	NLCore        bool     `mapstructure:"nl_core"`
	Profiles      []string `mapstructure:"profiles"` // type|address
	Tags          []string `mapstructure:"tags"`     // system|code
	HookURL       string   `mapstructure:"hook_url"` // "" = the HIS is polled
}

// Filing tells what is filed of a conversation, and when.
type Filing struct {
	When     string        `mapstructure:"when"`      // FileMessages or FileClosing; "" = FileMessages
	AskEvery time.Duration `mapstructure:"ask_every"` // for answers; 0 = 30 s
	Consult  Consult       `mapstructure:"consult"`
}

// The values of Filing.When.
const (
	FileMessages = "messages"
	FileClosing  = "closing"
)

// Consult is as what a conversation about care counts, in the codes of the HIS.
type Consult struct {
	System  string `mapstructure:"system"` // a URI
	Code    string `mapstructure:"code"`   // "" = not said
	Display string `mapstructure:"display"`
}

// Staff is one person who answers patients or runs the service.
type Staff struct {
	User     string `mapstructure:"user"`
	Name     string `mapstructure:"name"`
	Role     string `mapstructure:"role"`
	Practice string `mapstructure:"practice"`
}

// Desk is about what patients may expect of the practice.
type Desk struct {
	AnswerDays  int           `mapstructure:"answer_days"`  // working days; 0 = no promise
	OutageAfter time.Duration `mapstructure:"outage_after"` // away for longer is told; 0 = never
	RemindAfter time.Duration `mapstructure:"remind_after"` // who does not answer is reminded; 0 = never
}

// Retention holds how long things may stay. The calendar-month rule on top of it is care's.
type Retention struct {
	Messages time.Duration `mapstructure:"messages"`
}

// Limits are what one person or server may ask of us; 0 = as much as they want.
type Limits struct {
	Messages          int `mapstructure:"messages"`           // of one patient in a minute
	Invitations       int `mapstructure:"invitations"`        // of one user in an hour
	ServerInvitations int `mapstructure:"server_invitations"` // of one homeserver's strangers in a minute
}

// The values of Relay.UnsignedDevices.
const (
	Pass = "pass"
	Hold = "hold"
)

// Relay is about passing messages on.
type Relay struct {
	KeyTimeout  time.Duration `mapstructure:"key_timeout"`
	MaxFileSize Bytes         `mapstructure:"max_file_size"`
	SentMark    bool          `mapstructure:"sent_mark"`
	FiledMark   bool          `mapstructure:"filed_mark"`
	// UnsignedDevices says what happens with what a device sends that its owner has not verified.
	UnsignedDevices string `mapstructure:"unsigned_devices"` // Pass or Hold
	// Files by their type (text/html, audio/*) or by the end of their name (.exe).
	RefusedFiles []string `mapstructure:"refused_files"`
	AllowedFiles []string `mapstructure:"allowed_files"` // empty = all that are not refused
	MaxPixels    int      `mapstructure:"max_pixels"`    // of a picture, all frames together
	Clamd        string   `mapstructure:"clamd"`         // unix:PATH or tcp:HOST:PORT; "" = no virus scanner
}

// Log is about what the program tells of itself.
type Log struct {
	Level  string `mapstructure:"level"`
	Format string `mapstructure:"format"`
}
