// Command spreekkamer is the consulting room: a Matrix application service through which
// patients and their GP practice talk. Each subcommand is a file of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // Europe/Amsterdam decides about birthdays and months, also in an image without zones

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/spreekkamer/spreekkamer/app"
	"github.com/spreekkamer/spreekkamer/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, program{run: app.Run, out: os.Stdout, err: os.Stderr}, os.Args[1:]))
}

// A program is what the commands share.
type program struct {
	run      func(context.Context, config.Config, zerolog.Logger) error
	out, err io.Writer
	path     string // of the config file
}

// errUnwell ends with exit code 1 after everything has been said already.
var errUnwell = errors.New("not well")

// execute runs one command and gives the exit code.
func execute(ctx context.Context, p program, args []string) int {
	root := &cobra.Command{
		Use:           "spreekkamer",
		Short:         "A consulting room in Matrix for patients and their GP practice",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVarP(&p.path, "config", "c", "config.yaml", "the settings; config.example.yaml explains them")
	root.SetArgs(args)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.AddCommand(runCommand(&p), registrationCommand(&p), keysCommand(&p),
		doctorCommand(&p), healthCommand(&p), versionCommand(&p))
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errUnwell) {
		fmt.Fprintln(p.err, "spreekkamer:", sentence(p.path, err))
	}
	return 1
}

// sentence says what is wrong with the settings as a list, and anything else as it is.
func sentence(path string, err error) string {
	var found config.Mistakes
	if !errors.As(err, &found) {
		return err.Error()
	}
	things := "1 thing"
	if len(found) > 1 {
		things = fmt.Sprint(len(found), " things")
	}
	list := strings.ReplaceAll(found.Error(), "\n", "\n  ")
	return fmt.Sprintf("%s to mend in the settings (%s):\n  %s", things, path, list)
}
