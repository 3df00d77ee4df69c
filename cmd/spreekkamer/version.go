package main

import (
	"cmp"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print what was built, and from which libraries",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return fmt.Errorf("this binary was built without its build information")
			}
			p.version(info)
			return nil
		},
	}
}

func (p *program) version(info *debug.BuildInfo) {
	built := map[string]string{}
	for _, s := range info.Settings {
		built[s.Key] = s.Value
	}
	fmt.Fprintf(p.out, "spreekkamer %s\n", cmp.Or(info.Main.Version, "(devel)"))
	fmt.Fprintf(p.out, "commit %s of %s, changed since: %s\n", cmp.Or(built["vcs.revision"], "unknown"),
		cmp.Or(built["vcs.time"], "unknown"), cmp.Or(built["vcs.modified"], "unknown"))
	fmt.Fprintf(p.out, "%s %s/%s\n", info.GoVersion, built["GOOS"], built["GOARCH"])
	for _, d := range info.Deps {
		fmt.Fprintf(p.out, "%s %s\n", d.Path, d.Version)
	}
}
