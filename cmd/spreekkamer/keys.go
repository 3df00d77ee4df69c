package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/spreekkamer/spreekkamer/config"
)

func keysCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "keys",
		Short: "Make the master key if there is none, readable only for you",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := config.Load(p.path)
			if err != nil {
				return err
			}
			return p.keys(c)
		},
	}
}

func (p *program) keys(c config.Config) error {
	if c.Secrets.Key != "" {
		fmt.Fprintln(p.err, "the master key is in the settings (secrets.key); no file was made")
		return nil
	}
	created, err := c.CreateMasterKey()
	if err != nil {
		return err
	}
	if _, err := c.MasterKey(); err != nil {
		return err
	}
	if created {
		fmt.Fprintf(p.err, "wrote %s; put it in your backup, apart from the database's\n", c.Secrets.KeyFile)
		return nil
	}
	fmt.Fprintf(p.err, "%s exists and is a master key; nothing was changed\n", c.Secrets.KeyFile)
	return nil
}
