package harness

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// nobody is the user and group id that means "no privileges" on every Linux.
const nobody = 65534

// dropRoot makes a child of root run as the user "nobody" who may still open every file:
// PostgreSQL refuses to run as root, but its program and its directories may lie where only
// root can go. The capability for that takes effect once the program runs; to get that far,
// the program is opened here and handed over as a file, and its working directory is ours.
func dropRoot(cmd *exec.Cmd) (closeProgram func(), err error) {
	const capDacOverride = 1
	program, err := os.Open(cmd.Path)
	if err != nil {
		return nil, fmt.Errorf("open the program: %w", err)
	}
	cmd.ExtraFiles = []*os.File{program} // becomes number 3, after the standard streams
	cmd.Path = "/proc/self/fd/3"         // Args[0] keeps the real path, from which it finds its own files
	cmd.Dir = ""
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	cmd.SysProcAttr.AmbientCaps = []uintptr{capDacOverride}
	return func() { program.Close() }, nil
}
