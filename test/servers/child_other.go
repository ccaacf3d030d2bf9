//go:build !linux

package servers

import "os/exec"

// killWithParent does nothing, since only Linux can do it.
func dieWithParent(*exec.Cmd) {}
