package servers

import (
	"os/exec"
	"syscall"
)

// dieWithParent lets no server outlive a test binary that was killed or ran into its timeout.
func dieWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
