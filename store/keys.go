package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

// Message keys (requirement D5). A megolm session opens the messages of one sender in one room,
// from an index on. When what it opened is gone, it is moved on to the first message that still
// is to be read; the crypto store, whose tables begin with crypto_, is the library's.
//
// What was removed before its time keeps its key until then: an event sent before it may still be
// on its way from another homeserver, and moving a session on cannot be undone.

// spentLedger is the predicate of the index on keys that are of no use any more, word by word.
const spentLedger = `session <> '' AND state IN ('verified', 'gone') AND NOT forgotten`

const (
	spentKeys = `
		SELECT session, room_id, own FROM ledger WHERE ` + spentLedger + ` AND sent_at <= $1
		GROUP BY session, room_id, own LIMIT $2
	`
	keyInUse = `
		SELECT COALESCE(MIN(CASE WHEN ` + openLedger + ` OR sent_at > $4 THEN message_index END), MAX(message_index) + 1),
			COALESCE(SUM(CASE WHEN ` + openLedger + ` OR sent_at > $4 THEN 1 ELSE 0 END), 0) > 0
		FROM ledger WHERE session = $1 AND session <> '' AND room_id = $2 AND own = $3
	`
	markForgotten = `
		UPDATE ledger SET forgotten = true WHERE session = $1 AND room_id = $2 AND own = $3 AND sent_at <= $4 AND ` + spentLedger
	keyCame     = `UPDATE ledger SET forgotten = false WHERE session = $1 AND session <> '' AND room_id = $2 AND forgotten`
	dropIndexes = `DELETE FROM crypto_message_index WHERE session_id = $1 AND "index" < $2`
	dropShared  = `
		DELETE FROM crypto_megolm_outbound_session_shared WHERE session_id = $1
			AND NOT EXISTS (SELECT 1 FROM crypto_megolm_outbound_session WHERE session_id = $1)
	`
)

// A SpentKey is a message key of which something is of no use any more.
type SpentKey struct {
	RoomID  string
	Session string
	Own     bool      // the bot's own
	Below   int64     // messages before this index are gone; the rest may still be read
	InUse   bool      // something that it opens is still there, or may still come
	Until   time.Time // what was sent until then is what counts
}

// SpentKeys are keys that opened what is proven to be gone and was sent until a time.
func (s *Store) SpentKeys(ctx context.Context, until time.Time, limit int) ([]SpentKey, error) {
	spent, err := list(ctx, s, func(row dbutil.Scannable) (k SpentKey, err error) {
		k.Until = until
		err = row.Scan(&k.Session, &k.RoomID, &k.Own)
		return k, err
	}, spentKeys, ms(until), limit)
	for i := range spent {
		if err == nil {
			k := spent[i]
			spent[i], _, err = one(ctx, s, func(row dbutil.Scannable) (SpentKey, error) {
				err := row.Scan(&k.Below, &k.InUse)
				return k, err
			}, keyInUse, k.Session, k.RoomID, k.Own, ms(until))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list message keys that are of no use: %w", err)
	}
	return spent, nil
}

// KeyCame lets a key that came, or came again, be looked at once more: what it opens may be gone
// by now.
func (s *Store) KeyCame(ctx context.Context, room, session string) error {
	return s.mark(ctx, "look again at a key of room "+room, keyCame, session, room)
}

// MarkForgotten records that a key was moved on, and forgets which of its messages were read and
// with whom the key was shared.
func (s *Store) MarkForgotten(ctx context.Context, k SpentKey) error {
	err := s.write(ctx, func(ctx context.Context) error {
		if _, err := s.exec(ctx, markForgotten, k.Session, k.RoomID, k.Own, ms(k.Until)); err != nil {
			return err
		}
		if _, err := s.exec(ctx, dropIndexes, k.Session, k.Below); err != nil {
			return err
		}
		_, err := s.exec(ctx, dropShared, k.Session)
		return err
	})
	if err != nil {
		return fmt.Errorf("mark a key of room %s forgotten: %w", k.RoomID, err)
	}
	return nil
}
