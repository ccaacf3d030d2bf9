package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/config"
)

// Loaded settings are printed in every way that comes to mind.
func TestSecretsAreNeverPrinted(t *testing.T) {
	const secret = "hunter2"
	settings := mustLoad(t, "", nil, []string{
		"REDIS_PASSWORD=" + secret, "FANFARE_REDIS_SENTINEL_PASSWORD=" + secret,
		"REDIS_URL=redis://u:" + secret + "@h:1/0", "DATABASE_URL=postgres://u@h/d?password=" + secret,
		"FCM_ENDPOINT=https://u:" + secret + "@h/v1",
	})
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "settings", settings, "password", settings.Redis.Password)
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", "settings", settings, "url", settings.Redis.URL)
	asJSON, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	printed := log.String() + string(asJSON)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		printed += fmt.Sprintf(verb, settings)
	}
	for _, value := range settings.Values() {
		printed += value.Text
	}
	if strings.Contains(printed, secret) {
		t.Error("a secret was printed")
	}
	if settings.Redis.Password.Reveal() != secret || !strings.Contains(settings.Redis.URL.Reveal(), secret) {
		t.Error("the secret itself is lost")
	}
	if got := settings.Redis.URL.String(); got != "redis://u:redacted@h:1/0" {
		t.Errorf("url prints as %q: an operator cannot recognise it", got)
	}
}

func TestSecretsAreNotInErrors(t *testing.T) {
	_, err := load(t, "", nil, []string{
		"REDIS_URL=http://u:hunter2@h", "DATABASE_URL=postgres://u:hunter2%zz@h/d", "FCM_ENDPOINT=hunter2",
	})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// What "fanfare config" prints is valid in a file.
func TestSizeIsReadBackAsWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := config.Size(rapid.Int64Range(1<<10, 1<<21).Draw(rt, "size"))
		settings, err := config.Load("", nil, []string{"FANFARE_QUEUE_MAX_ELEMENT=" + size.String()})
		if err != nil {
			rt.Fatal(err)
		}
		if settings.Queue.MaxElement != size {
			rt.Fatalf("%d was written as %s and read as %d", size, size, settings.Queue.MaxElement)
		}
	})
}

func TestSizesAreWrittenInTheirLargestUnit(t *testing.T) {
	for size, want := range map[config.Size]string{0: "0", 100: "100", 64 << 10: "64KiB", 3 << 20: "3MiB", 1 << 30: "1GiB", 1<<20 + 1: "1048577"} {
		if got := size.String(); got != want {
			t.Errorf("%d is written %q, want %q", size, got, want)
		}
	}
}

// A URL of another form may contain its password anywhere.
func TestURLsOfAnyFormHideTheirPassword(t *testing.T) {
	for _, url := range []config.URL{
		"postgres://u:geheim@h/d", "jdbc:postgresql://u:geheim@h/d", "jdbc:postgresql://h/d?user=u&password=geheim",
		"host=h user=u password=geheim", "u:geheim@h/d", "postgres://u:geheim#x@h/d", "postgres://h1:1,h2:2/d?password=geheim",
	} {
		if got := url.String(); got == "" || strings.Contains(got, "geheim") {
			t.Errorf("%s shows as %s", string(url), got)
		}
	}
	for _, name := range []string{"postgres://u:geheim@h/d", `{"password":"geheim"}`, "-----BEGIN PRIVATE KEY-----\ngeheim\n-----END PRIVATE KEY-----"} {
		settings, err := load(t, "", nil, []string{"REDIS_URL=redis://h:1", "REDIS_USERNAME=" + name})
		if shown := settings.Redis.URL.String(); err != nil || strings.Contains(shown, "geheim") {
			t.Errorf("the user %s: %v, shows as %s", name, err, shown)
		}
	}
	if got := config.URL("redis://app@h:1").String(); got != "redis://app@h:1" {
		t.Errorf("got %s", got)
	}
	if got := config.URL("sqlite:fanfare.db").String(); got != "sqlite:fanfare.db" {
		t.Errorf("got %s", got)
	}
}

// The path of a webhook's address is a secret at many services.
func TestHookURLsHideTheirPath(t *testing.T) {
	for url, want := range map[config.HookURL]string{
		"https://hooks.slack.com/services/T0/B0/geheim": "https://hooks.slack.com/redacted",
		"https://u:geheim@hooks.example/?key=geheim":    "https://hooks.example",
		"https://hooks.example:8443/":                   "https://hooks.example:8443",
		"geheim":                                        "[redacted]",
		"":                                              "",
	} {
		text, err := json.Marshal(url)
		if got := url.String(); got != want || err != nil || strings.Contains(string(text)+fmt.Sprintf("%#v %v", url, url), "geheim") {
			t.Errorf("got %s and %s, want %s", got, text, want)
		}
	}
}

var bounds = regexp.MustCompile(`, from (\S+) to (\S+)$`)

// Each number is valid at its upper bound and not beyond it.
func TestEveryNumberIsBounded(t *testing.T) {
	numbers := 0
	for _, key := range config.Describe() {
		var beyond func(bound string) string
		switch {
		case strings.HasPrefix(key.Allowed, "a duration"):
			beyond = func(bound string) string { return bound + "1ns" }
		case strings.HasPrefix(key.Allowed, "a size"):
			beyond = func(bound string) string {
				n, err := strconv.Atoi(strings.TrimSuffix(bound, "MiB"))
				if err != nil {
					t.Fatalf("%s: bound %q: %v", key.Name, bound, err)
				}
				return strconv.Itoa(n<<20 + 1)
			}
		case strings.HasPrefix(key.Allowed, "a whole number"):
			beyond = func(bound string) string {
				n, err := strconv.Atoi(bound)
				if err != nil {
					t.Fatalf("%s: bound %q: %v", key.Name, bound, err)
				}
				return strconv.Itoa(n + 1)
			}
		default:
			continue
		}
		numbers++
		found := bounds.FindStringSubmatch(key.Allowed)
		if found == nil {
			t.Errorf("%s has no upper bound: %s", key.Name, key.Allowed)
			continue
		}
		_, err := load(t, "", nil, []string{key.Env[0] + "=" + beyond(found[2])})
		want := fmt.Sprintf("environment %s: %s: %s is above %s; use %s", key.Env[0], key.Name, beyond(found[2]), found[2], key.Allowed)
		if err == nil || err.Error() != want {
			t.Errorf("%s beyond its bound: got %v, want %s", key.Name, err, want)
		}
		if _, err := load(t, "", nil, []string{key.Env[0] + "=" + found[2]}); err != nil && strings.Contains(err.Error(), "is above") {
			t.Errorf("%s at its bound: %v", key.Name, err)
		}
	}
	if numbers < 40 {
		t.Errorf("only %d settings are numbers", numbers)
	}
}

// These values overflow the machine's integers.
func TestNumbersBeyondAnyTypeAreRefusedWithTheBound(t *testing.T) {
	for _, yaml := range []string{
		"dispatcher: {concurrency: 99999999999999999999}",
		"dispatcher: {concurrency: 1e9}",
		"dispatcher: {concurrency: 1000000000}",
		"dispatcher: {concurrency: -1}",
		"dispatcher: {drain: 99999999h}",
		"queue: {max_element: 99999999999GiB}",
	} {
		_, err := load(t, yaml, nil, nil)
		if err == nil || !strings.Contains(err.Error(), ", from ") {
			t.Errorf("%s: got %v, want the bounds", yaml, err)
		}
	}
	const year = 8760 * time.Hour
	if got := mustLoad(t, "", nil, []string{"FANFARE_CAMPAIGN_RETENTION=8760h"}).Campaign.Retention; got != year {
		t.Errorf("retention at its bound is %s", got)
	}
}
