package store

import (
	"context"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"github.com/spreekkamer/spreekkamer/internal/faultpoint"
)

// slowQuery is from when a query is worth a line.
const slowQuery = time.Second

// quietLog logs for dbutil: what an upgrade does and which queries are slow, never what a
// query was about.
type quietLog struct{ log zerolog.Logger }

var _ dbutil.DatabaseLogger = quietLog{}

// QueryTiming logs the text of a slow query, without its arguments.
func (l quietLog) QueryTiming(_ context.Context, method, query string, _ []any, rows int, took time.Duration, _ error) {
	faultpoint.Statement(method)
	if took < slowQuery {
		return
	}
	l.log.Warn().Str("method", method).Str("query", strings.Join(strings.Fields(query), " ")).
		Int("rows", rows).Dur("took_ms", took).Msg("Slow query")
}

// WarnUnsupportedVersion is not used: a newer database is refused.
func (l quietLog) WarnUnsupportedVersion(current, compat, latest int) {
	l.log.Warn().Int("current", current).Int("compatible", compat).Int("latest", latest).Msg("Database is newer")
}

// PrepareUpgrade says which version was found.
func (l quietLog) PrepareUpgrade(current, _, latest int) {
	if current < latest {
		l.log.Info().Int("from", current).Int("to", latest).Msg("Upgrading the database")
	}
}

// DoUpgrade says which step is taken.
func (l quietLog) DoUpgrade(from, to int, message string, _ dbutil.TxnMode) {
	l.log.Info().Int("from", from).Int("to", to).Str("step", message).Msg("Upgrade of the database")
}

// Warn logs a fixed text; its arguments may be about anything.
func (l quietLog) Warn(text string, _ ...any) { l.log.Warn().Msg(text) }
