package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/spreekkamer/spreekkamer/app"
	"github.com/spreekkamer/spreekkamer/config"
)

// healthCommand lets the binary check itself: an image without a shell has nothing else.
func healthCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running Spreekkamer whether it is well",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(p.path)
			if err != nil {
				return err
			}
			if err := app.CheckHealth(cmd.Context(), c.Listen); err != nil {
				return err
			}
			fmt.Fprintln(p.out, "well")
			return nil
		},
	}
}
