package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"fanfare/internal/config"
)

// load reads the settings from YAML text, command-line words and environment variables.
func load(t *testing.T, yaml string, args, environ []string) (config.Settings, error) {
	t.Helper()
	file := ""
	if yaml != "" {
		file = writeFile(t, yaml)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return config.Load(file, flags, environ)
}

func writeFile(t *testing.T, yaml string) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "fanfare.yaml")
	if err := os.WriteFile(name, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func mustLoad(t *testing.T, yaml string, args, environ []string) config.Settings {
	t.Helper()
	settings, err := load(t, yaml, args, environ)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

func TestFlagOverEnvironmentOverFileOverDefault(t *testing.T) {
	var (
		inFile = "queue: {lease: 1s}"
		inEnv  = []string{"FANFARE_QUEUE_LEASE=2s"}
		inFlag = []string{"--queue.lease=3s"}
	)
	for name, c := range map[string]struct {
		yaml       string
		args, env  []string
		want       time.Duration
		wantOrigin string
	}{
		"nothing":  {"", nil, nil, 15 * time.Second, "default"},
		"file":     {inFile, nil, nil, time.Second, "fanfare.yaml:1"},
		"env":      {inFile, nil, inEnv, 2 * time.Second, "environment FANFARE_QUEUE_LEASE"},
		"flag":     {inFile, inFlag, inEnv, 3 * time.Second, "flag --queue.lease"},
		"env only": {"", nil, inEnv, 2 * time.Second, "environment FANFARE_QUEUE_LEASE"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := mustLoad(t, c.yaml, c.args, c.env)
			if settings.Queue.Lease != c.want {
				t.Errorf("lease is %s, want %s", settings.Queue.Lease, c.want)
			}
			if got := valueOf(t, settings, "queue.lease").Origin; !strings.HasSuffix(got, c.wantOrigin) {
				t.Errorf("origin is %q, want %q", got, c.wantOrigin)
			}
		})
	}
}

func valueOf(t *testing.T, settings config.Settings, key string) config.Value {
	t.Helper()
	for _, value := range settings.Values() {
		if value.Key.Name == key {
			return value
		}
	}
	t.Fatalf("no setting is called %s", key)
	return config.Value{}
}

// Each key can be set by each of its names to something other than its default.
func TestEveryKeyCanBeSetEverywhere(t *testing.T) {
	other := map[string]string{
		"redis.url": "redis://h:1/2", "redis.mode": "cluster", "redis.addresses": "a:1,b:2",
		"redis.sentinel_master": "m", "fcm.endpoint": "https://h/v1", "store.database_url": "sqlite:x",
		"fcm.client": "sdk", "log.level": "debug", "log.format": "json", "http.dispatcher": "off", "http.responder": ":1",
		"store.token_query": "off", "store.token_clear": "off", "store.profile_query": "SELECT 1", "store.suppression_query": "SELECT 1",
		"pacing.enabled": "false", "breaker.enabled": "false", "webhooks.url": "https://example.com/hooks",
	}
	company := map[string][]string{ // what a key cannot be set without
		"redis.addresses":       {"FANFARE_REDIS_MODE=cluster"},
		"redis.tls.ca_file":     {"FANFARE_REDIS_TLS_ENABLED=true"},
		"redis.tls.cert_file":   {"FANFARE_REDIS_TLS_ENABLED=true", "FANFARE_REDIS_TLS_KEY_FILE=k"},
		"redis.tls.key_file":    {"FANFARE_REDIS_TLS_ENABLED=true", "FANFARE_REDIS_TLS_CERT_FILE=c"},
		"redis.tls.server_name": {"FANFARE_REDIS_TLS_ENABLED=true"},
		"retry.max_backoff":     {"FANFARE_RETRY_MIN_BACKOFF=1s"},
		"queue.max_element":     {"FANFARE_QUEUE_CLAIM_BYTES=8MiB"},
		"dispatcher.projects":   {"FANFARE_CONFIG=" + writeFile(t, "projects: {other: {}}")},
	}
	byDefault := config.Defaults().Values()
	for i, key := range config.Describe() {
		value, listed := other[key.Name]
		switch {
		case listed:
		case strings.Contains(key.Allowed, "duration"):
			value = "7s"
		case strings.Contains(key.Allowed, "size"):
			value = "5MiB"
		case strings.Contains(key.Allowed, "whole number"):
			value = "7"
		case strings.Contains(key.Allowed, "true or false"):
			value = "true"
		default:
			value = "other"
		}
		set := func(how string, args, env []string) {
			env = append(env, company[key.Name]...)
			got := valueOf(t, mustLoad(t, "", args, env), key.Name)
			if got.Text == byDefault[i].Text || got.Origin == "default" {
				t.Errorf("%s set by %s stays %q (%s)", key.Name, how, got.Text, got.Origin)
			}
		}
		for _, name := range key.Env {
			set(name, nil, []string{name + "=" + value})
		}
		if !key.Secret {
			set("flag", []string{"--" + key.Name + "=" + value}, nil)
		}
	}
}

func TestOurVariableWinsOverTheConventionalOne(t *testing.T) {
	environ := []string{"REDIS_HOST=app", "FANFARE_REDIS_HOST=ours"}
	slices.Sort(environ)
	if got := mustLoad(t, "", nil, environ).Redis.Host; got != "ours" {
		t.Errorf("host is %q", got)
	}
}

func TestEmptyVariableIsNoSetting(t *testing.T) {
	settings := mustLoad(t, "log: {level: warn}", nil, []string{"LOG_LEVEL=", "REDIS_PASSWORD="})
	if settings.Log.Level != "warn" {
		t.Errorf("level is %q", settings.Log.Level)
	}
}

func TestFileNamedByTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.yaml")
	if err := os.WriteFile(file, []byte("dispatcher: {concurrency: 7}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load("", nil, []string{"FANFARE_CONFIG=" + file, "PATH=/bin"})
	if err != nil {
		t.Fatal(err)
	}
	if settings.Dispatcher.Concurrency != 7 {
		t.Errorf("concurrency is %d", settings.Dispatcher.Concurrency)
	}
}

func TestFormsOfValues(t *testing.T) {
	settings := mustLoad(t, `
redis: {mode: sentinel, sentinel_master: m, addresses: [a:1, b:2], password: ~}
queue: {max_element: 2048}
log: {level: WARN}
http: {dispatcher: off, responder: ""}
store: {token_query: off, profile_query: "SELECT 1"}
`, nil, nil)
	if got := settings.Redis.Addresses; !slices.Equal(got, []string{"a:1", "b:2"}) {
		t.Errorf("addresses are %q", got)
	}
	if settings.Queue.MaxElement != 2048 || settings.Log.Level != "warn" {
		t.Errorf("max_element %d, level %q", settings.Queue.MaxElement, settings.Log.Level)
	}
	if settings.HTTP.Dispatcher != "" || settings.HTTP.Responder != "" {
		t.Errorf("off is %q and %q", settings.HTTP.Dispatcher, settings.HTTP.Responder)
	}
	store := settings.Store
	if !store.TokenQuery.IsOff() || store.TokenQuery.SQL() != "" {
		t.Errorf("token_query off is %q", store.TokenQuery)
	}
	if store.TokenClear.IsOff() || store.TokenClear.SQL() != "" {
		t.Errorf("token_clear default is %q", store.TokenClear)
	}
	if store.ProfileQuery.SQL() != "SELECT 1" {
		t.Errorf("profile_query is %q", store.ProfileQuery)
	}
}

func TestSwitchNeedsNoValue(t *testing.T) {
	if !mustLoad(t, "", []string{"--redis.tls.enabled", "--redis.host=h"}, nil).Redis.TLS.Enabled {
		t.Error("--redis.tls.enabled alone does not switch it on")
	}
}

func TestFlagsOfChosenSections(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags, "queue", "redis")
	if flags.Lookup("queue.lease") == nil || flags.Lookup("fcm.timeout") != nil {
		t.Error("not the flags of queue and redis alone")
	}
	if flags.Lookup("redis.password") != nil {
		t.Error("a password on the command line can be read by others")
	}
	if got := flags.Lookup("queue.lease").DefValue; got != "15s" {
		t.Errorf("--help shows %q as the default", got)
	}
}

// The error names the line that would be overridden or ignored.
func TestYAMLThatWouldBeIgnoredInPartIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"a dotted key":                   {"redis:\n  tls:\n    enabled: true\nredis.tls.enabled: false\n", ":4: redis.tls.enabled: is written with dots"},
		"a dotted key alone":             {"redis.tls.enabled: false\n", ":1: redis.tls.enabled: is written with dots"},
		"a dotted key in quotes":         {"\"queue.lease\": 1s\n", ":1: queue.lease: is written with dots"},
		"a dotted key in a section":      {"redis:\n  tls.enabled: false\n", ":2: redis.tls.enabled: is written with dots"},
		"a dotted key in other letters":  {"Redis.TLS.Enabled: false\n", ":1: Redis.TLS.Enabled: is written with dots"},
		"a second document":              {"queue: {lease: 1s}\n---\nqueue: {lease: 2s}\n", ":3: starts a second YAML document"},
		"a second document of comments":  {"queue: {lease: 1s}\n---\n# nothing\n", ""},
		"a first line of dashes":         {"---\nqueue: {lease: 1s}\n", ""},
		"an end of the document":         {"queue: {lease: 1s}\n...\n", ""},
		"a broken second document":       {"queue: {lease: 1s}\n---\nqueue: {lease\n", "not YAML"},
		"a third document":               {"queue: {lease: 1s}\n---\n---\nqueue: {lease: 2s}\n", ":4: starts a second YAML document"},
		"a key twice":                    {"queue:\n  lease: 1s\n  lease: 2s\n", ":3: queue.lease: is set twice, first in line 2"},
		"a section twice":                {"queue:\n  lease: 1s\nqueue:\n  lease: 2s\n", ":3: queue: is set twice, first in line 1"},
		"a key twice, in other letters":  {"queue:\n  lease: 1s\n  Lease: 2s\n", ":3: queue.Lease: is set twice, first in line 2"},
		"a section in other letters":     {"queue:\n  lease: 1s\nQUEUE:\n  lease: 2s\n", ":3: QUEUE: is set twice, first in line 1"},
		"a key in other letters":         {"queue:\n  Lease: 1s\n", ":2: queue.Lease: unknown key; use queue.lease?"},
		"a key merged in":                {"queue: &q\n  lease: 1s\nretry:\n  <<: *q\n", ":4: retry.<<: unknown key"},
		"a password that is an anchor's": {"redis:\n  password: *star\n", "quotes around a value that begins with *"},
	} {
		_, err := load(t, c.yaml, nil, nil)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}
