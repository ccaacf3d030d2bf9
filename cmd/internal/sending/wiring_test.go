package sending

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/config"
)

// leaves are the values with which all rooms were made, by room, type and field, such as "tokens:
// tokens.Options.TTL".
type leaves map[string][]string

// collect records the numbers and texts in a value of our types and below it, whether exported or
// not.
func (l leaves) collect(room string, v reflect.Value, seen map[uintptr]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] {
			return
		}
		seen[v.Pointer()] = true
		l.collect(room, v.Elem(), seen)
	case reflect.Interface:
		l.collect(room, v.Elem(), seen)
	case reflect.Slice:
		for i := range min(v.Len(), 16) {
			l.collect(room, v.Index(i), seen)
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			l.collect(room, entries.Value(), seen)
		}
	case reflect.Struct:
		if !strings.HasPrefix(v.Type().PkgPath(), "fanfare/") || v.Type() == reflect.TypeFor[config.Settings]() {
			return
		}
		for i := range v.NumField() {
			name := room + ": " + v.Type().String() + "." + v.Type().Field(i).Name
			if text, is := formatLeaf(v.Field(i)); is {
				l[name] = append(l[name], text)
				continue
			}
			l.collect(room, v.Field(i), seen)
		}
	}
}

func formatLeaf(v reflect.Value) (string, bool) {
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		return time.Duration(v.Int()).String(), true
	case v.CanInt():
		return fmt.Sprint(v.Int()), true
	case v.CanFloat():
		return fmt.Sprint(v.Float()), true
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.Kind() == reflect.Bool:
		return fmt.Sprint(v.Bool()), true
	case v.Type() == reflect.TypeFor[[]string]():
		return fmt.Sprint(v), true
	}
	return "", false
}

// collectOptions puts the rooms together as the programs do, without connecting, and returns the
// values with which they were made.
func collectOptions(t *testing.T, environ []string) leaves {
	t.Helper()
	environ = append([]string{"FCM_ENDPOINT=http://127.0.0.1:1/v1", "FCM_PROJECT_ID=demo", "DATABASE_URL=sqlite:none.db"}, environ...)
	s, err := config.Load("", pflag.NewFlagSet("test", pflag.ContinueOnError), environ)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	logger, err := assembly.NewLogger(&log, s.Log)
	if err != nil {
		t.Fatal(err)
	}
	logger.Debug("x")
	logger.Info("x")
	found := leaves{"log: lines": {fmt.Sprint(strings.Count(log.String(), "\n"))}, "log: json": {fmt.Sprint(strings.HasPrefix(log.String(), "{"))}}
	add := func(room string, made any) { found.collect(room, reflect.ValueOf(made), make(map[uintptr]bool)) }
	add("redis", assembly.RedisOptions(s.Redis, "test"))
	add("fcm", fcmOptions(s))
	add("store", assembly.StoreOptions(s.Store))
	if rooms, err := Open(t.Context(), s, "test", slog.New(slog.DiscardHandler), nil); err == nil {
		defer rooms.Close()
		add("rooms", rooms)
		sender, err := rooms.NewSender(t.Context())
		if err != nil {
			return found // the setting names a file that is not there
		}
		defer sender.Close()
		add("sender", sender)
		d, err := rooms.NewDispatcher(sender, "")
		if err != nil {
			t.Fatal(err)
		}
		add("dispatcher", d)
		deps, _, err := rooms.dispatcherDeps(sender)
		if err != nil {
			t.Fatal(err)
		}
		found["dispatcher: paced"] = []string{fmt.Sprint(deps.Pacer != nil && deps.Wire != nil)}
		found["dispatcher: watched"] = []string{fmt.Sprint(deps.Breakers != nil && deps.Deletions != nil)}
		for _, dsn := range found["rooms: store.sqliteFile.dsn"] {
			file, _, _ := strings.Cut(strings.TrimPrefix(dsn, "file:"), "?")
			found["store: file"] = append(found["store: file"], filepath.Base(file))
		}
		r, err := rooms.NewResponder()
		if err != nil {
			t.Fatal(err)
		}
		add("responder", r)
		events, err := rooms.NewWebhooks()
		if err != nil {
			t.Fatal(err)
		}
		add("webhooks", events)
	}
	return found
}

// wiring maps each setting to the option of its room, and to the option's value where that is
// written differently.
var wiring = map[string]struct{ leaf, as string }{
	"redis.url":               {leaf: "redis: daemon.RedisOptions.URL"},
	"redis.mode":              {leaf: "redis: daemon.RedisOptions.Mode"},
	"redis.host":              {leaf: "redis: daemon.RedisOptions.Host"},
	"redis.port":              {leaf: "redis: daemon.RedisOptions.Port"},
	"redis.username":          {leaf: "redis: daemon.RedisOptions.Username"},
	"redis.password":          {leaf: "redis: daemon.RedisOptions.Password"},
	"redis.db":                {leaf: "redis: daemon.RedisOptions.DB"},
	"redis.addresses":         {"redis: daemon.RedisOptions.Addresses", "[a:1 b:2]"},
	"redis.sentinel_master":   {leaf: "redis: daemon.RedisOptions.SentinelMaster"},
	"redis.sentinel_username": {leaf: "redis: daemon.RedisOptions.SentinelUsername"},
	"redis.sentinel_password": {leaf: "redis: daemon.RedisOptions.SentinelPassword"},
	"redis.pool_size":         {leaf: "redis: daemon.RedisOptions.PoolSize"},
	"redis.min_idle":          {leaf: "redis: daemon.RedisOptions.MinIdle"},
	"redis.dial_timeout":      {leaf: "redis: daemon.RedisOptions.DialTimeout"},
	"redis.read_timeout":      {leaf: "redis: daemon.RedisOptions.ReadTimeout"},
	"redis.write_timeout":     {leaf: "redis: daemon.RedisOptions.WriteTimeout"},
	"redis.tls.enabled":       {leaf: "redis: daemon.RedisTLS.Enabled"},
	"redis.tls.ca_file":       {leaf: "redis: daemon.RedisTLS.CAFile"},
	"redis.tls.cert_file":     {leaf: "redis: daemon.RedisTLS.CertFile"},
	"redis.tls.key_file":      {leaf: "redis: daemon.RedisTLS.KeyFile"},
	"redis.tls.server_name":   {leaf: "redis: daemon.RedisTLS.ServerName"},

	"names.campaign_prefix": {leaf: "rooms: keys.Names.CampaignPrefix"},
	"names.user_prefix":     {leaf: "rooms: keys.Names.UserPrefix"},
	"names.user_suffix":     {leaf: "rooms: keys.Names.UserSuffix"},
	"names.devices_suffix":  {leaf: "rooms: keys.Names.DevicesSuffix"},
	"names.profile_prefix":  {leaf: "rooms: keys.Names.ProfilePrefix"},
	"names.responses":       {leaf: "rooms: keys.Names.Responses"},
	"names.suppressed":      {leaf: "rooms: keys.Names.Suppressed"},

	"queue.lease":       {leaf: "dispatcher: dispatcher.Options.Lease"},
	"queue.max_element": {"rooms: queue.Options.MaxElement", "5242880"},
	"queue.claim_bytes": {"rooms: queue.Options.ClaimBytes", "5242880"},
	"queue.linger":      {leaf: "rooms: queue.Options.Linger"},

	"dispatcher.concurrency":  {leaf: "dispatcher: dispatcher.Options.Concurrency"},
	"dispatcher.claim":        {leaf: "dispatcher: dispatcher.Options.Claim"},
	"dispatcher.ack_interval": {leaf: "dispatcher: dispatcher.Options.AckInterval"},
	"dispatcher.ack_batch":    {leaf: "dispatcher: dispatcher.Options.AckBatch"},
	"dispatcher.poll":         {leaf: "dispatcher: dispatcher.Options.Poll"},
	"dispatcher.discover":     {leaf: "dispatcher: dispatcher.Options.Discover"},

	"campaign.default_ttl": {leaf: "rooms: campaign.Options.DefaultTTL"},
	"campaign.retention":   {leaf: "rooms: campaign.Options.Retention"},

	"caps.limits": {"rooms: caps.Limiter.rule", "7 28 "},

	"retry.max_attempts": {leaf: "dispatcher: dispatcher.Retry.MaxAttempts"},
	"retry.max_elapsed":  {leaf: "dispatcher: dispatcher.Retry.MaxElapsed"},
	"retry.min_backoff":  {leaf: "dispatcher: dispatcher.Retry.MinBackoff"},
	"retry.max_backoff":  {leaf: "dispatcher: dispatcher.Retry.MaxBackoff"},
	"retry.quota":        {leaf: "dispatcher: dispatcher.Retry.Quota"},
	"retry.unsent":       {leaf: "dispatcher: dispatcher.Retry.Unsent"},
	"retry.outage":       {leaf: "dispatcher: dispatcher.Retry.Outage"},
	"retry.kept_back":    {leaf: "dispatcher: dispatcher.Retry.KeptBack"},

	"pacing.enabled":             {leaf: "dispatcher: paced"},
	"pacing.per_minute":          {leaf: "dispatcher: pacing.Settings.Quota"},
	"pacing.headroom_percent":    {"dispatcher: pacing.Settings.Headroom", "0.07"},
	"pacing.ramp":                {leaf: "dispatcher: pacing.Settings.Ramp"},
	"pacing.idle":                {leaf: "dispatcher: pacing.Options.Idle"},
	"pacing.max_gate":            {leaf: "dispatcher: pacing.Options.MaxGate"},
	"pacing.avoid_quarter_hours": {leaf: "dispatcher: pacing.Settings.AvoidQuarterHours"},

	"breaker.enabled":              {leaf: "dispatcher: watched"},
	"breaker.canary":               {leaf: "rooms: breaker.Options.Canary"},
	"breaker.unregistered_percent": {"rooms: breaker.Threshold.Share", "0.07"},
	"breaker.deletions_least":      {leaf: "dispatcher: breaker.DeletionsOptions.Least"},
	"breaker.deletions_percent":    {"dispatcher: breaker.DeletionsOptions.Share", "0.07"},

	"fcm.project_id":       {leaf: "sender: fcm.Options.ProjectID"},
	"fcm.endpoint":         {leaf: "sender: fcm.Options.Endpoint"},
	"fcm.credentials_file": {leaf: "fcm: fcm.Options.CredentialsFile"},
	"fcm.credentials":      {leaf: "fcm: fcm.Options.Credentials"},
	"fcm.allow_plaintext":  {leaf: "sender: fcm.Options.AllowPlaintext"},
	"fcm.timeout":          {leaf: "sender: fcm.singleSendTransport.timeout"},
	"fcm.client":           {leaf: "fcm: fcm.Options.Client"},
	"fcm.ca_file":          {leaf: "fcm: fcm.Options.RootCAs"},

	"tokens.ttl":            {leaf: "rooms: tokens.Options.TTL"},
	"tokens.negative_ttl":   {leaf: "rooms: tokens.Options.NegativeTTL"},
	"tokens.keep_removed":   {leaf: "rooms: tokens.Options.KeepTTL"},
	"profiles.ttl":          {leaf: "rooms: readthrough.Options.TTL"},
	"profiles.negative_ttl": {leaf: "rooms: readthrough.Options.NegativeTTL"},

	"responder.batch":           {leaf: "responder: responder.Options.Batch"},
	"responder.workers":         {leaf: "responder: responder.Options.Workers"},
	"responder.dead_max_length": {leaf: "rooms: responses.DeadLetterOptions.MaxLetters"},
	"responder.dead_max_age":    {leaf: "rooms: responses.DeadLetterOptions.MaxAge"},

	"store.database_url":      {leaf: "store: file", as: "other.db"},
	"store.token_query":       {leaf: "rooms: store.Options.TokenQuery"},
	"store.token_clear":       {leaf: "rooms: store.Options.TokenClear"},
	"store.token_restore":     {leaf: "rooms: store.Options.TokenRestore"},
	"store.profile_query":     {leaf: "rooms: store.Options.ProfileQuery"},
	"store.suppression_query": {leaf: "rooms: store.Options.SuppressionQuery"},
	"store.timeout":           {leaf: "rooms: store.Options.Timeout"},

	"webhooks.url":            {leaf: "webhooks: webhooks.Options.URL"},
	"webhooks.secret":         {leaf: "webhooks: webhooks.Options.Secret"},
	"webhooks.allow_internal": {leaf: "webhooks: webhooks.Options.AllowInternal"},

	"log.level":  {"log: lines", "2"},
	"log.format": {"log: json", "false"},
}

// testedElsewhere are the settings that no room has, each with its test.
var testedElsewhere = map[string]string{
	"redis.allow_volatile_eviction": "TestEvictionIsAllowedBySetting",
	"dispatcher.projects":           "TestProjectsOfOneDispatcher in test/e2e",
	"dispatcher.drain":              "TestProgramUsesItsOwnSettings in cmd/dispatcher", "http.dispatcher": "TestProgramUsesItsOwnSettings in cmd/dispatcher",
	"console.token": "TestScripts/console in cmd/fanfare", "console.read_token": "TestScripts/console in cmd/fanfare",
	"responder.drain": "TestProgramUsesItsOwnSettings in cmd/responder", "http.responder": "TestProgramUsesItsOwnSettings in cmd/responder",
}

// Each key gets another value than its default. The value must appear in the rooms as the programs
// put them together.
func TestEverySettingReachesItsRoom(t *testing.T) {
	byDefault := collectOptions(t, nil)
	for _, key := range config.Describe() {
		want, listed := wiring[key.Name]
		if !listed {
			if testedElsewhere[key.Name] == "" {
				t.Errorf("%s: nothing says which room obeys it", key.Name)
			}
			continue
		}
		value, company := otherValue(key)
		if want.as == "" {
			want.as = value
		}
		got := collectOptions(t, append(company, key.Env[0]+"="+value))[want.leaf]
		if slices.Contains(byDefault[want.leaf], want.as) || !slices.Contains(got, want.as) {
			t.Errorf("%s: %s is %q, want %q in it; by default it is %q", key.Name, want.leaf, got, want.as, byDefault[want.leaf])
		}
	}
}

// otherValue returns a value that is not the default, and the settings that it requires.
func otherValue(key config.Key) (value string, company []string) {
	values := map[string]string{
		"redis.url": "redis://h:1/2", "redis.mode": "cluster", "redis.addresses": "a:1,b:2", "fcm.endpoint": "http://127.0.0.1:2/v1",
		"store.database_url": "sqlite:other.db", "log.level": "debug", "log.format": "text", "http.dispatcher": "127.0.0.1:7", "http.responder": "127.0.0.1:7",
		"store.token_query": "SELECT 7", "store.token_clear": "SELECT 7", "store.token_restore": "SELECT 7", "store.profile_query": "SELECT 7", "store.suppression_query": "SELECT 7",
		"fcm.credentials": "{}", "fcm.client": "sdk", "redis.port": "7777", "webhooks.url": "https://example.com/other", "webhooks.secret": "another-secret-1",
		"caps.limits": "7 in 7h",
	}
	companies := map[string][]string{
		"redis.mode":            {},
		"redis.addresses":       {"FANFARE_REDIS_MODE=cluster"},
		"redis.tls.ca_file":     {"FANFARE_REDIS_TLS_ENABLED=true"},
		"redis.tls.cert_file":   {"FANFARE_REDIS_TLS_ENABLED=true", "FANFARE_REDIS_TLS_KEY_FILE=k"},
		"redis.tls.key_file":    {"FANFARE_REDIS_TLS_ENABLED=true", "FANFARE_REDIS_TLS_CERT_FILE=c"},
		"redis.tls.server_name": {"FANFARE_REDIS_TLS_ENABLED=true"},
		"retry.max_backoff":     {"FANFARE_RETRY_MIN_BACKOFF=1s"},
		"webhooks.url":          {"FANFARE_WEBHOOKS_SECRET=0123456789abcdef"},
		"queue.max_element":     {"FANFARE_QUEUE_CLAIM_BYTES=8MiB"},
	}
	value, listed := values[key.Name]
	switch {
	case listed:
	case strings.HasPrefix(key.Allowed, "a duration"):
		value = "7s"
	case strings.HasPrefix(key.Allowed, "a size"):
		value = "5MiB"
	case strings.HasPrefix(key.Allowed, "a whole number"):
		value = "7"
	case key.Allowed == "true or false":
		value = map[string]string{"true": "false", "false": "true"}[key.Default]
	default:
		value = "other"
	}
	return value, companies[key.Name]
}
