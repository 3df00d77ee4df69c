// Package app wires the parts of Spreekkamer together and runs them.
package app

import (
	"context"
	"errors"

	"github.com/rs/zerolog"

	"github.com/spreekkamer/spreekkamer/config"
)

// Run starts everything and returns when ctx ends or something fails for good.
func Run(_ context.Context, _ config.Config, _ zerolog.Logger) error {
	return errors.New("not wired yet")
}
