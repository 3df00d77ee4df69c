package harness

import (
	"fmt"
	"os/exec"
	"syscall"
)

// nobody is the user and group id that means "no privileges" on every Linux.
const nobody = 65534

// startAsNobody starts a child of root as the user "nobody" who may still open every file:
// PostgreSQL refuses to run as root, but its program and its directories may lie where only
// root can go, such as a checkout below /root.
//
// The caller must be locked to its thread. The thread's "no setuid fixup" bit is what lets the
// capability count on the way to the program, and in access(2), which PostgreSQL asks whether
// it may run its own parts; the child inherits the bit.
func startAsNobody(cmd *exec.Cmd) error {
	const (
		capDacOverride = 1
		noSetuidFixup  = 1 << 2
	)
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	cmd.SysProcAttr.AmbientCaps = []uintptr{capDacOverride}
	if err := setSecureBits(noSetuidFixup); err != nil {
		return fmt.Errorf("keep a capability for a child that is not root: %w", err)
	}
	defer setSecureBits(0)
	return cmd.Start()
}

func setSecureBits(bits uintptr) error {
	const prSetSecureBits = 28
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetSecureBits, bits, 0); errno != 0 {
		return errno
	}
	return nil
}
