package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Code says what a server's refusal means, for who decides what to do next. Those that are
// final are also names of texts for staff (unfiled.why.…).
type Code string

// What can be wrong.
const (
	CodeInvalid   Code = "invalid"   // what was sent does not suit the server: only a change of it helps
	CodeTooLarge  Code = "too_large" // the same, by its size
	CodeDouble    Code = "double"    // the server has the thing more than once, and cannot choose
	CodeNobody    Code = "nobody"    // the server has no such patient
	CodeConflict  Code = "conflict"  // somebody else wrote at the same time: try again
	CodeLogin     Code = "login"     // the server does not know us, or does not let us
	CodeMissing   Code = "missing"   // there is no such thing there
	CodeBusy      Code = "busy"      // later
	CodeBroken    Code = "broken"    // the server failed
	CodeNotFHIR   Code = "not_fhir"  // something else than a FHIR server answered
	CodeElsewhere Code = "elsewhere" // it sends us to another address, which we do not follow
)

// Error is an answer that is no success.
type Error struct {
	Status  int
	Code    Code
	Where   string        // what is wrong and in which elements, in FHIR's words; may be empty
	Retry   time.Duration // how long the server wants to be left alone; zero: it did not say
	Strange bool          // it is not FHIR: perhaps a proxy says it, and not the server
}

// Error says it in English, for the log.
func (e *Error) Error() string {
	said := fmt.Sprintf("the FHIR server answered %d (%s)", e.Status, e.Code)
	if e.Where != "" {
		said += " at " + e.Where
	}
	return said
}

// RetryAfter is how long the server wants to be left alone; zero: it did not say.
func (e *Error) RetryAfter() time.Duration { return e.Retry }

// Finals are the codes of what is of no use to send again.
var Finals = []Code{CodeInvalid, CodeTooLarge, CodeDouble, CodeNobody}

// Final says that sending the same again is of no use.
func (e *Error) Final() bool { return slices.Contains(Finals, e.Code) }

// Untaken says that a server has certainly done nothing of what one request asked: it could not be
// reached, or logged in to, or it said itself that it does not do it. What a proxy says is not certain,
// nor what a server says when it fails, or when it waits no longer (408).
func Untaken(err error) bool {
	if errors.Is(err, ErrLogin) { // whatever the token's server says
		return true
	}
	var answered *Error
	if errors.As(err, &answered) {
		return answered.Status/100 == 4 && answered.Status != http.StatusRequestTimeout && !answered.Strange
	}
	var network *net.OpError
	return errors.As(err, &network) && network.Op == "dial"
}

// Is makes errors.Is(err, rest.CodeMissing) work.
func (c Code) Error() string { return string(c) }

// Is compares by code.
func (e *Error) Is(target error) bool {
	var code Code
	return errors.As(target, &code) && e.Code == code
}

// codes by status. What is not here is CodeBroken.
var codes = map[int]Code{
	http.StatusBadRequest: CodeInvalid, http.StatusUnprocessableEntity: CodeInvalid,
	http.StatusRequestEntityTooLarge: CodeTooLarge,
	http.StatusPreconditionFailed:    CodeDouble,
	http.StatusConflict:              CodeConflict,
	http.StatusUnauthorized:          CodeLogin, http.StatusForbidden: CodeLogin,
	http.StatusNotFound: CodeMissing, http.StatusGone: CodeMissing,
	http.StatusTooManyRequests: CodeBusy, http.StatusServiceUnavailable: CodeBusy,
}

// refusal reads what an answer means. A server's final word counts only when it is FHIR:
// a proxy's page of HTML says nothing about what was sent.
func refusal(resp *http.Response, body []byte) *Error {
	e := &Error{Status: resp.StatusCode, Code: CodeBroken, Retry: retryAfter(resp.Header.Get("Retry-After"))}
	e.Strange = isStrange(resp.Header, body)
	if code, known := codes[resp.StatusCode]; known {
		e.Code = code
	}
	if resp.StatusCode/100 == 3 {
		e.Code = CodeElsewhere
	}
	if !isFHIR(resp.Header) {
		if e.Final() {
			e.Code = CodeNotFHIR
		}
		return e
	}
	e.Where = where(body)
	return e
}

// EntryError is the refusal of one entry of a Bundle whose own answer was a success.
func EntryError(status string, outcome []byte) *Error {
	number, _, _ := strings.Cut(status, " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 100 || n > 599 { // any other number may be a patient's
		n = 0
	}
	e := &Error{Status: n, Code: CodeBroken, Where: where(outcome)}
	if code, known := codes[n]; known {
		e.Code = code
	}
	return e
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3); at most an hour.
func retryAfter(s string) time.Duration {
	d := time.Duration(0)
	if seconds, err := strconv.ParseUint(s, 10, 31); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = time.Until(at)
	}
	return min(max(d, 0), time.Hour)
}

// isStrange says that what a server answered need not be from a FHIR server: not even gateways that
// speak JSON give a resource.
func isStrange(h http.Header, body []byte) bool {
	if !isFHIR(h) {
		return true
	}
	var resource struct {
		ResourceType string `json:"resourceType"`
	}
	is := strings.HasPrefix(h.Get("Content-Type"), MediaType)
	return !is && (json.Unmarshal(body, &resource) != nil || resource.ResourceType == "")
}
