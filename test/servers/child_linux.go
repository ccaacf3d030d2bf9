package servers

import (
	"os/exec"
	"syscall"
)

// KillWithParent makes the kernel kill a child when the test binary ends, even by a timeout.
func KillWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
