package his

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/fhir"
)

// A gathering is what was found of something that does not belong where it is, each once. A server
// may leave out a search parameter that it does not know, and give everything: so what it gives
// is looked at. Or it gives nothing then: so it is asked in another way as well.
type gathering struct {
	server *fhirServer
	found  []stored
	err    error
}

// mistaken finds what an item of KindMistake is about: the messages it names with their
// documents, or all of the conversation.
func (s *fhirServer) mistaken(ctx context.Context, item Item) (found []stored, err error) {
	g := &gathering{server: s}
	for _, id := range item.Mistaken {
		g.named(ctx, "Communication", id)
		g.named(ctx, "DocumentReference", derive(id, "document"))
	}
	if len(item.Mistaken) == 0 {
		g.conversation(ctx, item.Conversation)
	}
	for _, message := range slices.Clone(g.found) {
		for _, document := range message.documents() {
			g.document(ctx, document)
		}
	}
	return g.found, g.err
}

func (g *gathering) conversation(ctx context.Context, c Conversation) {
	for _, header := range g.named(ctx, "Communication", derive(c.ID, "header")) {
		g.below(ctx, header, "Communication", "part-of")
	}
	for _, task := range g.named(ctx, "Task", c.ID) {
		g.below(ctx, task, "DocumentReference", "related")
	}
	if c.Derde != nil && g.server.keeps("Consent") {
		g.named(ctx, "Consent", c.consentID())
	}
}

// named collects what has an identifier of ours.
func (g *gathering) named(ctx context.Context, kind string, id uuid.UUID) []stored {
	return g.search(ctx, kind, byIdentifier(id), func(r stored) bool {
		var known struct{ Identifier []fhir.Identifier }
		return r.read(&known) && slices.ContainsFunc(known.Identifier, func(i fhir.Identifier) bool {
			is, ours := fromURN(i)
			return ours && is == id
		})
	})
}

// below collects what says itself that it belongs to something.
func (g *gathering) below(ctx context.Context, of stored, kind, parameter string) {
	belongs := func(r stored) bool { return g.pointsAt(r, of.reference()) }
	if len(g.search(ctx, kind, parameter+"="+of.reference(), belongs)) > 0 {
		return
	}
	var about struct{ Subject, For fhir.Reference }
	of.read(&about)
	for _, patient := range []fhir.Reference{about.Subject, about.For} {
		if path, ok := g.server.client.Relative(patient.Reference); ok {
			g.search(ctx, kind, "subject="+path, belongs)
		}
	}
}

func (g *gathering) pointsAt(r stored, path string) bool {
	var says struct {
		PartOf  []fhir.Reference
		Context struct{ Related []fhir.Reference }
	}
	return r.read(&says) && slices.ContainsFunc(slices.Concat(says.PartOf, says.Context.Related), func(ref fhir.Reference) bool {
		at, ok := g.server.client.Relative(ref.Reference)
		return ok && at == path
	})
}

func (g *gathering) search(ctx context.Context, kind, query string, belongs func(stored) bool) (found []stored) {
	form, err := url.ParseQuery(query)
	if err != nil || g.err != nil {
		return nil
	}
	g.err = g.server.client.Search(ctx, kind, form, func(raw json.RawMessage) bool {
		if r, ok := readStored(kind, raw); ok && belongs(r) && g.add(r) {
			found = append(found, r)
		}
		return true
	})
	return found
}

// document adds what a message refers to.
func (g *gathering) document(ctx context.Context, reference string) {
	path, ok := g.server.client.Relative(reference)
	if !ok || g.err != nil || g.has(path) {
		return
	}
	var raw json.RawMessage
	if g.err = g.server.get(ctx, path, &raw); g.err != nil {
		return
	}
	if r, ok := readStored("DocumentReference", raw); ok {
		g.add(r)
	}
}

// add is false for what is there: a transaction may have nothing twice.
func (g *gathering) add(r stored) bool {
	if g.has(r.reference()) {
		return false
	}
	g.found = append(g.found, r)
	return true
}

func (g *gathering) has(path string) bool {
	return slices.ContainsFunc(g.found, func(r stored) bool { return r.reference() == path })
}
