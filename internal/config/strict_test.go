package config_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"fanfare/internal/config"
)

func TestInvalidSettingsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		yaml       string
		args, env  []string
		wantKey    string
		wantOrigin string // the end of it
		wantText   string
	}{
		"unknown key": {
			yaml:    "dispatcher:\n  # comment\n  concurency: 1\n",
			wantKey: "dispatcher.concurency", wantOrigin: "fanfare.yaml:3", wantText: "unknown key; use dispatcher.concurrency?",
		},
		"unknown section":           {yaml: "kafka: {}", wantKey: "kafka", wantOrigin: ":1", wantText: "unknown key"},
		"key below a value":         {yaml: "queue:\n  lease:\n    x: 1", wantKey: "queue.lease", wantOrigin: ":3", wantText: "is not valid"},
		"value instead of section":  {yaml: "queue: 15s", wantKey: "queue", wantOrigin: ":1", wantText: "is a section"},
		"key of another case":       {yaml: "Queue: {}", wantKey: "Queue", wantOrigin: ":1", wantText: "use queue?"},
		"key twice":                 {yaml: "queue:\n  lease: 1s\n  lease: 2s", wantKey: "queue.lease", wantOrigin: ":3", wantText: "first in line 2"},
		"number for a duration":     {yaml: "queue:\n  lease: 15\n", wantKey: "queue.lease", wantOrigin: ":2", wantText: "a duration such as 15s"},
		"fraction for a number":     {yaml: "dispatcher: {concurrency: 1.5}", wantKey: "dispatcher.concurrency", wantOrigin: ":1", wantText: "a whole number"},
		"text for a number":         {args: []string{"--responder.batch=many"}, wantKey: "responder.batch", wantOrigin: "flag --responder.batch", wantText: `"many"`},
		"list for a text":           {yaml: "redis: {host: [a]}", wantKey: "redis.host", wantOrigin: ":1", wantText: "use text"},
		"number for a text":         {yaml: "fcm: {project_id: 12}", wantKey: "fcm.project_id", wantOrigin: ":1", wantText: "in quotes"},
		"number for a truth":        {yaml: "redis: {tls: {enabled: 2}}", wantKey: "redis.tls.enabled", wantOrigin: ":1", wantText: "true or false"},
		"numbers in a list":         {yaml: "redis: {addresses: [1]}", wantKey: "redis.addresses", wantOrigin: ":1", wantText: "a list"},
		"too small":                 {env: []string{"FANFARE_DISPATCHER_CONCURRENCY=0"}, wantKey: "dispatcher.concurrency", wantOrigin: "environment FANFARE_DISPATCHER_CONCURRENCY", wantText: "0 is below 1"},
		"too large":                 {env: []string{"REDIS_PORT=70000"}, wantKey: "redis.port", wantOrigin: "environment REDIS_PORT", wantText: "from 1 to 65535"},
		"too short":                 {yaml: "queue: {lease: 1ms}", wantKey: "queue.lease", wantOrigin: ":1", wantText: "1ms is below 100ms"},
		"none of the words":         {env: []string{"LOG_LEVEL=loud"}, wantKey: "log.level", wantOrigin: "environment LOG_LEVEL", wantText: "debug, info, warn, error"},
		"scheme":                    {env: []string{"REDIS_URL=http://u:hunter2@h/0"}, wantKey: "redis.url", wantOrigin: "environment REDIS_URL", wantText: "redis:, rediss:, unix:"},
		"address without port":      {yaml: "http: {responder: localhost}", wantKey: "http.responder", wantOrigin: ":1", wantText: "host:port, or off"},
		"empty prefix":              {yaml: "names: {campaign_prefix: ''}", wantKey: "names.campaign_prefix", wantOrigin: ":1", wantText: "not empty"},
		"size":                      {yaml: "queue: {max_element: 64KB}", wantKey: "queue.max_element", wantOrigin: ":1", wantText: "a size such as 64KiB"},
		"unknown variable":          {env: []string{"FANFARE_QUEUE_LEASES=1s"}, wantOrigin: "environment FANFARE_QUEUE_LEASES", wantText: "FANFARE_QUEUE_LEASE?"},
		"variable of Kubernetes":    {env: []string{"FANFARE_PORT_9464_TCP=tcp://10.0.0.1:9464"}, wantOrigin: "environment FANFARE_PORT_9464_TCP", wantText: "enableServiceLinks: false"},
		"port of Kubernetes":        {env: []string{"REDIS_PORT=tcp://10.0.0.1:6379"}, wantKey: "redis.port", wantOrigin: "environment REDIS_PORT", wantText: "enableServiceLinks: false"},
		"sentinel without master":   {yaml: "redis: {mode: sentinel, addresses: [a:1]}", wantKey: "redis.mode", wantOrigin: ":1", wantText: "redis.sentinel_master"},
		"sentinel with url":         {yaml: "redis: {mode: sentinel, url: 'redis://a', sentinel_master: m, addresses: [a:1]}", wantKey: "redis.url", wantOrigin: ":1", wantText: "redis.addresses"},
		"cluster with a database":   {yaml: "redis: {mode: cluster, db: 1}", wantKey: "redis.db", wantOrigin: ":1", wantText: "only database 0"},
		"cluster with both":         {yaml: "redis: {mode: cluster, url: 'redis://a', addresses: [a:1]}", wantKey: "redis.addresses", wantOrigin: ":1", wantText: "one of them"},
		"cluster with a url of one": {yaml: "redis: {mode: cluster, url: 'redis://a/3'}", wantKey: "redis.db", wantOrigin: ":1", wantText: "only database 0"},
		"database that is none":     {env: []string{"REDIS_URL=redis://u:hunter2@h/abc"}, wantKey: "redis.url", wantOrigin: "environment REDIS_URL", wantText: "a number as database"},
		"port over a socket":        {yaml: "redis: {url: 'unix:///s'}", args: []string{"--redis.port=1"}, wantKey: "redis.port", wantOrigin: "flag --redis.port", wantText: "has no effect, because"},
		"authority without TLS":     {yaml: "redis: {tls: {ca_file: c}}", wantKey: "redis.tls.ca_file", wantOrigin: ":1", wantText: "rediss://"},
		"certificate without TLS":   {yaml: "redis: {tls: {cert_file: c, key_file: k}}", wantKey: "redis.tls.cert_file", wantOrigin: ":1", wantText: "redis.tls.enabled"},
		"name without TLS":          {yaml: "redis: {tls: {server_name: n}}", env: []string{"REDIS_URL=redis://h"}, wantKey: "redis.tls.server_name", wantOrigin: ":1", wantText: "no effect"},
		"host over rediss":          {yaml: "redis: {url: 'rediss://h', tls: {ca_file: c}}", env: []string{"REDIS_HOST=h"}, wantKey: "redis.tls.ca_file", wantOrigin: ":1", wantText: "no effect"},
		"standalone with addresses": {yaml: "redis: {addresses: [a:1]}", wantKey: "redis.addresses", wantOrigin: ":1", wantText: "sentinel and cluster only"},
		"certificate without key":   {yaml: "redis: {tls: {cert_file: c}}", wantKey: "redis.tls.cert_file", wantOrigin: ":1", wantText: "key_file"},
		"back-off upside down":      {yaml: "retry: {max_backoff: 1s}", wantKey: "retry.max_backoff", wantOrigin: ":1", wantText: "at least 10s"},
		"no project id":             {yaml: "fcm: {project_id: 'my}project'}", wantKey: "fcm.project_id", wantOrigin: ":1", wantText: "letters, digits"},
		"underscore in a project":   {yaml: "fcm: {project_id: my_project}", wantKey: "fcm.project_id", wantOrigin: ":1", wantText: "use letters, digits, '-', '.' and ':'"},
		"claim below one element":   {yaml: "queue: {max_element: 8MiB}", wantKey: "queue.claim_bytes", wantOrigin: "default", wantText: "at least 8MiB"},
		"size beyond 64 bits":       {env: []string{"FANFARE_QUEUE_MAX_ELEMENT=18014398509482048KiB"}, wantKey: "queue.max_element", wantOrigin: "environment FANFARE_QUEUE_MAX_ELEMENT", wantText: "is not valid"},
		"text that is too long":     {env: []string{"LOG_LEVEL=" + strings.Repeat("x", 41)}, wantKey: "log.level", wantOrigin: "environment LOG_LEVEL", wantText: "log.level: this value is not valid"},
		"text that is long":         {env: []string{"LOG_LEVEL=" + strings.Repeat("x", 40)}, wantKey: "log.level", wantOrigin: "environment LOG_LEVEL", wantText: strings.Repeat("x", 40)},
		"path beyond the system's":  {env: []string{"GOOGLE_APPLICATION_CREDENTIALS=" + strings.Repeat("/", 4096)}, wantKey: "fcm.credentials_file", wantOrigin: "environment GOOGLE_APPLICATION_CREDENTIALS", wantText: "holds text of 4KiB"},
		"not YAML":                  {yaml: "queue:\n  lease: [\n", wantOrigin: "", wantText: "not YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.yaml, c.args, c.env)
			wrong, ok := errors.AsType[*config.Error](err)
			if !ok {
				t.Fatalf("got %v, want a *config.Error", err)
			}
			if wrong.Key != c.wantKey || !strings.HasSuffix(wrong.Origin, c.wantOrigin) {
				t.Errorf("blames %q at %q", wrong.Key, wrong.Origin)
			}
			if !strings.Contains(err.Error(), c.wantText) {
				t.Errorf("says %q, without %q", err, c.wantText)
			}
		})
	}
}

func TestAllErrorsAreReportedAtOnce(t *testing.T) {
	_, err := load(t, "queue: {leese: 1s}", []string{"--responder.batch=0"}, []string{"FANFARE_X=1", "LOG_FORMAT=xml"})
	for _, want := range []string{"queue.leese", "responder.batch", "FANFARE_X", "log.format"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

// The order of the environment does not matter, and a far-fetched name gets no hint.
func TestUnknownNamesAreInOrder(t *testing.T) {
	_, err := load(t, "x: {}", nil, []string{"FANFARE_ZZZZZZZZ=1", "FANFARE_AAAAAAAA=1"})
	if a, z := strings.Index(err.Error(), "FANFARE_AAAAAAAA"), strings.Index(err.Error(), "FANFARE_ZZZZZZZZ"); a < 0 || z < a || strings.Contains(err.Error(), "?") {
		t.Errorf("got %v", err)
	}
}

func TestLimitsAreInclusive(t *testing.T) {
	settings := mustLoad(t, "queue: {max_element: 8MiB, claim_bytes: 8MiB}\nretry: {min_backoff: 11s, max_backoff: 11s}", nil,
		[]string{"GOOGLE_APPLICATION_CREDENTIALS=" + strings.Repeat("/", 4095)})
	if settings.Queue.ClaimBytes != settings.Queue.MaxElement || settings.Retry.MaxBackoff != settings.Retry.MinBackoff || len(settings.FCM.CredentialsFile) != 4095 {
		t.Errorf("got %+v, %+v", settings.Queue, settings.Retry)
	}
}

func TestMissingFile(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"), nil, nil)
	if _, ok := errors.AsType[*config.Error](err); !ok || !strings.Contains(err.Error(), "none.yaml: cannot be read: no such file") {
		t.Errorf("got %v", err)
	}
}

func TestFileOfCommentsAlone(t *testing.T) {
	if got := mustLoad(t, "# nothing yet\n", nil, nil).Queue.Lease; got != config.Defaults().Queue.Lease {
		t.Errorf("lease is %s", got)
	}
}

func TestAnchorsAreFollowed(t *testing.T) {
	settings := mustLoad(t, "tokens: &cache\n  ttl: 2h\nprofiles: *cache\n", nil, nil)
	if settings.Profiles.TTL != settings.Tokens.TTL || settings.Tokens.TTL == config.Defaults().Tokens.TTL {
		t.Errorf("ttl is %s and %s", settings.Tokens.TTL, settings.Profiles.TTL)
	}
}
