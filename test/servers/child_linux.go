package servers

import (
	"os/exec"
	"syscall"
)

// killWithParent makes the kernel kill the server when the test binary ends, even by a timeout.
func killWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
