// Package deploy holds the files of deploy/ and the Dockerfile against the programs that they
// start.
package deploy

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/unit"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
)

const top = "../../"

// directives are those that the units may use. systemd only warns about one that it does not know,
// so that a slip of the pen would silently leave a door open.
var directives = map[string][]string{
	"Unit": {"Description", "Wants", "After", "StartLimitIntervalSec"},
	"Service": {
		"Type", "ExecStart", "Environment", "EnvironmentFile", "LoadCredential", "StateDirectory", "Restart", "RestartSec",
		"RestartPreventExitStatus", "SuccessExitStatus", "TimeoutStartSec", "TimeoutStopSec", "WatchdogSec",
		"DynamicUser", "LimitNOFILE", "TimerSlackNSec", "UMask", "NoNewPrivileges", "CapabilityBoundingSet", "AmbientCapabilities",
		"ProtectSystem", "ProtectHome", "ProtectProc", "ProcSubset", "ProtectClock", "ProtectControlGroups",
		"ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "PrivateDevices",
		"PrivateTmp", "RemoveIPC", "MemoryMax", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime",
		"RestrictSUIDSGID", "LockPersonality", "MemoryDenyWriteExecute", "SystemCallArchitectures", "SystemCallFilter",
		"SystemCallErrorNumber",
	},
	"Install": {"WantedBy"},
}

// service reads a unit; a directive that stands several times keeps its values in order.
func service(t *testing.T, name string) map[string][]string {
	t.Helper()
	file, err := os.Open(filepath.Join(top, "deploy/systemd", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	options, err := unit.DeserializeOptions(file)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	values := make(map[string][]string)
	for _, option := range options {
		if !slices.Contains(directives[option.Section], option.Name) {
			t.Errorf("%s: [%s] %s is not a directive that we know", name, option.Section, option.Name)
		}
		values[option.Name] = append(values[option.Name], option.Value)
	}
	return values
}

func first(values []string) string { return strings.Join(values[:min(1, len(values))], "") }

func TestUnits(t *testing.T) {
	settings := config.Defaults()
	for name, c := range map[string]struct {
		program  string
		kind     string
		watchdog string
		start    time.Duration // it takes at most; 0: as long as it takes
		stop     time.Duration // it takes at most
		fatal    []int         // exit codes that no restart fixes
	}{
		"dispatcher.service":  {"dispatcher", "notify", "30s", fcmStart, dispatcherStop(settings), []int{daemon.ExitUsage, daemon.ExitCredentials}},
		"responder.service":   {"responder", "notify", "30s", 0, responderStop(settings), []int{daemon.ExitUsage, daemon.ExitCredentials}},
		"console.service":     {"fanfare", "exec", "", fcmStart, 0, []int{daemon.ExitUsage, daemon.ExitCredentials}},
		"dispatcher@.service": {"dispatcher", "oneshot", "", 0, dispatcherStop(settings), []int{daemon.ExitUsage, daemon.ExitCredentials, daemon.ExitStopped, daemon.ExitNoCampaign}},
	} {
		t.Run(name, func(t *testing.T) {
			unit := service(t, name)
			command := strings.Fields(first(unit["ExecStart"]))
			if filepath.Base(command[0]) != c.program {
				t.Errorf("starts %s", command[0])
			}
			if _, err := os.Stat(filepath.Join(top, "cmd", c.program)); err != nil {
				t.Error(err)
			}
			if first(unit["Type"]) != c.kind || first(unit["WatchdogSec"]) != c.watchdog {
				t.Errorf("type %v, watchdog %v", unit["Type"], unit["WatchdogSec"])
			}
			stop, err := time.ParseDuration(first(unit["TimeoutStopSec"]))
			if err != nil || stop <= c.stop {
				t.Errorf("is killed after %s, while a stop takes %s (%v)", stop, c.stop, err)
			}
			if limit := startTimeout(t, unit); c.start == 0 && limit != endless || limit <= c.start {
				t.Errorf("is killed when its start takes %s", limit)
			}
			checkMemory(t, unit["Environment"], first(unit["MemoryMax"])+"iB")
			if got := first(unit["RestartPreventExitStatus"]); got != join(c.fatal) {
				t.Errorf("is not restarted after %q, want %q", got, join(c.fatal))
			}
			if c.kind == "notify" && first(unit["SuccessExitStatus"]) != strconv.Itoa(daemon.ExitLeftover) {
				t.Errorf("a stop with work left counts as a failure: %v", unit["SuccessExitStatus"])
			}
			if first(unit["DynamicUser"]) != "yes" || first(unit["NoNewPrivileges"]) != "yes" || first(unit["CapabilityBoundingSet"]) != "" {
				t.Error("runs with privileges")
			}
			acceptVariables(t, unit["Environment"], command[1:])
		})
	}
}

func join(codes []int) string {
	words := make([]string, 0, len(codes))
	for _, code := range codes {
		words = append(words, strconv.Itoa(code))
	}
	return strings.Join(words, " ")
}
