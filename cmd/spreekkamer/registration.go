package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/spreekkamer/spreekkamer/app"
	"github.com/spreekkamer/spreekkamer/config"
)

func registrationCommand(p *program) *cobra.Command {
	var write bool
	cmd := &cobra.Command{
		Use:   "registration",
		Short: "Print the registration for the homeserver: the one that exists, or a new one",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := config.Load(p.path)
			if err != nil {
				return err
			}
			return p.registration(c, write)
		},
	}
	cmd.Flags().BoolVar(&write, "write", false, "write a new one to the file that the settings name, readable only for you")
	return cmd
}

// registration never makes new tokens when there is a file: the homeserver may be using it.
func (p *program) registration(c config.Config, write bool) error {
	r, err := app.LoadRegistration(c)
	switch {
	case err == nil && write:
		fmt.Fprintf(p.err, "%s exists and fits; nothing was changed\n", c.Registration)
		return nil
	case errors.Is(err, os.ErrNotExist):
		r = app.NewRegistration(c)
	case err != nil:
		return err
	}
	if write {
		if err := r.Write(c.Registration); err != nil {
			return err
		}
		fmt.Fprintf(p.err, "wrote %s; name it in the homeserver's configuration and restart the homeserver\n", c.Registration)
		return nil
	}
	text, err := r.YAML()
	if err != nil {
		return err
	}
	_, err = p.out.Write(text)
	return err
}
