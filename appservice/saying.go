package appservice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"

	"maunium.net/go/mautrix"
)

// What a homeserver answers may name a person or repeat what they wrote, and errors end up in
// logs. So an error of this package says in our own words what was tried about which thing, and
// of the answer only its code. The answer itself stays inside, for errors.As.

// A requestError is something that was tried in vain.
type requestError struct {
	what         string
	class, cause error // class: what the caller can do about it; nil = unknown
}

func (e *requestError) Error() string {
	if e.class == nil {
		return e.what + ": " + said(e.cause)
	}
	return e.what + ": " + e.class.Error() + ": " + said(e.cause)
}

func (e *requestError) Unwrap() []error {
	if e.class == nil {
		return []error{e.cause}
	}
	return []error{e.class, e.cause}
}

// said is what may be told of an error from elsewhere.
func said(err error) string {
	if err == nil {
		return ""
	}
	if own := new(requestError); errors.As(err, &own) { // all around it are words of ours
		return scrub(err.Error())
	}
	var answer mautrix.HTTPError
	if errors.As(err, &answer) {
		return saidAnswer(answer)
	}
	if isJSON(err) {
		return "malformed JSON"
	}
	if network := saidNetwork(err); network != "" {
		return network
	}
	return scrub(err.Error())
}

// codes are error codes as the Matrix specification has them; anything else may be anything.
var codes = regexp.MustCompile(`^[A-Z][A-Z0-9_.]{1,60}$`)

func saidAnswer(answer mautrix.HTTPError) string {
	if answer.Response == nil {
		if network := saidNetwork(answer); network != "" {
			return network
		}
		return "no answer"
	}
	status := fmt.Sprintf("HTTP %d", answer.Response.StatusCode)
	switch {
	case answer.WrappedError != nil:
		return "unreadable answer (" + status + ")"
	case answer.RespError != nil && codes.MatchString(answer.RespError.ErrCode):
		return answer.RespError.ErrCode + " (" + status + ")"
	}
	return status
}

// saidNetwork tells why there was no answer, without the address that was asked; "" when the
// error is about something else.
func saidNetwork(err error) string {
	var number syscall.Errno
	var operation *net.OpError
	var name *net.DNSError
	switch {
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &name):
		return "the host's name is not known"
	case errors.As(err, &number):
		return number.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was cut off"
	case errors.As(err, &operation):
		return "no connection"
	}
	return ""
}

// longestError bounds what is logged of one error, in bytes.
const longestError = 300

var (
	// mxids are Matrix IDs, plain and as they stand in URLs.
	mxids = regexp.MustCompile(`(@|%40)[^\s"'/]+?(:|%3A)[^\s"'/,)]+`)
	// queries are what follows the path of a URL: tokens, filters, places in the stream.
	queries = regexp.MustCompile(`\?[^"\s]*`)
	// answers are what a homeserver says after its code.
	answers = regexp.MustCompile(`(?s)(\(HTTP \d+\)|HTTP \d+): .*`)
)

// Scrub takes Matrix IDs, tokens and what a homeserver said out of a text for the log.
func Scrub(text string) string { return scrub(text) }

func scrub(text string) string {
	text = answers.ReplaceAllString(text, "$1")
	text = queries.ReplaceAllString(text, "")
	text = mxids.ReplaceAllString(text, "(user)")
	if len(text) > longestError {
		text = strings.ToValidUTF8(text[:longestError], "") + "…"
	}
	return text
}
