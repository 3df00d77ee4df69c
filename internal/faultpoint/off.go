//go:build !faultpoints

// Package faultpoint is where the fault harness takes hold of Spreekkamer: places at which the
// process can be killed, and a clock that can be set. All of it does nothing, unless the
// program was built with the tag faultpoints, which no release is; see on.go and e2e/faults.
package faultpoint

import (
	"net/http"
	"time"
)

// Here is a place at which the process may be killed, with what happens there: "before commit".
func Here(string) {}

// Statement is Here after a statement of the database, of those that make something lasting.
func Statement(string) {}

// Transport makes a place before and after each request of an HTTP client.
func Transport(next http.RoundTripper) http.RoundTripper { return next }

// Now is the time.
func Now() time.Time { return time.Now() }
