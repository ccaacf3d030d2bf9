package config_test

import (
	"strings"
	"testing"

	"fanfare/internal/config"
)

// TestKeysAreDescribed proves that a table made of them has no hole and no name twice.
func TestKeysAreDescribed(t *testing.T) {
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

// TestPromisedNames holds the keys and variables that programs and people already rely on.
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
