package threads

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// slack is by how much the kernel may delay the end of a sleep; its default is 50 µs. The runtime's
// monitor thread sleeps for 20 µs at a time while the program works. It preempts what runs for
// longer than 10 ms, and takes the processors of system calls that block, which are files here. A
// millisecond more is soon enough for both.
const slack = time.Millisecond

// Relax gives all threads of the program this slack. The monitor thread has been started by then,
// and inherits only what the process had: so the program is executed again, as the same process,
// with its arguments and environment. It costs the time of one start, which systemd's
// TimerSlackNSec=1ms saves. Where that is not possible, the program continues as it is.
//
// Call it first in main: nothing that is open survives it.
func Relax() {
	runtime.LockOSThread() // slack belongs to a thread
	defer runtime.UnlockOSThread()
	now, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || now >= int(slack) {
		return
	}
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0); err != nil {
		return
	}
	if path, err := os.Executable(); err == nil {
		_ = syscall.Exec(path, os.Args, os.Environ())
	}
}
