package app

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/spreekkamer/spreekkamer/config"
)

// Registration is the file that the homeserver and we share: who we are to each other, and
// which names are ours. The form is the Matrix specification's, Application Service API,
// "Registration".
type Registration struct {
	ID              string     `yaml:"id"`
	URL             string     `yaml:"url"`
	ASToken         string     `yaml:"as_token"`         // ours, towards the homeserver
	HSToken         string     `yaml:"hs_token"`         // the homeserver's, towards us
	SenderLocalpart string     `yaml:"sender_localpart"` // not the bot: Synapse refuses /sync to this user
	RateLimited     bool       `yaml:"rate_limited"`
	Namespaces      Namespaces `yaml:"namespaces"`
	// MSC4190 lets Synapse servers before it was always on make the bot's device with our token.
	MSC4190 bool `yaml:"io.element.msc4190"`
}

// Namespaces are the names that only we may use. All three are written, also when empty:
// Dendrite stops without them.
type Namespaces struct {
	Users   []Namespace `yaml:"users"`
	Aliases []Namespace `yaml:"aliases"`
	Rooms   []Namespace `yaml:"rooms"`
}

// Namespace is one pattern of names.
type Namespace struct {
	Exclusive bool   `yaml:"exclusive"`
	Regex     string `yaml:"regex"`
}

// NewRegistration makes a registration with fresh tokens.
func NewRegistration(c config.Config) Registration {
	domain := regexp.QuoteMeta(c.Homeserver.Domain)
	return Registration{
		ID:              "spreekkamer",
		URL:             c.Address,
		ASToken:         secret(32),
		HSToken:         secret(32),
		SenderLocalpart: "spreekkamer-" + secret(8),
		Namespaces: Namespaces{
			Users:   []Namespace{{true, "^@" + regexp.QuoteMeta(c.Bot.Localpart) + ":" + domain + "$"}},
			Aliases: []Namespace{{true, "^#spreekkamer_.*:" + domain + "$"}},
			Rooms:   []Namespace{},
		},
		MSC4190: true,
	}
}

func secret(size int) string {
	b := make([]byte, size)
	rand.Read(b) // never fails, see its documentation
	return hex.EncodeToString(b)
}

// ReadRegistration reads the file. os.ErrNotExist is in the error when there is none.
func ReadRegistration(path string) (Registration, error) {
	var r Registration
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("registration: %w: make it with `spreekkamer registration --write`", err)
	}
	if err != nil {
		return r, fmt.Errorf("registration: %w", err)
	}
	if err := yaml.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("registration %s: %w", path, err)
	}
	return r, nil
}

// LoadRegistration reads the registration that the settings name and checks that they fit.
func LoadRegistration(c config.Config) (Registration, error) {
	r, err := ReadRegistration(c.Registration)
	if err != nil {
		return r, err
	}
	if err := r.Fits(c); err != nil {
		return r, fmt.Errorf("registration %s: %w", c.Registration, err)
	}
	return r, nil
}

// Fits names everything in the registration that does not go with the settings, for instance
// because the bot got another name after the registration was made.
func (r Registration) Fits(c config.Config) error {
	var wrong []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	want(r.ID != "", "id is missing")
	want(r.ASToken != "" && r.HSToken != "", "as_token or hs_token is missing")
	want(r.ASToken != r.HSToken, "as_token and hs_token must differ")
	want(r.URL == c.Address, "url is %q and the setting address is %q: make them the same", r.URL, c.Address)
	want(r.SenderLocalpart != "" && r.SenderLocalpart != c.Bot.Localpart,
		"sender_localpart must be another name than the bot's: Synapse refuses /sync to it")
	bot := "@" + c.Bot.Localpart + ":" + c.Homeserver.Domain
	want(r.owns(bot), "no exclusive namespace under users holds %s", bot)
	return errors.Join(wrong...)
}

func (r Registration) owns(user string) bool {
	for _, n := range r.Namespaces.Users {
		if ok, err := regexp.MatchString(n.Regex, user); err == nil && ok && n.Exclusive {
			return true
		}
	}
	return false
}

// YAML gives the file as it is written, with a word on what it is.
func (r Registration) YAML() ([]byte, error) {
	text, err := yaml.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write the registration as YAML: %w", err)
	}
	const about = "# Made by `spreekkamer registration`. The homeserver and Spreekkamer read this same file;\n" +
		"# keep it secret: with as_token one can do all that the bot can.\n"
	return append([]byte(about), text...), nil
}

// Write makes the file, readable only for its owner. It never replaces one: the homeserver
// may be using its tokens.
func (r Registration) Write(path string) error {
	text, err := r.YAML()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the registration: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the registration: %w", err)
	}
	return nil
}
