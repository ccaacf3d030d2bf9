//go:build !linux

package threads

// Relax does nothing: only Linux delays the ends of sleeps on request.
func Relax() {}
