package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// secretFiles are what the deployment guide has people put beside the sources, and what else
// commonly holds a key.
var secretFiles = []string{
	"firebase.json", "secrets.env", ".env", ".env.production", "tls.pem", "ca/server.key", "AuthKey_ABC.p8", "account.json",
	"my-project-firebase-adminsdk-x1.json", "service-account.json", "deploy/firebase.json", "deploy/kubernetes/secrets.env",
}

// TestSecretsAreNeitherCommittedNorBuiltIn asks git itself, and reads .dockerignore as Docker does.
func TestSecretsAreNeitherCommittedNorBuiltIn(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, ".gitignore"), []byte(read(t, ".gitignore")), 0o600); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) error {
		command := exec.CommandContext(t.Context(), "git", args...)
		command.Dir = folder
		return command.Run()
	}
	if err := git("init", "--quiet"); err != nil {
		t.Fatal(err)
	}
	patterns := strings.Fields(read(t, ".dockerignore"))
	for _, name := range secretFiles {
		if err := git("check-ignore", "--quiet", name); err != nil {
			t.Errorf("git would take %s: %v", name, err)
		}
		if !dockerIgnores(t, patterns, name) {
			t.Errorf("docker build would take %s", name)
		}
	}
	for _, name := range []string{"config.yaml", "examples/message.json", "go.mod", "cmd/fanfare/main.go"} {
		if git("check-ignore", "--quiet", name) == nil || dockerIgnores(t, patterns, name) {
			t.Errorf("%s is left out", name)
		}
	}
}

// dockerIgnores reports whether a pattern matches the file, in any folder where it begins with
// "**/".
func dockerIgnores(t *testing.T, patterns []string, name string) bool {
	t.Helper()
	for _, pattern := range patterns {
		of := name
		if anywhere, found := strings.CutPrefix(pattern, "**/"); found {
			pattern, of = anywhere, filepath.Base(name)
		}
		matched, err := filepath.Match(pattern, of)
		if err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		if matched {
			return true
		}
	}
	return false
}

var postgresURL = regexp.MustCompile(`postgres(?:ql)?://[^\s"'` + "`" + `,|)]*`)

// TestSamplesReachPostgreSQLByTLS holds every address that people copy.
func TestSamplesReachPostgreSQLByTLS(t *testing.T) {
	found := 0
	for _, name := range []string{"docs/contract.md", "docs/settings.md", "config.yaml", "deploy/README.md", "deploy/kubernetes/secret.example.yaml"} {
		for _, address := range postgresURL.FindAllString(read(t, name), -1) {
			found++
			if !strings.Contains(address, "sslmode=verify-full") && !strings.Contains(address, "@localhost") {
				t.Errorf("%s: %s does without TLS", name, address)
			}
		}
	}
	if found < 4 {
		t.Errorf("only %d addresses were found", found)
	}
}
