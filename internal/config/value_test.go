package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fanfare/internal/config"
)

// TestSecretsAreNeverPrinted prints loaded settings in every way that comes to mind.
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

// TestSizeIsReadBackAsWritten holds for every size: what "fanfare config" prints can be put into a file.
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

// A URL of another form may hold its password anywhere.
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
