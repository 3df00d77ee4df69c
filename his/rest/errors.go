package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Code says what a server's refusal means, for who decides what to do next. The codes are
// also names of texts for staff.
type Code string

// What can be wrong.
const (
	CodeInvalid   Code = "invalid"   // what was sent does not suit the server: only a change of it helps
	CodeTooLarge  Code = "too_large" // the same, by its size
	CodeDouble    Code = "double"    // the server has the thing more than once, and cannot choose
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
	Status int
	Code   Code
	Where  string        // elements of the resource and numbers of the server's own errors; may be empty
	Retry  time.Duration // how long the server wants to be left alone; zero: it did not say
}

// Error says it in English, for the log.
func (e *Error) Error() string {
	said := fmt.Sprintf("the FHIR server answered %d (%s)", e.Status, e.Code)
	if e.Where != "" {
		said += " at " + e.Where
	}
	return said
}

// Final says that sending the same again is of no use.
func (e *Error) Final() bool {
	return e.Code == CodeInvalid || e.Code == CodeTooLarge || e.Code == CodeDouble
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
	n, _ := strconv.Atoi(number)
	e := &Error{Status: n, Code: CodeBroken, Where: where(outcome)}
	if code, known := codes[n]; known {
		e.Code = code
	}
	return e
}

// Outcome is the part of an OperationOutcome that says nothing of a person.
type outcome struct {
	ResourceType string `json:"resourceType"`
	Issue        []struct {
		Severity    string   `json:"severity"`
		Code        string   `json:"code"`
		Diagnostics string   `json:"diagnostics"`
		Expression  []string `json:"expression"`
		Location    []string `json:"location"`
	} `json:"issue"`
}

var (
	elementForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.\[\]]{0,120}$`)
	issueForm   = regexp.MustCompile(`^[a-z-]{1,30}$`)
	numberForm  = regexp.MustCompile(`^HAPI-\d{2,6}\b`) // any other could be a patient's
)

// where collects, of the errors only (the first issue may be a warning), the kind, the
// element and the number that the server gives it.
func where(body []byte) string {
	var o outcome
	if json.Unmarshal(body, &o) != nil {
		return ""
	}
	var all []string
	for _, i := range o.Issue {
		if i.Severity != "error" && i.Severity != "fatal" || len(all) >= 8 {
			continue
		}
		if issueForm.MatchString(i.Code) {
			all = append(all, i.Code)
		}
		for _, at := range append(i.Expression, i.Location...) {
			if elementForm.MatchString(at) {
				all = append(all, at)
			}
		}
		if number := numberForm.FindString(i.Diagnostics); number != "" {
			all = append(all, number)
		}
	}
	return strings.Join(all, ", ")
}

// retryAfter reads seconds or a date; at most an hour.
func retryAfter(s string) time.Duration {
	d := time.Duration(0)
	if seconds, err := strconv.ParseUint(s, 10, 31); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = time.Until(at)
	}
	return min(max(d, 0), time.Hour)
}
