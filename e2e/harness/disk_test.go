package harness

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A writer adds a line to a file at each line that it reads, and says whether that worked.
func writer(t *testing.T, file string) (p *Process, write func() string) {
	t.Helper()
	in, commands, err := os.Pipe()
	require.NoError(t, err)
	answers, out, err := os.Pipe()
	require.NoError(t, err)
	script := `trap '' XFSZ; while read line; do if (echo a longer line >> "$0") 2>/dev/null; then echo y; else echo n; fi; done`
	p, err = StartProcess(Command{Path: "/bin/sh", Args: []string{"-c", script, file}, Stdin: in, Stdout: out})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Kill()) })
	return p, func() string {
		_, err := commands.WriteString("go\n")
		require.NoError(t, err)
		answer := make([]byte, 2)
		_, err = answers.Read(answer)
		require.NoError(t, err)
		return string(answer[:1])
	}
}

func TestADiskIsFullAndHasRoomAgain(t *testing.T) {
	for name, mounted := range map[string]bool{"as it can be had here": true, "by a limit on the writer": false} {
		t.Run(name, func(t *testing.T) {
			d, err := NewDisk(filepath.Join(t.TempDir(), "disk"), 1<<20)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, d.Remove()) })
			if !mounted {
				require.NoError(t, d.Remove())
				d.mounted = false
			}
			p, write := writer(t, filepath.Join(d.Dir, "file"))
			assert.Equal(t, "y", write())
			require.NoError(t, d.Fill(p))
			for range 500 { // what is left of the last block
				if write() == "n" {
					break
				}
			}
			assert.Equal(t, "n", write())
			require.NoError(t, d.Free(p))
			assert.Equal(t, "y", write())
			require.NoError(t, p.Signal(syscall.SIGKILL))
			<-p.Done()
		})
	}
}
