package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/spreekkamer/spreekkamer/config"
)

func runCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Run Spreekkamer until it is told to stop (SIGINT or SIGTERM)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(p.path)
			if err != nil {
				return err
			}
			err = p.run(cmd.Context(), c, newLog(c.Log, p.err))
			// Being told to stop is no failure, whatever was cut off by it.
			if cmd.Context().Err() != nil && errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		},
	}
}

func newLog(settings config.Log, out io.Writer) zerolog.Logger {
	if settings.Format == "console" {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: time.DateTime}
	}
	level, err := zerolog.ParseLevel(settings.Level)
	if err != nil { // the settings have been checked
		level = zerolog.InfoLevel
	}
	return zerolog.New(out).Level(level).With().Timestamp().Logger()
}
