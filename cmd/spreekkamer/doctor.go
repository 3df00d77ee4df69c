package main

import (
	"github.com/spf13/cobra"

	"github.com/spreekkamer/spreekkamer/app"
	"github.com/spreekkamer/spreekkamer/config"
)

func doctorCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look at everything that can be wrong and say what to do; changes nothing",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !app.NewDoctor(config.Load(p.path)).Run(cmd.Context(), p.out) {
				return errUnwell
			}
			return nil
		},
	}
}
