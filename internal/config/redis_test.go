package config_test

import (
	"strings"
	"testing"
)

// The program connects to the url, and "fanfare config" shows the parts. Both must agree.
func TestRedisURLAndItsParts(t *testing.T) {
	const inFile = "redis: {url: 'redis://u:p@f:1/1'}"
	inEnv := []string{"REDIS_URL=redis://e:2/0"}
	for name, c := range map[string]struct {
		yaml      string
		args, env []string
		wantURL   string
		wantParts string // host, port, username, password, db, TLS
	}{
		"url alone":                             {inFile, nil, nil, "redis://u:p@f:1/1", "f 1 u p 1 false"},
		"url that says little":                  {"", nil, []string{"REDIS_URL=redis:///1"}, "redis:///1", "localhost 6379   1 false"},
		"url beside its parts in one source":    {"", nil, append(inEnv, "REDIS_HOST=h", "REDIS_PORT=3", "REDIS_USERNAME=u", "REDIS_PASSWORD=p", "REDIS_DB=4"), "redis://u:p@e:2/0", "e 2 u p 0 false"},
		"url in the environment over the file":  {"redis: {host: h, port: 3, password: p, db: 4}", nil, inEnv, "redis://:p@e:2/0", "e 2  p 0 false"},
		"host in the environment over the file": {inFile, nil, []string{"REDIS_HOST=h"}, "", "h 6379   0 false"},
		"host flag over everything":             {inFile, []string{"--redis.host=h"}, inEnv, "", "h 6379   0 false"},
		"database flag":                         {inFile, []string{"--redis.db=3"}, inEnv, "redis://e:2/3", "e 2   3 false"},
		"password beside the url in a file":     {"redis: {url: 'redis://f'}", nil, []string{"REDIS_PASSWORD=p@ss"}, "redis://:p%40ss@f:6379/0", "f 6379  p@ss 0 false"},
		"password beside a url with a user":     {"", nil, []string{"REDIS_URL=redis://u@e:2", "REDIS_PASSWORD=p"}, "redis://u:p@e:2/0", "e 2 u p 0 false"},
		"user beside a url with a password":     {"", nil, []string{"REDIS_URL=redis://:q@e", "REDIS_USERNAME=u", "REDIS_PASSWORD=p"}, "redis://u:q@e:6379/0", "e 6379 u q 0 false"},
		"host and port beside a url of neither": {"", nil, []string{"REDIS_URL=rediss:///4", "REDIS_HOST=h", "REDIS_PORT=3", "REDIS_DB=1"}, "rediss://h:3/4", "h 3   4 true"},
		"password beside a socket":              {"", nil, []string{"REDIS_URL=unix:///run/r.sock", "REDIS_PASSWORD=p", "REDIS_DB=2"}, "unix://:p@/run/r.sock?db=2", " 0  p 2 false"},
		"password with signs beside a url":      {"", nil, []string{"REDIS_URL=redis://e", "REDIS_PASSWORD=p#a@s/s%"}, "redis://:p%23a%40s%2Fs%25@e:6379/0", "e 6379  p#a@s/s% 0 false"},
		"another user, the same password":       {inFile, []string{"--redis.username=v"}, nil, "redis://v:p@f:1/1", "f 1 v p 1 false"},
		"user without a password":               {"redis: {url: 'redis://f:1'}", nil, []string{"REDIS_USERNAME=v"}, "redis://v@f:1/0", "f 1 v  0 false"},
		"port":                                  {"redis: {url: 'redis://[::1]:1'}", nil, []string{"REDIS_PORT=2"}, "redis://[::1]:2/0", "::1 2   0 false"},
		"TLS by the url":                        {"redis: {tls: {enabled: false}, url: 'rediss://f:1'}", nil, nil, "rediss://f:1", "f 1   0 true"},
		"TLS beside the url":                    {"redis: {tls: {enabled: true}, url: 'redis://f:1'}", nil, nil, "redis://f:1", "f 1   0 true"},
		"TLS switched off by a flag":            {"redis: {url: 'rediss://f:1'}", []string{"--redis.tls.enabled=false"}, nil, "redis://f:1/0", "f 1   0 false"},
		"TLS stays with another database":       {"redis: {url: 'rediss://f:1'}", []string{"--redis.db=3"}, nil, "rediss://f:1/3", "f 1   3 true"},
		"socket":                                {"redis: {url: 'unix:///run/r.sock?db=2'}", nil, nil, "unix:///run/r.sock?db=2", " 0   2 false"},
		"socket with signs in its path":         {"", nil, []string{"REDIS_URL=unix:///run/r@1/s.sock"}, "unix:///run/r@1/s.sock", " 0   0 false"},
		"port that a url leaves open anyway":    {"", nil, []string{"REDIS_URL=redis://h", "REDIS_PORT=6379"}, "redis://h", "h 6379   0 false"},
		"database of a socket":                  {"redis: {url: 'unix:///run/r.sock?db=2'}", []string{"--redis.db=3"}, nil, "unix:///run/r.sock?db=3", " 0   3 false"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := mustLoad(t, c.yaml, c.args, c.env)
			if got := settings.Redis.URL.Reveal(); got != c.wantURL {
				t.Errorf("url is %q, want %q", got, c.wantURL)
			}
			shown := make([]string, 0, 6)
			for _, part := range []string{"host", "port", "username", "password", "db", "tls.enabled"} {
				if part == "password" {
					shown = append(shown, settings.Redis.Password.Reveal())
					continue
				}
				shown = append(shown, valueOf(t, settings, "redis."+part).Text)
			}
			if got := strings.Join(shown, " "); got != c.wantParts {
				t.Errorf("its parts are %q, want %q", got, c.wantParts)
			}
		})
	}
}

// The origin names every source that contributes to the address, and those that do not.
func TestOriginsOfTheRedisURL(t *testing.T) {
	settings := mustLoad(t, "redis: {db: 3}", []string{"--redis.port=2"}, []string{"REDIS_URL=redis://h:1/0", "REDIS_PASSWORD=p"})
	for key, want := range map[string]string{
		"redis.url":      "environment REDIS_URL, flag --redis.port, environment REDIS_PASSWORD",
		"redis.host":     "environment REDIS_URL",
		"redis.port":     "flag --redis.port",
		"redis.password": "environment REDIS_PASSWORD",
	} {
		if got := valueOf(t, settings, key).Origin; got != want {
			t.Errorf("%s is from %q, want %q", key, got, want)
		}
	}
	if got := valueOf(t, settings, "redis.db").Origin; !strings.HasPrefix(got, "environment REDIS_URL; not used: ") || !strings.HasSuffix(got, "fanfare.yaml:1") {
		t.Errorf("redis.db is from %q", got)
	}
}

// The origin names the source that takes precedence.
func TestOriginOfUnusedCredentials(t *testing.T) {
	for key, c := range map[string]struct{ yaml, env, used string }{
		"fcm.credentials":      {"fcm: {credentials: '{}'}", "GOOGLE_APPLICATION_CREDENTIALS=f.json", "fcm.credentials_file"},
		"fcm.credentials_file": {"fcm: {credentials_file: f.json}", "FCM_CREDENTIALS={}", "fcm.credentials"},
	} {
		settings := mustLoad(t, c.yaml, nil, []string{c.env})
		name, _, _ := strings.Cut(c.env, "=")
		unused, used := valueOf(t, settings, key), valueOf(t, settings, c.used)
		if unused.Text != "" || unused.Origin != "not used: environment "+name+" takes precedence" || used.Text == "" {
			t.Errorf("%s: got %+v, and %+v", key, unused, used)
		}
	}
}
