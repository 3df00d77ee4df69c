package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
)

// Connectors are the values of his.type: the kinds that package his knows (a test compares them),
// with what looks at the settings that each needs. used are the directories of others.
var Connectors = map[string][]func(m *Mistakes, at string, h HIS, used map[string]bool){
	"folder": {(*Mistakes).checkPath},
	"fhir":   {(*Mistakes).checkFHIR},
	"medvri": {(*Mistakes).checkEdifact, (*Mistakes).checkPath},
}

// logins are the values of his.fhir.login, with what each needs beside it.
var logins = map[string][]string{
	"none":   nil,
	"basic":  {"client_id", "secret_file"},
	"bearer": {"secret_file"},
	"oauth2": {"client_id", "secret_file", "token_url"},
	"smart":  {"client_id", "secret_file", "token_url", "key_id"},
}

// roles are the values of a staff member's role (F8).
var roles = []string{"huisarts", "doktersassistent", "praktijkondersteuner", "beheer", "servicedesk"}

func (c Config) checkPractices(found *Mistakes) {
	found.want(len(c.Practices) > 0, "practices", "give at least one practice")
	ids, paths := map[string]bool{}, map[string]bool{}
	for i, p := range c.Practices {
		at := fmt.Sprintf("practices[%d].", i)
		found.want(idForm.MatchString(p.ID), at+"id",
			"use small letters, digits and hyphens, at most 32, beginning with a letter or digit")
		found.want(!ids[p.ID], at+"id", "%s is there twice: give each practice its own id", p.ID)
		found.checkOwn(at+"name", p.Name, func(e Config) string { return e.Practices[0].Name })
		found.checkPhones(at, p)
		found.want(p.AGB == "" || agbForm.MatchString(p.AGB), at+"agb", "give eight digits between quotes, or \"\"")
		found.checkPostcodes(at+"postcodes", p.Postcodes)
		found.checkHours(at, p)
		found.checkHIS(at+"his.", p.HIS, paths)
		if p.CRM.Type != "" {
			found.checkHIS(at+"crm.", p.CRM, paths)
		}
		found.checkFiling(at+"filing.", p.Filing)
		ids[p.ID] = true
		found.want(slices.ContainsFunc(c.Staff, func(s Staff) bool { return s.Practice == p.ID }), at+"staff",
			"nobody would read what patients write: give practice %q at least one person under staff", p.ID)
	}
}

func (m *Mistakes) checkFiling(at string, f Filing) {
	whens := []string{FileMessages, FileClosing}
	m.want(f.When == "" || slices.Contains(whens, f.When), at+"when", "choose %s", strings.Join(whens, ", "))
	m.want(f.AskEvery == 0 || f.AskEvery >= time.Second && f.AskEvery <= time.Hour, at+"ask_every", "give 1s to 1h")
	m.want((f.Consult.System == "") == (f.Consult.Code == ""), at+"consult.code", "a code and its system belong together")
}

func (m *Mistakes) checkHIS(at string, h HIS, used map[string]bool) {
	checks, known := Connectors[h.Type]
	m.want(known, at+"type", "choose %s", strings.Join(slices.Sorted(maps.Keys(Connectors)), ", "))
	for _, check := range checks {
		check(m, at, h, used)
	}
}

func (m *Mistakes) checkEdifact(at string, h HIS, _ map[string]bool) {
	m.want(h.Sender != "" && h.Receiver != "", at+"sender", "give the Edifact addresses of the sender and the receiver")
}

func (m *Mistakes) checkPath(at string, h HIS, used map[string]bool) {
	path := filepath.Clean(h.Path)
	m.want(h.Path != "", at+"path", "give the directory to file in")
	m.want(!used[path], at+"path", "two practices would file in the same directory: give each its own")
	used[path] = true
}

func (m *Mistakes) checkFHIR(at string, h HIS, _ map[string]bool) {
	f, at := h.FHIR, at+"fhir."
	m.checkSafeURL(at+"url", f.URL)
	needs, known := logins[cmp.Or(f.Login, "none")]
	m.want(known, at+"login", "choose %s", strings.Join(slices.Sorted(maps.Keys(logins)), ", "))
	given := map[string]string{"client_id": f.ClientID, "secret_file": f.SecretFile, "token_url": f.TokenURL, "key_id": f.KeyID}
	for _, name := range needs {
		m.want(given[name] != "", at+name, "a login of the kind %s needs it", f.Login)
	}
	for setting, address := range map[string]string{"token_url": f.TokenURL, "hook_url": f.HookURL} {
		if address != "" {
			m.checkSafeURL(at+setting, address)
		}
	}
	m.want((f.CertFile == "") == (f.CertKeyFile == ""), at+"cert_key_file", "give a certificate and its key together")
	for _, profile := range f.Profiles {
		kind, address, two := strings.Cut(profile, "|")
		at := at + "profiles"
		m.want(two && resourceForm.MatchString(kind), at, "%q is no type and profile such as Communication|https://his.example/message", profile)
		u, err := url.Parse(address)
		m.want(err == nil && (!two || u.IsAbs()), at, "%q is no address of a profile", address)
	}
	for _, tag := range f.Tags {
		system, code, two := strings.Cut(tag, "|")
		m.want(two && system != "" && code != "", at+"tags", "%q is no system and code such as https://his.example/tags|chat", tag)
	}
}

func (m *Mistakes) checkPhones(at string, p Practice) {
	m.checkOwn(at+"phone", p.Phone, func(e Config) string { return e.Practices[0].Phone })
	m.checkOwn(at+"huisartsenpost", p.Huisartsenpost, func(e Config) string { return e.Practices[0].Huisartsenpost })
	m.checkPhone(at+"phone", p.Phone)
	m.checkPhone(at+"huisartsenpost", p.Huisartsenpost)
	if p.EmergencyPhone != "" {
		m.checkPhone(at+"emergency_phone", p.EmergencyPhone)
	}
}

// checkPhone looks at the form alone: numbers of 0800 and 0900 are fine for a practice.
func (m *Mistakes) checkPhone(setting, number string) {
	digits := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(number)
	m.want(phoneForm.MatchString(digits), setting, `give a number such as "020 123 4567" or "+31 20 123 4567"`)
}

func (m *Mistakes) checkHours(at string, p Practice) {
	for _, of := range []struct {
		setting                string
		hours, closed, holiday []string
	}{{"hours", p.Hours, nil, nil}, {"closed", nil, p.Closed, nil}, {"holidays", nil, nil, p.Holidays}} {
		if _, err := care.HoursOf(of.hours, of.closed, of.holiday); err != nil {
			m.add(at+of.setting, "%s", err)
		}
	}
}

func (m *Mistakes) checkPostcodes(setting string, codes []Postcode) {
	seen := map[Postcode]bool{}
	for _, code := range codes {
		m.want(postcodeForm.MatchString(string(code)), setting, "%q is no postcode such as 1234 or 1234 AB", string(code))
		m.want(!seen[code], setting, "%s is there twice: leave one", code)
		seen[code] = true
	}
}

func (c Config) checkStaff(found *Mistakes) {
	users := map[string]bool{}
	for i, s := range c.Staff {
		at := fmt.Sprintf("staff[%d].", i)
		found.checkOwn(at+"user", s.User, func(e Config) string { return e.Staff[0].User })
		// Split at the first colon: a server name may hold a port.
		localpart, server, _ := strings.Cut(strings.TrimPrefix(s.User, "@"), ":")
		found.want(strings.HasPrefix(s.User, "@") && localpart != "" && server == c.Homeserver.Domain, at+"user",
			"%q is no user of our own homeserver such as @fatima:%s", s.User, c.Homeserver.Domain)
		found.want(localpart != c.Bot.Localpart, at+"user", "is the bot itself: give a person's account")
		found.want(!users[s.User], at+"user", "%s is there twice: a person works in one practice", s.User)
		users[s.User] = true
		_, err := care.StaffName(s.Name)
		found.want(strings.TrimSpace(s.Name) != "", at+"name", "give the name that patients see")
		found.want(err == nil, at+"name", "%v", err)
		found.want(slices.Contains(roles, s.Role), at+"role", "choose %s", strings.Join(roles, ", "))
		found.want(slices.ContainsFunc(c.Practices, func(p Practice) bool { return p.ID == s.Practice }), at+"practice",
			"there is no practice %q under practices", s.Practice)
	}
}
