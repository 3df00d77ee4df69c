package his

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// fhirServer files in a FHIR R4 server: one transaction for each item. Servers differ in
// what they can do; what this one can is read from its CapabilityStatement
// (fhir_capabilities.go), and the Bundle is made to suit it (fhir_adapt.go). One without
// transactions gets the same resources one by one (fhir_single.go).
//
// That an item is there exactly once rests on three things. What is filed has an identity
// of its own, so that sending it again changes nothing. One item at a time is filed for a
// patient, since many servers make doubles when two that are alike come at once. And when
// it is not known what became of an earlier try, the server is asked first: the item's
// Provenance is there if, and only if, all of it is.
type fhirServer struct {
	client   *rest.Client
	settings FHIR
	busy     locks

	mu       sync.Mutex
	can      *capabilities
	read     time.Time               // when can was read
	settled  map[uuid.UUID]bool      // conversations of which no try is in doubt
	patients map[uuid.UUID]time.Time // patients whom the server had then, by how they are looked for
	looks    int                     // how often answers were asked for
	tells    bool                    // it has said 201 of something new: not every server does

	hook hook
}

// recheck is how long a CapabilityStatement is believed.
const recheck = time.Hour

// mostSettled bounds what is remembered; forgetting costs one question each.
const mostSettled = 10_000

// FHIR are the settings of the fhir connector.
type FHIR struct {
	rest.Settings

	// PatientSystem is the identifier system of the HIS's own patient numbers. With it a
	// patient without a BSN is found by that number; without it, only by ours.
	PatientSystem string
	// MakePatients lets a patient be made whom the server does not have. Else what is about them
	// is refused: a second record of one person is a danger.
	MakePatients bool
	NLCore       bool          // says of what we send that it follows the nl-core profiles
	Tags         []fhir.Coding // on everything that we send

	// Profiles are what else the server wants a resource to follow, by its type.
	Profiles map[string][]string

	// HookURL is where the HIS can reach our Hook; "": it cannot, and is polled.
	HookURL string
}

func openFHIR(s Settings) (Connector, error) {
	client, err := rest.New(s.FHIR.Settings)
	if err != nil {
		return nil, err
	}
	return &fhirServer{client: client, settings: s.FHIR, settled: map[uuid.UUID]bool{}, patients: map[uuid.UUID]time.Time{}, hook: newHook()}, nil
}

// File is Connector.File. The reference is what the server calls the item: type, id and,
// where it tells one, version.
func (s *fhirServer) File(ctx context.Context, item Item) (Receipt, error) {
	if err := check(item); err != nil {
		return Receipt{}, err
	}
	item = filedAnew(item)
	receipt, err := s.file(ctx, item)
	if err != nil {
		return Receipt{}, filingError(item, err)
	}
	return receipt, nil
}

func (s *fhirServer) file(ctx context.Context, item Item) (Receipt, error) {
	can, err := s.suitable(ctx)
	if err != nil {
		return Receipt{}, untaken{err}
	}
	unlock, err := s.alone(ctx, item)
	if err != nil {
		return Receipt{}, untaken{err}
	}
	defer unlock()
	conversation := item.Conversation.ID
	if s.tellsWhatIsNew() && !s.inDoubt(conversation) {
		return s.send(ctx, item, can)
	}
	receipt, found, err := s.look(ctx, item, can)
	if err != nil || found {
		s.settle(conversation, err == nil)
		if err != nil {
			err = untaken{err}
		}
		return receipt, err
	}
	receipt, err = s.send(ctx, item, can)
	if can.puts("Provenance") {
		receipt.Already = false // it was not there, and nobody else files
	}
	return receipt, err
}

func (s *fhirServer) tellsWhatIsNew() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tells
}

// alone holds up whoever would write about the same people: for each patient, and for the
// practice as long as it is not known to be there with its staff.
func (s *fhirServer) alone(ctx context.Context, item Item) (unlock func(), err error) {
	c := item.Conversation
	names := []string{"patient " + c.Practice.ID + " " + c.Patient.Number}
	if c.Derde != nil && c.Derde.Patient != nil {
		names = append(names, "patient "+c.Practice.ID+" "+c.Derde.Patient.Number)
	}
	if s.inDoubt(authorKey(item)) {
		names = append(names, "practice "+c.Practice.ID)
	}
	return s.busy.lockAll(ctx, names)
}

// authorKey stands for the practice and the member of staff who wrote: what the items of
// several patients have in common.
func authorKey(item Item) uuid.UUID {
	a := item.Author
	if a.Role == RolePatient || a.Role == RoleBridge {
		a = Author{}
	}
	return derive(namespace, "common", item.Conversation.Practice.ID, a.ID.String(), a.Name, string(a.Role))
}

func (s *fhirServer) inDoubt(id uuid.UUID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.settled[id]
}

func (s *fhirServer) settle(id uuid.UUID, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !known {
		delete(s.settled, id)
		return
	}
	if len(s.settled) > mostSettled {
		clear(s.settled)
	}
	s.settled[id] = true
}

// send files an item that is not there yet, as far as we know.
func (s *fhirServer) send(ctx context.Context, item Item, can *capabilities) (Receipt, error) {
	if err := s.mustKnow(ctx, item); err != nil {
		return Receipt{}, untaken{err}
	}
	bundle, err := s.bundle(ctx, item, can)
	if err != nil {
		return Receipt{}, untaken{err}
	}
	post := s.transact
	if !can.transacts(bundle) {
		post = s.oneByOne
	}
	receipt, err := post(ctx, bundle, can)
	if err == nil {
		err = s.completeReference(ctx, &receipt)
	}
	s.settle(item.Conversation.ID, err == nil || isRefusal(err))
	if err == nil { // the practice and its staff are there from now on, whatever becomes of others
		s.settle(authorKey(item), true)
	}
	if err == nil && !receipt.Already {
		s.mu.Lock()
		s.tells = true
		s.mu.Unlock()
	}
	return receipt, err
}

// completeReference asks for the version where the server's answer did not tell it.
func (s *fhirServer) completeReference(ctx context.Context, r *Receipt) error {
	if r.Reference == "" || strings.Contains(r.Reference, "/_history/") {
		return nil
	}
	var target struct{ Meta resourceMeta }
	if err := s.get(ctx, r.Reference, &target); err != nil {
		return err
	}
	r.Reference = versioned(r.Reference, target.Meta.VersionID)
	return nil
}

// look asks whether an item is there, by what is only there when all of it is.
func (s *fhirServer) look(ctx context.Context, item Item, can *capabilities) (r Receipt, found bool, err error) {
	if !can.puts("Provenance") {
		return r, false, nil // it has none: what is sent again is made once all the same
	}
	var p struct {
		Target []fhir.Reference `json:"target"`
	}
	err = s.get(ctx, "Provenance/"+resourceID(derive(item.ID, "provenance")), &p)
	if errors.Is(err, rest.CodeMissing) {
		return r, false, nil
	}
	if err != nil || len(p.Target) == 0 || strings.HasPrefix(p.Target[0].Reference, "urn:") { // what was refused beside it
		return r, false, err
	}
	reference, ok := s.client.Relative(p.Target[0].Reference)
	if !ok {
		return Receipt{Already: true, Reference: "Provenance"}, true, nil
	}
	r = Receipt{Reference: reference, Already: true}
	err = s.completeReference(ctx, &r)
	return r, err == nil, err
}

// resourceMeta is what a server says of a resource.
type resourceMeta struct {
	VersionID   string `json:"versionId"`
	LastUpdated string `json:"lastUpdated"`
}

func versioned(reference, version string) string {
	if version == "" {
		return reference
	}
	return reference + "/_history/" + version
}

// filingError keeps what the server meant: errors.Is(err, ErrRefused) when only a person can
// help. It names the item, and nothing of what is in it.
func filingError(item Item, err error) error {
	if isRefusal(err) {
		return fmt.Errorf("file item %s: %w: %w", item.ID, err, ErrRefused)
	}
	return fmt.Errorf("file item %s: %w", item.ID, err)
}

func isRefusal(err error) bool {
	var answered *rest.Error
	return errors.As(err, &answered) && answered.Final()
}

// Check is Connector.Check: it reads what the server can do, and asks for something that is
// not there, so that a login that no longer works is seen; and for a patient who is not there, since
// nothing is filed about somebody who cannot be looked for.
func (s *fhirServer) Check(ctx context.Context) error {
	s.mu.Lock()
	s.can = nil
	s.mu.Unlock()
	_, err := s.suitable(ctx)
	if err == nil {
		err = s.get(ctx, "Task/"+resourceID(derive(namespace, "check")), nil)
		if errors.Is(err, rest.CodeMissing) {
			err = nil
		}
	}
	if err == nil {
		_, _, err = s.only(ctx, "Patient", byIdentifier(derive(namespace, "check")))
		if errors.Is(err, rest.CodeDouble) { // it leaves the question out; whoever files looks at what came
			err = nil
		}
		if err != nil {
			err = fmt.Errorf("look for a patient: %w", err)
		}
	}
	if err != nil {
		return fmt.Errorf("fhir server: %w", err)
	}
	return nil
}

// get reads one resource.
func (s *fhirServer) get(ctx context.Context, path string, into any) error {
	answer, err := s.client.Do(ctx, rest.Request{Method: http.MethodGet, Path: path, Header: fresh})
	if err != nil {
		return err
	}
	return decode(answer.Body, into)
}

// askFor is get for who goes on without what is not there. That counts only when the server says it: a
// proxy answers with a page of its own while there is no server behind it.
func (s *fhirServer) askFor(ctx context.Context, path string, into any) error {
	return s.believed(ctx, s.get(ctx, path, into))
}

// believed is an error that says that something is not there, if it is the server that says so.
func (s *fhirServer) believed(ctx context.Context, err error) error {
	var answered *rest.Error
	if !ofOne(err) || !errors.As(err, &answered) || !answered.Strange || s.answers(ctx) {
		return err
	}
	return &rest.Error{Status: answered.Status, Code: rest.CodeBroken, Strange: true}
}

// answers says that the server itself answers now, as far as that can be known: one that has no
// statement is believed.
func (s *fhirServer) answers(ctx context.Context) bool {
	var said statement
	err := s.get(ctx, "metadata", &said)
	if errors.Is(err, rest.CodeMissing) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.can == nil || !s.can.told
	}
	return err == nil && said.ResourceType == "CapabilityStatement"
}

// fresh asks a server not to answer from a list that it made before.
var fresh = map[string]string{"Cache-Control": "no-cache"}
