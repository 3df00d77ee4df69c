package appservice

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"maunium.net/go/mautrix"
)

// maxTransaction bounds one request of the homeserver, in bytes.
const maxTransaction = 16 << 20

// Handler serves what the homeserver asks of an application service.
func (c *Client) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"PUT /_matrix/app/v1/transactions/{txn}": c.putTransaction,
		"POST /_matrix/app/v1/ping":              c.answerPing,
		"GET /_matrix/app/v1/users/{user}":       unknown, // everyone who exists was made before
		"GET /_matrix/app/v1/rooms/{alias}":      unknown,
	} {
		mux.HandleFunc(pattern, c.fromHomeserver(handle))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		mautrix.MUnrecognized.WithMessage("unknown request").Write(w)
	})
	return mux
}

// fromHomeserver refuses everyone who does not know the hs_token.
func (c *Client) fromHomeserver(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if token == "" {
			token = r.URL.Query().Get("access_token") // what Dendrite also sends, from before the header
		}
		if c.opts.HSToken == "" || subtle.ConstantTimeCompare([]byte(token), []byte(c.opts.HSToken)) != 1 {
			mautrix.MForbidden.WithMessage("wrong hs_token").Write(w)
			return
		}
		next(w, r)
	}
}

// putTransaction keeps the events and only then says 200; after anything else the homeserver
// sends them again. Dendrite sends the same transaction ID with more events, so the ID says
// nothing about what is new. What is not for the inbox (typing, keys) comes by /sync.
func (c *Client) putTransaction(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTransaction))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		mautrix.MTooLarge.WithMessage("transaction is larger than %d bytes", maxTransaction).Write(w)
		return
	}
	if err != nil {
		mautrix.MNotJSON.WithMessage("transaction was cut off").Write(w)
		return
	}
	var txn struct {
		Events *[]json.RawMessage `json:"events"`
	}
	if json.Unmarshal(body, &txn) != nil || txn.Events == nil {
		mautrix.MBadJSON.WithMessage("transaction is no JSON object with events").Write(w)
		return
	}
	if err := c.keepPushed(c.quiet(r.Context()), *txn.Events); err != nil {
		c.log.Error().Str("error", said(err)).Msg("Keeping a transaction failed; the homeserver will send it again")
		mautrix.MUnknown.WithMessage("cannot keep events now").WithStatus(http.StatusServiceUnavailable).Write(w)
		return
	}
	writeEmpty(w)
}

// keepPushed stores the events of a transaction that /sync has not kept.
func (c *Client) keepPushed(ctx context.Context, events []json.RawMessage) error {
	var rows []row
	for _, e := range c.seen.notKept(ctx, c.parseAll("", events), syncHeadStart) {
		rows = append(rows, c.rowOf(ctx, e, false))
	}
	if len(rows) == 0 {
		return nil
	}
	return c.keep(ctx, "", rows)
}

func (c *Client) answerPing(w http.ResponseWriter, _ *http.Request) { writeEmpty(w) }

func unknown(w http.ResponseWriter, _ *http.Request) {
	mautrix.MNotFound.WithMessage("not known here").Write(w)
}

func writeEmpty(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}
