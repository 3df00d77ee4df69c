package appservice

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"maunium.net/go/mautrix"
)

// What the caller can do about an error. Every error that is none of these is worth trying
// again later.
var (
	// ErrPermanent marks what will fail in the same way every time.
	ErrPermanent = errors.New("trying again is of no use")
	// ErrForbidden says that the homeserver does not let the bot do this, now and as things are.
	ErrForbidden = fmt.Errorf("forbidden: %w", ErrPermanent)
	// ErrTooLarge says that an event or a file is larger than allowed.
	ErrTooLarge = fmt.Errorf("too large: %w", ErrPermanent)
	// ErrNotEncrypted says that something would have gone out readable into a room that is no
	// patient's own chat. It was not sent.
	ErrNotEncrypted = fmt.Errorf("room is not encrypted: %w", ErrPermanent)
	// ErrNotFound says that the homeserver does not know the thing, or does not show it to us.
	ErrNotFound = errors.New("not found")
	// ErrUnknownToken says that the homeserver no longer accepts the bot's token or device.
	ErrUnknownToken = errors.New("token not accepted")
	// ErrRedacted says that an event is still there but its content has been removed.
	ErrRedacted = errors.New("content was removed")
	// ErrNoKey says that an event's key has not arrived. It has been asked for; OnRoomKey tells
	// when it may be there.
	ErrNoKey = errors.New("key has not arrived")
	// ErrUndecryptable says that an event can never be decrypted, with whichever key.
	ErrUndecryptable = fmt.Errorf("cannot be decrypted: %w", ErrPermanent)
	// ErrCannotErase says that this kind of homeserver has no way to erase the thing.
	ErrCannotErase = errors.New("this homeserver cannot erase it")
	// ErrThere says that we have reacted like that, and need not do it twice.
	ErrThere = errors.New("such a reaction of ours is there")
	// ErrUnsupported says that this kind of homeserver does not know the request.
	ErrUnsupported = errors.New("this homeserver does not know the request")
)

// classes says which sentinel an error code of the Matrix specification stands for.
var classes = map[string]error{
	"M_FORBIDDEN":            ErrForbidden,
	"M_GUEST_ACCESS_DENIED":  ErrForbidden,
	"M_TOO_LARGE":            ErrTooLarge,
	"M_NOT_FOUND":            ErrNotFound,
	"M_UNKNOWN_TOKEN":        ErrUnknownToken,
	"M_MISSING_TOKEN":        ErrUnknownToken,
	"M_UNKNOWN_DEVICE":       ErrUnknownToken, // the as_token is fine, the device is gone
	"M_UNRECOGNIZED":         ErrUnsupported,
	"M_BAD_JSON":             ErrPermanent,
	"M_NOT_JSON":             ErrPermanent,
	"M_INVALID_PARAM":        ErrPermanent,
	"M_DUPLICATE_ANNOTATION": ErrThere,
}

// statuses is for answers whose error code says nothing, and for statuses that say more than
// the code: Dendrite calls a too large event M_BAD_JSON.
var statuses = map[int]error{
	http.StatusForbidden:             ErrForbidden,
	http.StatusNotFound:              ErrNotFound,
	http.StatusMethodNotAllowed:      ErrUnsupported,
	http.StatusRequestEntityTooLarge: ErrTooLarge,
	http.StatusNotImplemented:        ErrUnsupported,
}

// failed says what was tried about which thing, and adds the sentinel that tells the caller
// what to do. It returns nil for nil.
func failed(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	e := &requestError{what: fmt.Sprintf(format, args...), cause: err}
	if class := classOf(err); class != nil && !errors.Is(err, class) {
		e.class = class
	}
	return e
}

func classOf(err error) error {
	var answer mautrix.HTTPError
	if !errors.As(err, &answer) || answer.Response == nil {
		return nil
	}
	if answer.WrappedError != nil { // an answer we could not read is no answer
		return nil
	}
	byStatus, said := statuses[answer.Response.StatusCode], answer.RespError
	if said == nil && byStatus == ErrNotFound {
		return nil // of a proxy that finds no homeserver just now: of the thing it says nothing
	}
	if said == nil || said.ErrCode == "M_UNKNOWN" || byStatus == ErrTooLarge || byStatus == ErrUnsupported {
		return byStatus
	}
	return classes[said.ErrCode]
}

// RetryAfter returns how long the homeserver asked us to wait, if the error is about its limits.
func RetryAfter(err error) (time.Duration, bool) {
	var answer mautrix.HTTPError
	if !errors.As(err, &answer) || answer.Response == nil || answer.Response.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	if seconds, err := strconv.Atoi(answer.Response.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true
	}
	if answer.RespError != nil {
		if ms, ok := answer.RespError.ExtraData["retry_after_ms"].(float64); ok && ms >= 0 {
			return min(time.Duration(ms)*time.Millisecond, time.Hour), true
		}
	}
	return 0, true
}

// guard turns a panic into an error: what strangers send is parsed by many hands, and none of
// them may take the bot down.
func guard(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic while handling input: %T: %w", p, ErrPermanent)
		}
	}()
	return fn()
}

func isStatus(err error, status int) bool {
	var answer mautrix.HTTPError
	return errors.As(err, &answer) && answer.IsStatus(status)
}

// isRefused reports an answer that says no for good, with whichever code: homeservers do not
// agree on them.
func isRefused(err error) bool {
	return isStatus(err, http.StatusBadRequest) || isStatus(err, http.StatusForbidden) || isStatus(err, http.StatusNotFound)
}
