package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"fanfare/internal/config"
)

// acceptVariables loads the settings from variables and flags as a file in deploy/ gives them to a
// program.
func acceptVariables(t *testing.T, environ, args []string) {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags)
	flags.String("campaign", "", "the dispatcher's own")
	for _, name := range []string{"listen", "metrics", "host"} {
		flags.String(name, "", "the console's own")
	}
	flags.Bool("operate", false, "the console's own")
	if err := flags.Parse(args); err != nil {
		t.Error(err)
	}
	empty := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var here []string
	for _, variable := range environ {
		if !strings.HasPrefix(variable, config.FileVariable+"=") { // it names a file of the target machine
			here = append(here, variable)
		}
	}
	if _, err := config.Load(empty, flags, here); err != nil {
		t.Errorf("the program would refuse this: %v", err)
	}
}

// acceptFile loads settings that a file in deploy/ carries.
func acceptFile(t *testing.T, content string) config.Settings {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load(file, nil, nil)
	if err != nil {
		t.Errorf("the program would refuse this: %v", err)
	}
	return settings
}
