package daemon

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// Version says what was built from what, for --version: "v1.2.0 (3f2a91c, modified, go1.26.8)".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return version(info)
}

func version(info *debug.BuildInfo) string {
	setting := make(map[string]string)
	for _, s := range info.Settings {
		setting[s.Key] = s.Value
	}
	var details []string
	if revision := setting["vcs.revision"]; revision != "" {
		details = append(details, revision[:min(len(revision), 12)])
	}
	if setting["vcs.modified"] == "true" {
		details = append(details, "modified")
	}
	details = append(details, info.GoVersion)
	return fmt.Sprintf("%s (%s)", info.Main.Version, strings.Join(details, ", "))
}
