package his_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// This is a connector to copy: the least that passes the suite. Its system is a map. In
// package his, Bundle stands for check and filedAnew: it refuses what nobody can file, and
// its Identifier is the item's name in its edition.

// system is what you connect to: it keeps things by a name that we choose.
type system struct {
	mu      sync.Mutex
	records map[uuid.UUID]record
	down    bool
	calls   int // since dieAt was set
	dieAt   int // the call at which the connection breaks, before and after it is done; 0: never
}

type record struct {
	seq     int
	subject string // whose record it is in
	words   string
	files   [][]byte
}

var errDown = errors.New("the system is down")

// put makes a record under a name, and says whether it was there.
func (s *system) put(id uuid.UUID, r record) (there bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls++; s.down || s.dieAt > 0 && s.calls == s.dieAt {
		return false, errDown
	}
	if _, there = s.records[id]; !there {
		s.records[id] = r
	}
	if s.dieAt > 0 && s.calls == s.dieAt-1 {
		return false, errDown // it is there, but nobody heard
	}
	return there, nil
}

// skeleton is the connector.
type skeleton struct{ system *system }

func (c skeleton) File(ctx context.Context, item his.Item) (his.Receipt, error) {
	bundle, err := his.Bundle(item) // refuses what cannot be filed
	if err != nil {
		return his.Receipt{}, err
	}
	id, err := uuid.Parse(bundle.Identifier.Value)
	if err != nil {
		return his.Receipt{}, fmt.Errorf("file item %s: %w", item.ID, err)
	}
	r := record{seq: item.Seq, subject: item.Conversation.Patient.BSN, words: his.Readable(item, nil)}
	if d := item.Conversation.Derde; d != nil && d.Patient != nil {
		r.subject = d.Patient.BSN
	}
	for n, a := range item.Attachments {
		data, err := read(a)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return his.Receipt{}, fmt.Errorf("file item %s: attachment %d: %w", item.ID, n+1, err)
		}
		r.files = append(r.files, data)
	}
	there, err := c.system.put(id, r)
	if err != nil {
		return his.Receipt{}, fmt.Errorf("file item %s: %w", item.ID, err) // tried again
	}
	return his.Receipt{Reference: id.String(), Already: there}, nil
}

// read takes an attachment whole, or not at all.
func read(a his.Attachment) ([]byte, error) {
	r, err := a.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err == nil && int64(len(data)) != a.Size {
		err = errors.New("the data is not what was announced")
	}
	return data, err
}

func (c skeleton) Check(context.Context) error {
	c.system.mu.Lock()
	defer c.system.mu.Unlock()
	if c.system.down {
		return errDown
	}
	return nil
}

func TestTheSkeletonConforms(t *testing.T) {
	histest.Run(t, func(testing.TB) histest.Fixture {
		s := &system{records: map[uuid.UUID]record{}}
		return histest.Fixture{
			Connector: skeleton{s},
			Filed:     func(testing.TB) []histest.Filed { return s.show() },
			Break: func(testing.TB) func() {
				s.down = true
				return func() { s.down = false }
			},
			Interrupt: func(t testing.TB, item his.Item, step int) (his.Connector, bool) {
				s.calls, s.dieAt = 0, 2-step // the only call is lost after it, before it, and then never
				_, err := skeleton{s}.File(t.Context(), item)
				s.dieAt = 0
				return skeleton{s}, err != nil
			},
		}
	})
}

func (s *system) show() (filed []histest.Filed) {
	for id, r := range s.records {
		f := histest.Filed{ID: id, Record: r.words, Subject: r.subject}
		for _, data := range r.files {
			f.Attachments = append(f.Attachments, sha256.Sum256(data))
		}
		filed = append(filed, f)
	}
	slices.SortFunc(filed, func(a, b histest.Filed) int { return s.records[a.ID].seq - s.records[b.ID].seq })
	return mark(filed)
}
