package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"fanfare/internal/config"
)

// The settings fill a table without gaps, and no name occurs twice.
func TestEveryKeyIsDescribed(t *testing.T) {
	names := make(map[string]string)
	for _, key := range config.Describe() {
		if key.Help == "" || strings.ContainsAny(key.Help, "\n|") {
			t.Errorf("%s: its meaning is not one line of a table: %q", key.Name, key.Help)
		}
		if key.Allowed == "" {
			t.Errorf("%s: nothing says what may be written", key.Name)
		}
		want := "FANFARE_" + strings.ToUpper(strings.ReplaceAll(key.Name, ".", "_"))
		if key.Env[0] != want {
			t.Errorf("%s: its variable is %s, want %s", key.Name, key.Env[0], want)
		}
		for _, name := range append(key.Env, key.Name) {
			if other, taken := names[name]; taken {
				t.Errorf("%s names both %s and %s", name, other, key.Name)
			}
			names[name] = key.Name
		}
	}
}

// Programs and people rely on these keys and variables.
func TestPromisedNames(t *testing.T) {
	promised := map[string]struct{ env, value string }{
		"dispatcher.concurrency": {"", "500"},
		"queue.lease":            {"", "15s"},
		"responder.batch":        {"", "1000"},
		"fcm.timeout":            {"", "15s"},
		"campaign.default_ttl":   {"", "24h"},
		"redis.url":              {"REDIS_URL", ""},
		"redis.host":             {"REDIS_HOST", "localhost"},
		"redis.port":             {"REDIS_PORT", "6379"},
		"redis.password":         {"REDIS_PASSWORD", ""},
		"redis.db":               {"REDIS_DB", "0"},
		"store.database_url":     {"DATABASE_URL", ""},
		"fcm.credentials_file":   {"GOOGLE_APPLICATION_CREDENTIALS", ""},
		"fcm.project_id":         {"FCM_PROJECT_ID", ""},
		"fcm.endpoint":           {"FCM_ENDPOINT", ""},
		"log.level":              {"LOG_LEVEL", "info"},
		"log.format":             {"LOG_FORMAT", "auto"},
		"names.campaign_prefix":  {"", "campaign:"},
		"names.responses":        {"", "notification:responses"},
	}
	for _, key := range config.Describe() {
		want, found := promised[key.Name]
		if !found {
			continue
		}
		if key.Default != want.value || want.env != "" && key.Env[1] != want.env {
			t.Errorf("%s: default %q, variables %q", key.Name, key.Default, key.Env)
		}
		delete(promised, key.Name)
	}
	for name := range promised {
		t.Errorf("%s is missing", name)
	}
}

const samplePath = "../../config.yaml"

var update = flag.Bool("update", false, "write config.yaml from the struct tags")

func TestSampleFileMatchesTheTags(t *testing.T) {
	if *update {
		if err := os.WriteFile(samplePath, []byte(config.Sample()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(samplePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != config.Sample() {
		t.Error("config.yaml differs from the settings; update it: go test ./internal/config -update")
	}
}

// Nothing changes for someone who starts from the sample.
func TestSampleFileContainsTheDefaults(t *testing.T) {
	fromSample, err := config.Load(samplePath, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defaults := config.Defaults().Values()
	for i, value := range fromSample.Values() {
		if value.Text != defaults[i].Text {
			t.Errorf("%s is %q in the sample, %q by default", value.Key.Name, value.Text, defaults[i].Text)
		}
		if value.Origin == "default" {
			t.Errorf("%s is missing from the sample", value.Key.Name)
		}
	}
}
