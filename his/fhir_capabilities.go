package his

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// capabilities are what a server says it can do.
type capabilities struct {
	told         bool // there was a CapabilityStatement
	version      string
	transactions bool
	types        map[string]ability // by resource type; none when the server does not tell
	deaf         bool               // it tells what can be done with patients, and searching is not in it
}

// ability is what a server can do with one type.
type ability struct {
	create   bool // conditional create
	update   bool // conditional update
	clientID bool // PUT under an id of ours
}

// everything is what is believed of a server that tells nothing: the first item shows.
var everything = ability{create: true, update: true, clientID: true}

func (c *capabilities) of(kind string) (a ability, has bool) {
	if len(c.types) == 0 {
		return everything, true
	}
	a, has = c.types[kind]
	return a, has
}

// puts says that a resource can be put under an id of ours.
func (c *capabilities) puts(kind string) bool {
	a, has := c.of(kind)
	return has && a.clientID
}

// spared are the types that a record is still right without: what they say is said in words, or by an
// identifier alone.
var spared = []string{"PractitionerRole", "RelatedPerson", "Consent"}

// lacking are those of them that the server does not keep, and Device.
func (c *capabilities) lacking() (none []string) {
	for _, kind := range spared {
		if _, has := c.of(kind); !has {
			none = append(none, kind)
		}
	}
	if !c.keepsDevices() {
		none = append(none, "Device")
	}
	return none
}

// keepsDevices says that a Device can be made, and none twice.
func (c *capabilities) keepsDevices() bool {
	a, has := c.of("Device")
	return has && (a.create || !c.transactions)
}

// transacts says that a Bundle can be posted as a transaction: the server does them, and makes nothing in it
// twice. The entries of another one go one by one.
func (c *capabilities) transacts(b fhir.Bundle) bool {
	return c.transactions && !slices.ContainsFunc(b.Entry, func(e fhir.Entry) bool {
		a, _ := c.of(e.Resource.Kind())
		return e.Request.IfNoneExist != "" && !a.create || strings.Contains(e.Request.URL, "?") && !a.update
	})
}

// needed are the types without which there is no record of a conversation.
var needed = []string{"Patient", "Organization", "Practitioner", "Task", "Communication", "DocumentReference"}

func (c *capabilities) enough() error {
	if c.told && !strings.HasPrefix(c.version, "4.") {
		return fmt.Errorf("the FHIR server does not suit: it speaks FHIR %.10q, and we speak 4.0.1", c.version)
	}
	var missing []string
	for _, kind := range needed {
		if _, has := c.of(kind); !has {
			missing = append(missing, kind)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the FHIR server does not suit: it has no %s", strings.Join(missing, ", "))
	}
	return nil
}

// statement is the part of a CapabilityStatement that is used.
type statement struct {
	ResourceType string `json:"resourceType"`
	FHIRVersion  string `json:"fhirVersion"`
	Rest         []struct {
		Mode        string `json:"mode"`
		Interaction []struct {
			Code string `json:"code"`
		} `json:"interaction"`
		Resource []struct {
			Type              string `json:"type"`
			UpdateCreate      *bool  `json:"updateCreate"`
			ConditionalCreate *bool  `json:"conditionalCreate"`
			ConditionalUpdate *bool  `json:"conditionalUpdate"`
			Interaction       []struct {
				Code string `json:"code"`
			} `json:"interaction"`
		} `json:"resource"`
	} `json:"rest"`
}

// capabilities reads the statement at the start and from time to time. A server that has
// none is believed to do all; one that cannot be asked now is an error.
func (s *fhirServer) capabilities(ctx context.Context) (*capabilities, error) {
	if known := s.known(); known != nil {
		return known, nil
	}
	unlock, err := s.busy.lock(ctx, "capabilities") // one question is enough: it is a long answer
	if err != nil {
		return nil, err
	}
	defer unlock()
	if known := s.known(); known != nil {
		return known, nil
	}
	s.mu.Lock()
	before := s.can
	s.mu.Unlock()
	var said statement
	err = s.get(ctx, "metadata", &said)
	if err != nil && (!errors.Is(err, rest.CodeMissing) || before != nil && before.told) { // it had one
		if before != nil {
			return before, nil // what it could do an hour ago
		}
		return nil, fmt.Errorf("what it can do: %w", err)
	}
	can := said.capabilities()
	if can.enough() != nil {
		return can, nil // it is asked again the next time: somebody may have mended it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.can, s.read = can, time.Now()
	return can, nil
}

// suitable are the capabilities of a server in which a record can be kept. Of another one nothing is
// asked but what it can do, and nothing is sent there; what is to be filed waits.
func (s *fhirServer) suitable(ctx context.Context) (*capabilities, error) {
	can, err := s.capabilities(ctx)
	if err == nil {
		err = can.enough()
	}
	return can, err
}

// known is nil when the statement has to be read.
func (s *fhirServer) known() *capabilities {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.can == nil || time.Since(s.read) >= recheck {
		return nil
	}
	return s.can
}

// keeps says that the server has a type, as far as is known.
func (s *fhirServer) keeps(kind string) bool {
	can := s.known()
	if can == nil {
		return true
	}
	_, has := can.of(kind)
	return has
}

func (said statement) capabilities() *capabilities {
	if said.ResourceType != "CapabilityStatement" || len(said.Rest) == 0 {
		return &capabilities{transactions: true}
	}
	server := said.Rest[0]
	c := &capabilities{told: true, version: said.FHIRVersion, types: map[string]ability{}}
	for _, i := range server.Interaction {
		c.transactions = c.transactions || i.Code == "transaction"
	}
	for _, r := range server.Resource {
		c.types[r.Type] = ability{
			create: is(r.ConditionalCreate, false), update: is(r.ConditionalUpdate, false),
			clientID: is(r.UpdateCreate, true), // many that can do it do not say so
		}
		var does []string
		for _, i := range r.Interaction {
			does = append(does, i.Code)
		}
		if r.Type == "Patient" && len(does) > 0 {
			c.deaf = !slices.Contains(does, "search-type")
		}
	}
	// What every Bundle has must not be made twice; of the rest each Bundle is looked at.
	c.transactions = c.transactions && !slices.ContainsFunc(needed, func(kind string) bool { return !c.types[kind].create })
	return c
}

func is(said *bool, otherwise bool) bool {
	if said == nil {
		return otherwise
	}
	return *said
}

// decode reads JSON that came from outside. nil takes nothing.
func decode(body []byte, into any) error {
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &rest.Error{Status: 200, Code: rest.CodeNotFHIR}
	}
	return nil
}
