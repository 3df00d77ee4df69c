// Package rest talks FHIR R4 over HTTP with a server that is not ours: requests, logging
// in, pages of a search, and what a refusal means. It knows nothing of conversations or of
// what is filed: that is his's. Start at Client.Do.
//
// Nothing that a server says in its own words gets out of here: its messages may repeat
// what was sent. An Error has a code, and where in the resource it was, and that is all
// (outcome.go); what net/http repeats of an answer that it cannot read is left out as well.
package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// maxAnswer is the most that is read of an answer, in bytes.
const maxAnswer = 64 << 20

// MediaType is FHIR's JSON.
const MediaType = "application/fhir+json"

// Client is one server. It may be used by several goroutines at once.
type Client struct {
	base    *url.URL
	http    *http.Client
	login   Login
	timeout time.Duration
}

// Settings say which server, and who we are there.
type Settings struct {
	Base    string        // with its path; https, or http on this machine itself
	Timeout time.Duration // for one request, what it sends included; zero: 60 s
	Auth    Auth
	TLS     TLS
}

// New needs no reachable server; files are read when they are needed, so that a secret can
// be replaced while we run.
func New(s Settings) (*Client, error) {
	base, err := url.Parse(s.Base)
	if err != nil || base.Hostname() == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil || base.RawQuery != "" {
		return nil, errors.New("the address of the FHIR server is no URL such as https://his.example/fhir")
	}
	base = base.JoinPath("/") // so that what is below it can be resolved
	transport, err := s.TLS.transport()
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, timeout: s.Timeout, http: &http.Client{Transport: transport, CheckRedirect: refuseRedirect}}
	if c.timeout == 0 {
		c.timeout = time.Minute
	}
	if c.login, err = s.Auth.login(c.http); err != nil {
		return nil, err
	}
	return c, nil
}

// ErrLogin marks that no login could be had: it says nothing of what was asked for.
var ErrLogin = errors.New("log in")

var errTooLong = errors.New("it is too long")

// refuseRedirect: a server that sends us elsewhere would get what is private where nobody
// said it should go.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Request is what is asked. Path is below the base; a search is a Path with "/_search" and
// a Form, so that what is searched for is in no address and in no server's log.
type Request struct {
	Method string
	Path   string
	Next   string     // a server's address of the next page, instead of Path; only below the base
	Query  url.Values // never of a person
	Form   url.Values
	Header map[string]string
	Body   Body
	Accept string // "": FHIR's JSON, and any other answer is an error
}

// Body is what is sent. Write is called again when the request is made again.
type Body struct {
	Size  int64
	Write func(io.Writer) error
}

// JSON is a body of bytes.
func JSON(b []byte) Body {
	return Body{int64(len(b)), func(w io.Writer) error { _, err := w.Write(b); return err }}
}

// Response is an answer of the 200s, read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes one request. An answer other than of the 200s is an *Error; so is one that is
// not FHIR, or ends too soon. Every other error means that no answer came. When the login
// has run out it is renewed once.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	answer, err := c.once(ctx, r)
	var refused *Error
	if errors.As(err, &refused) && refused.Status == http.StatusUnauthorized && c.login.expire() {
		return c.once(ctx, r)
	}
	return answer, err
}

func (c *Client) once(ctx context.Context, r Request) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, sending, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := c.login.sign(ctx, req); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLogin, err)
	}
	resp, err := c.http.Do(req)
	if failed := sending.failed(); failed != nil {
		if err == nil {
			resp.Body.Close()
		}
		return nil, failed // what is sent could not be read: the cause, and not what became of it
	}
	if err != nil {
		return nil, bare(r, err)
	}
	defer resp.Body.Close()
	return read(r, resp)
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, *sending, error) {
	at, err := c.address(r)
	if err != nil {
		return nil, nil, err
	}
	sent := &sending{}
	var body io.Reader
	kind := MediaType
	switch {
	case r.Form != nil:
		text := r.Form.Encode()
		r.Body, kind = JSON([]byte(text)), "application/x-www-form-urlencoded"
		body = strings.NewReader(text)
	case r.Body.Write != nil:
		body = sent.pipe(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, at.String(), body)
	if err != nil {
		return nil, nil, fmt.Errorf("make a request: %w", err)
	}
	if body != nil {
		req.ContentLength = r.Body.Size
		req.Header.Set("Content-Type", kind)
	}
	req.GetBody = nil // nothing is sent twice behind our back
	req.Header.Set("Accept", MediaType)
	if r.Accept != "" {
		req.Header.Set("Accept", r.Accept)
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	return req, sent, nil
}

// address refuses a next page elsewhere: it would get our login.
func (c *Client) address(r Request) (*url.URL, error) {
	at := *c.base
	if r.Next == "" {
		at.Path = strings.TrimSuffix(at.Path+r.Path, "/")
		at.RawQuery = r.Query.Encode()
		return &at, nil
	}
	next, err := at.Parse(r.Next)
	if err != nil || next.Scheme != at.Scheme || next.Host != at.Host || !strings.HasPrefix(next.Path+"/", at.Path) {
		return nil, &Error{Code: CodeElsewhere}
	}
	return next, nil
}

// read takes an answer whole, or not at all.
func read(r Request, resp *http.Response) (*Response, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = errTooLong
		if r.Method == http.MethodGet { // nothing was changed: it is this resource, each time
			err = &Error{Status: resp.StatusCode, Code: CodeTooLarge}
		}
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, refusal(resp, body)
	}
	if err != nil {
		return nil, fmt.Errorf("the answer ended too soon: %w", bare(r, err))
	}
	if r.Accept == "" && len(body) > 0 && !isFHIR(resp.Header) {
		return nil, &Error{Status: resp.StatusCode, Code: CodeNotFHIR, Strange: true}
	}
	return &Response{resp.StatusCode, resp.Header, body}, nil
}

func isFHIR(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (kind == MediaType || kind == "application/json")
}

// bare leaves out the address: http.Client puts it in its errors. It also leaves out what the
// server sent instead of HTTP, which net/http repeats in quotes.
func bare(r Request, err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	kind, _, _ := strings.Cut(r.Path, "/")
	return fmt.Errorf("%s %s: %w", r.Method, kind, unquoted{err})
}

// unquoted is an error without what it quotes.
type unquoted struct{ error }

var quotes = regexp.MustCompile(`"(\\.|[^"\\])*"`)

func (e unquoted) Error() string { return quotes.ReplaceAllString(e.error.Error(), `"…"`) }
func (e unquoted) Unwrap() error { return e.error }

// sending remembers why a body could not be written.
type sending struct{ result chan error }

func (s *sending) pipe(b Body) io.Reader {
	r, w := io.Pipe()
	s.result = make(chan error, 1)
	go func() {
		err := b.Write(w)
		if errors.Is(err, io.ErrClosedPipe) {
			err = nil // the other side stopped reading
		}
		s.result <- err
		w.CloseWithError(err)
	}()
	return r
}

// failed is asked when the request has ended: then the pipe is closed, and the writer ends.
func (s *sending) failed() error {
	if s.result == nil {
		return nil
	}
	select {
	case err := <-s.result:
		return err
	default: // the server answered before it had read all
		return nil
	}
}

// Base is the server's address, for telling servers apart.
func (c *Client) Base() string { return c.base.String() }

// Relative is an address below the base without it and without a version: Type/id. ok is
// false for an address that is elsewhere.
func (c *Client) Relative(address string) (path string, ok bool) {
	rest := address
	if u, err := url.Parse(address); err != nil {
		return "", false
	} else if u.IsAbs() {
		if rest, ok = strings.CutPrefix(address, c.base.String()); !ok {
			return "", false
		}
	}
	rest = strings.TrimPrefix(rest, "/")
	rest, _, _ = strings.Cut(rest, "/_history/")
	if strings.Count(rest, "/") != 1 || strings.ContainsAny(rest, "?#%") || strings.Contains(rest, "..") {
		return "", false
	}
	return rest, true
}
