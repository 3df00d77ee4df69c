package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// ErrMore says that there are more patients than were given.
var ErrMore = errors.New("there are more patients than one page")

// mostPages ends a search whose pages go round.
const mostPages = 1000

// Search gives each resource of the type that matches, over all pages, until each returns
// false. What is searched for is sent in the body. OperationOutcomes among the results are
// left out. Of patients only the first page is given, and ErrMore when there are others: the
// server's address of the next page may repeat the BSN that was asked for.
func (c *Client) Search(ctx context.Context, kind string, form url.Values, each func(json.RawMessage) (more bool)) error {
	return c.pages(ctx, Request{Method: http.MethodPost, Path: kind + "/_search", Form: form, Header: noCache}, kind, each)
}

// History gives each version of the type since a moment, newest first: for a server that
// cannot search by when things changed.
func (c *Client) History(ctx context.Context, kind, since string, each func(json.RawMessage) (more bool)) error {
	query := url.Values{"_count": {"100"}}
	if since != "" {
		query.Set("_since", since)
	}
	return c.pages(ctx, Request{Method: http.MethodGet, Path: kind + "/_history", Query: query, Header: noCache}, kind, each)
}

var noCache = map[string]string{"Cache-Control": "no-cache"}

// page is the part of a Bundle that matters.
type page struct {
	ResourceType string `json:"resourceType"`
	Total        int    `json:"total"`
	Link         []struct {
		Relation string `json:"relation"`
		URL      string `json:"url"`
	} `json:"link"`
	Entry []struct {
		Resource json.RawMessage `json:"resource"`
	} `json:"entry"`
}

func (c *Client) pages(ctx context.Context, r Request, kind string, each func(json.RawMessage) bool) error {
	seen, whole := map[string]bool{}, false
	for range mostPages {
		answer, err := c.Do(ctx, r)
		if err != nil {
			return err
		}
		var p page
		if json.Unmarshal(answer.Body, &p) != nil || p.ResourceType != "Bundle" {
			return &Error{Status: answer.Status, Code: CodeNotFHIR}
		}
		for _, e := range p.Entry {
			of, id := identity(e.Resource)
			again := whole && seen[id]
			seen[id] = true
			if of == kind && !again && !each(e.Resource) {
				return nil
			}
		}
		next := p.next()
		if next == "" && r.Form != nil && p.Total > len(p.Entry) && r.Form.Get("_count") != strconv.Itoa(p.Total) {
			r.Form.Set("_count", strconv.Itoa(p.Total)) // it has no pages: all at once
			whole = true
			continue
		}
		if next == "" || next == r.Next {
			return nil
		}
		if kind == "Patient" {
			return ErrMore
		}
		r = Request{Method: http.MethodGet, Next: next, Header: noCache}
	}
	return &Error{Status: http.StatusOK, Code: CodeBroken}
}

func identity(resource json.RawMessage) (kind, id string) {
	var r struct{ ResourceType, ID string }
	if json.Unmarshal(resource, &r) != nil {
		return "", ""
	}
	return r.ResourceType, r.ID
}

func (p page) next() string {
	for _, l := range p.Link {
		if l.Relation == "next" {
			return l.URL
		}
	}
	return ""
}

// Escape is a value within a search: FHIR keeps \ , | and $ for itself.
func Escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`).Replace(s)
}
