package daemon

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionSaysWhatItWasBuiltFrom(t *testing.T) {
	for want, settings := range map[string][]debug.BuildSetting{
		"v1.2.0 (go1.26.8)":                         nil,
		"v1.2.0 (3f2a91c0d4e5, go1.26.8)":           {{Key: "vcs.revision", Value: "3f2a91c0d4e5f60718293a4b5c6d7e8f90a1b2c3"}},
		"v1.2.0 (3f2a91c0d4e5, modified, go1.26.8)": {{Key: "vcs.revision", Value: "3f2a91c0d4e5f60718293a4b5c6d7e8f90a1b2c3"}, {Key: "vcs.modified", Value: "true"}},
	} {
		info := &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.0"}, Settings: settings}
		if got := version(info); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := Version(); !strings.Contains(got, "go1.") {
		t.Errorf("this test was built from %q", got)
	}
}
