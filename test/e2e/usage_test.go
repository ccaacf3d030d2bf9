package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"fanfare/test/servers"
)

// TestWrongSettings wants exit code 2, and the setting named, from every program.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{Database: "sqlite:" + t.TempDir() + "/fanfare.db"})
	for name, test := range map[string]struct {
		config string
		env    []string
		args   []string
		names  string
	}{
		"unknown key":           {config: "queue:\n  laese: 3s\n", names: "queue.laese"},
		"unknown section":       {config: "queues:\n  lease: 3s\n", names: "queues"},
		"bad value":             {config: "redis:\n  port: seventy\n", names: "redis.port"},
		"value out of bounds":   {config: "redis:\n  port: 0\n", names: "redis.port"},
		"file that is not YAML": {config: "queue: [\n", names: "config.yaml"},
		"unknown variable":      {env: []string{"FANFARE_QUEUE_LAESE=3s"}, names: "FANFARE_QUEUE_LAESE"},
		"bad variable":          {env: []string{"FANFARE_QUEUE_LEASE=soon"}, names: "queue.lease"},
		"conventional variable": {env: []string{"REDIS_PORT=seventy"}, names: "redis.port"},
		"bad flag":              {args: []string{"--redis.port=seventy"}, names: "redis.port"},
		"unknown flag":          {args: []string{"--rediss.port=7"}, names: "rediss.port"},
		"missing file":          {args: []string{"--config=/nowhere/config.yaml"}, names: "/nowhere/config.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.config != "" {
				test.args = append(test.args, "--config="+s.File("config.yaml", test.config))
			}
			for _, program := range [][]string{{"dispatcher"}, {"responder"}, {"fanfare", "campaign", "list"}} {
				p := s.Start(test.env, program[0], append(program[1:], test.args...)...)
				if code := p.Wait(); code != 2 || !strings.Contains(p.Log(), test.names) {
					t.Errorf("%s exited %d saying %q, want 2 and %q named", program[0], code, p.Log(), test.names)
				}
			}
		})
	}
}

// TestHelpThatCannotBeWritten wants exit code 1 from a program whose output goes nowhere.
func TestHelpThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = full.Close() })
	for _, program := range []string{"dispatcher", "responder", "fanfare", "fcmsim"} {
		command := exec.CommandContext(t.Context(), programs.Path(program), "--help")
		command.Stdout = full
		if err := command.Run(); command.ProcessState.ExitCode() != 1 {
			t.Errorf("%s --help: %v, want exit code 1", program, err)
		}
	}
}

// TestWrongUse wants exit code 2 for a command that cannot be carried out as it was given.
func TestWrongUse(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	for name, command := range map[string][]string{
		"unknown command":            {"fanfare", "champaign"},
		"responder without database": {"responder"},
		"project missing":            {"dispatcher", "--fcm.project_id="},
	} {
		t.Run(name, func(t *testing.T) {
			var env []string
			if name == "project missing" {
				env = []string{"FCM_PROJECT_ID="}
			}
			p := s.Start(env, command[0], command[1:]...)
			if code := p.Wait(); code != 2 || p.Log() == "" {
				t.Errorf("%v exited %d saying %q, want 2 and why", command, code, p.Log())
			}
		})
	}
}
