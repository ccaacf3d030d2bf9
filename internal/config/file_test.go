package config_test

import (
	"strings"
	"testing"
)

// TestYAMLThatWouldBeReadInPartIsRefused names the line of what would be overridden or passed over.
func TestYAMLThatWouldBeReadInPartIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"a dotted key":                   {"redis:\n  tls:\n    enabled: true\nredis.tls.enabled: false\n", ":4: redis.tls.enabled: is written with dots"},
		"a dotted key alone":             {"redis.tls.enabled: false\n", ":1: redis.tls.enabled: is written with dots"},
		"a dotted key in quotes":         {"\"queue.lease\": 1s\n", ":1: queue.lease: is written with dots"},
		"a dotted key in a section":      {"redis:\n  tls.enabled: false\n", ":2: redis.tls.enabled: is written with dots"},
		"a dotted key in other letters":  {"Redis.TLS.Enabled: false\n", ":1: Redis.TLS.Enabled: is written with dots"},
		"a second document":              {"queue: {lease: 1s}\n---\nqueue: {lease: 2s}\n", ":3: begins a second YAML document"},
		"a second document of comments":  {"queue: {lease: 1s}\n---\n# nothing\n", ""},
		"a first line of dashes":         {"---\nqueue: {lease: 1s}\n", ""},
		"an end of the document":         {"queue: {lease: 1s}\n...\n", ""},
		"a broken second document":       {"queue: {lease: 1s}\n---\nqueue: {lease\n", "not YAML"},
		"a third document":               {"queue: {lease: 1s}\n---\n---\nqueue: {lease: 2s}\n", ":4: begins a second YAML document"},
		"a key twice":                    {"queue:\n  lease: 1s\n  lease: 2s\n", ":3: queue.lease: stands twice, first in line 2"},
		"a section twice":                {"queue:\n  lease: 1s\nqueue:\n  lease: 2s\n", ":3: queue: stands twice, first in line 1"},
		"a key twice, in other letters":  {"queue:\n  lease: 1s\n  Lease: 2s\n", ":3: queue.Lease: stands twice, first in line 2"},
		"a section in other letters":     {"queue:\n  lease: 1s\nQUEUE:\n  lease: 2s\n", ":3: QUEUE: stands twice, first in line 1"},
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
