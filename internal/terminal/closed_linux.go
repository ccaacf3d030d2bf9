package terminal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// isClosedAtStart reports whether standard output was closed (>&-) when the program started. Go's
// runtime has since opened /dev/null in its place, for reading and writing. Shells, systemd and
// most programs that discard an output open /dev/null for writing only. Some languages (see
// opensNullReadWrite) open it like the runtime. Daemonizers do so for standard error, too. Their
// children count as discarding the output, because they look the same.
func isClosedAtStart() bool {
	if !isNullReadWrite(1) || isNullReadWrite(2) {
		return false
	}
	if isThisProgram(os.Getenv("_")) {
		return true // a shell started it
	}
	parent := fmt.Sprintf("/proc/%d/", os.Getppid())
	if theirs, err := os.Readlink(parent + "fd/1"); err == nil && theirs == os.DevNull {
		return false // inherited
	}
	exe, err := os.Readlink(parent + "exe")
	return err == nil && !opensNullReadWrite(filepath.Base(exe))
}

// isThisProgram reports whether a path, as shells set it in $_, is that of the running program.
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

// opensNullReadWrite reports whether a program discards its children's output with /dev/null opened
// for reading and writing.
func opensNullReadWrite(program string) bool {
	for _, name := range []string{"python", "node", "bun", "deno", "ruby", "perl", "php", "pypy"} {
		if strings.HasPrefix(program, name) {
			return true
		}
	}
	return false
}
