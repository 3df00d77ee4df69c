package store

import (
	"context"
	"fmt"

	"github.com/spreekkamer/spreekkamer/care"
	"go.mau.fi/util/dbutil"
)

const (
	derdeColumns = `SELECT id, person, who, ground, attested_at, ended_at FROM derde `
	getDerde     = derdeColumns + `WHERE id = $1`
	derdenOf     = derdeColumns + `WHERE person = $1 ORDER BY attested_at, id`
	putDerde     = `
		INSERT INTO derde (id, person, who, ground, attested_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET
			who = excluded.who, ground = excluded.ground, attested_at = excluded.attested_at, ended_at = excluded.ended_at
	`
)

// who is what of a Derde is sealed.
type who struct {
	Name     string
	Birth    care.Date
	Relation string
	Identity care.Identity
}

// SaveDerde stores a Derde; who it is, is sealed.
func (s *Store) SaveDerde(ctx context.Context, d care.Derde) error {
	sealed, err := s.seal.close("derde.who", d.ID, who{d.Name, d.BirthDate, d.Relation, d.Identity})
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, putDerde, d.ID, d.Person, sealed, d.Ground, ms(d.AttestedAt), ms(d.EndedAt)); err != nil {
		return fmt.Errorf("save derde %s: %w", d.ID, err)
	}
	return nil
}

// Derde finds a Derde.
func (s *Store) Derde(ctx context.Context, id string) (care.Derde, bool, error) {
	d, found, err := one(ctx, s, s.scanDerde, getDerde, id)
	if err != nil {
		return care.Derde{}, false, fmt.Errorf("get derde %s: %w", id, err)
	}
	return d, found, nil
}

// Derden is everyone a person has named, in that order, also those that are no longer valid.
func (s *Store) Derden(ctx context.Context, person string) ([]care.Derde, error) {
	derden, err := list(ctx, s, s.scanDerde, derdenOf, person)
	if err != nil {
		return nil, fmt.Errorf("list the derden of person %s: %w", person, err)
	}
	return derden, nil
}

func (s *Store) scanDerde(row dbutil.Scannable) (d care.Derde, err error) {
	var sealed []byte
	var attested, ended int64
	if err = row.Scan(&d.ID, &d.Person, &sealed, &d.Ground, &attested, &ended); err != nil {
		return care.Derde{}, err
	}
	var w who
	if err = s.seal.open("derde.who", d.ID, sealed, &w); err != nil {
		return care.Derde{}, err
	}
	d.Name, d.BirthDate, d.Relation, d.Identity = w.Name, w.Birth, w.Relation, w.Identity
	d.AttestedAt, d.EndedAt = at(attested), at(ended)
	return d, nil
}
