//go:build !linux

package servers

import "os/exec"

// KillWithParent does nothing, since only Linux can do it.
func KillWithParent(*exec.Cmd) {}
