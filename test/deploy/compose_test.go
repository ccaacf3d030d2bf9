package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestComposeStartsOurPrograms holds the services of the compose file against the programs.
func TestComposeStartsOurPrograms(t *testing.T) {
	t.Parallel()
	var file struct {
		Services map[string]struct {
			Image       string
			Command     []string
			Environment map[string]string
			Grace       string `yaml:"stop_grace_period"`
			Memory      string `yaml:"mem_limit"`
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "deploy/compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	ours := 0
	for name, service := range file.Services {
		if service.Image != "fanfare" {
			continue
		}
		ours++
		if _, err := os.Stat(filepath.Join(top, "cmd", service.Command[0])); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var environ []string
		for variable, value := range service.Environment {
			environ = append(environ, variable+"="+value)
		}
		checkMemory(t, environ, strings.TrimSuffix(service.Memory, "m")+"MiB")
		if service.Grace != "60s" {
			t.Errorf("%s is killed after %q", name, service.Grace)
		}
		if name != "fcmsim" {
			acceptVariables(t, environ, service.Command[1:])
		}
	}
	if ours != 4 {
		t.Errorf("%d services are ours, want 4", ours)
	}
}
