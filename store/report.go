package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

// A Report is how retention stands (requirement D2).
type Report struct {
	Kept     int // not due yet
	Due      int // due, or past due, and not redacted
	Redacted int // redacted, not proven gone yet
	Verified int // proven gone
	Gone     int // gone without our doing
	Failed   int // of Kept, Due: the last attempt failed

	MediaKept       int // files that are kept, or could not be erased yet
	MediaErased     int
	MediaUnerasable int

	// Oldest is when the first event that is not redacted was or is due; zero: there is none.
	Oldest time.Time
}

// RetentionReport counts the ledger at a time.
func (s *Store) RetentionReport(ctx context.Context, now time.Time) (r Report, err error) {
	lines, err := list(ctx, s, scanReportLine, ledgerReport, ms(now))
	if err != nil {
		return Report{}, fmt.Errorf("report on retention: %w", err)
	}
	for _, line := range lines {
		line.addTo(&r)
	}
	files, err := tally[MediaState](ctx, s, mediaReport)
	if err != nil {
		return Report{}, fmt.Errorf("report on media: %w", err)
	}
	r.MediaKept = files[MediaKept] + files[MediaFailed]
	r.MediaErased, r.MediaUnerasable = files[MediaErased], files[MediaUnerasable]
	return r, nil
}

// A reportLine is the part of the ledger that is in one state.
type reportLine struct {
	state    LedgerState
	all, due int
	oldest   time.Time // due time
}

func (l reportLine) addTo(r *Report) {
	switch l.state {
	case LedgerRedacted:
		r.Redacted = l.all
	case LedgerVerified:
		r.Verified = l.all
	case LedgerGone:
		r.Gone = l.all
	case LedgerKept, LedgerFailed:
		r.Kept += l.all - l.due
		r.Due += l.due
		if r.Oldest.IsZero() || l.oldest.Before(r.Oldest) {
			r.Oldest = l.oldest
		}
	}
	if l.state == LedgerFailed {
		r.Failed = l.all
	}
}

func scanReportLine(row dbutil.Scannable) (l reportLine, err error) {
	var oldest int64
	err = row.Scan(&l.state, &l.all, &l.due, &oldest)
	l.oldest = at(oldest)
	return l, err
}
