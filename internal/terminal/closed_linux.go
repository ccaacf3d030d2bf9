package terminal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// isClosedAtStart reports whether standard output was closed (>&-) when the program began. Go's runtime has opened /dev/null in its
// place by now, for reading and writing. Shells, systemd and most programs that discard an output open it for writing only. The
// languages below open it as the runtime does, and so does what makes daemons, for standard error as well: their children are
// not told apart from a closed output, and count as discarding it.
func isClosedAtStart() bool {
	if !isNullReadWrite(1) || isNullReadWrite(2) {
		return false
	}
	if isThisProgram(os.Getenv("_")) {
		return true // a shell has started it
	}
	parent := fmt.Sprintf("/proc/%d/", os.Getppid())
	if theirs, err := os.Readlink(parent + "fd/1"); err == nil && theirs == os.DevNull {
		return false // inherited
	}
	exe, err := os.Readlink(parent + "exe")
	return err == nil && !opensNullReadWrite(filepath.Base(exe))
}

// isThisProgram reports whether a path, as shells leave it in $_, is that of the running program.
func isThisProgram(path string) bool {
	named, err := os.Stat(path)
	if path == "" || err != nil {
		return false
	}
	running, err := os.Stat("/proc/self/exe")
	return err == nil && os.SameFile(named, running)
}

func isNullReadWrite(fd int) bool {
	if path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err != nil || path != os.DevNull {
		return false
	}
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
	return errno == 0 && flags&syscall.O_ACCMODE == syscall.O_RDWR
}

// opensNullReadWrite reports whether a program gives its children /dev/null for reading and writing to discard their output.
func opensNullReadWrite(program string) bool {
	for _, name := range []string{"python", "node", "bun", "deno", "ruby", "perl", "php", "pypy"} {
		if strings.HasPrefix(program, name) {
			return true
		}
	}
	return false
}
