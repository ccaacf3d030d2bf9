// Package config reads the settings: a flag over the environment over the file over the default. It
// is strict: an unknown key in any source, or a value that is not valid, is an error. The error
// says where the fault is and what would be valid.
//
// The struct tags below are the only source of the settings: key, default, limits, conventional
// variable and one-line meaning. config.yaml, the flags, the table in docs/settings.md and "fanfare
// config" are generated from them.
package config

import "time"

// Settings are all settings, typed and checked one by one. The constructors of the rooms check what
// they mean together. Secrets print as "[redacted]", whatever the verb.
type Settings struct {
	Redis      Redis      `key:"redis" help:"The Redis server: set url; or host and port; or, for Sentinel and Cluster, addresses."`
	Names      Names      `key:"names" help:"The names of the keys shared with the application."`
	Queue      Queue      `key:"queue" help:"The leased lists."`
	Dispatcher Dispatcher `key:"dispatcher" help:"The program that takes recipients from Redis and sends them to FCM."`
	Campaign   Campaign   `key:"campaign" help:"Defaults for campaigns that do not set these values themselves."`
	Caps       Caps       `key:"caps" help:"How many pushes a user may get from all campaigns together."`
	Retry      Retry      `key:"retry" help:"When a recipient is tried again, and when not. The defaults follow FCM's rules."`
	Pacing     Pacing     `key:"pacing" help:"The sending rate of the project, shared by all replicas. fanfare quota set overrides it at run time."`
	Breaker    Breaker    `key:"breaker" help:"Stops a campaign, or the deletion of tokens, before it does damage."`
	FCM        FCM        `key:"fcm" help:"Firebase Cloud Messaging."`
	Tokens     Tokens     `key:"tokens" help:"The cache of users' registration tokens, user:<id>:token."`
	Profiles   Profiles   `key:"profiles" help:"The cache of users' profiles, profile:<id>."`
	Responder  Responder  `key:"responder" help:"The program that takes results from Redis and writes them to SQL."`
	Store      Store      `key:"store" help:"The database. The dispatcher needs it only to look up tokens or profiles in SQL."`
	Webhooks   Webhooks   `key:"webhooks" help:"Events of campaigns for other systems: the responder sends them."`
	Console    Console    `key:"console" help:"The web console, fanfare console. Beyond loopback it needs a token."`
	Log        Log        `key:"log" help:"The log, on standard error."`
	HTTP       HTTP       `key:"http" help:"The addresses of /livez, /readyz and /metrics. They have no password: keep them on loopback or a private network."`

	// Projects are the settings of each Firebase project of the file's section projects, in its
	// order; none without it. What a project does not set for itself is as in the sections above.
	Projects []Settings

	origins  map[string]origin
	warnings []string
}

// Redis says where Redis is and how to connect. A URL contains the whole address, credentials and
// database included. Host, Port, Username, Password and DB then have the same values (see
// mergeRedisURL).
type Redis struct {
	URL                   URL           `key:"url" env:"REDIS_URL" schemes:"redis rediss unix" help:"the whole address: redis://user:password@host:6379/0, rediss:// for TLS, or unix:///socket?db=0; parts that it leaves open come from their own settings; a part or host from a source with precedence overrides it"`
	Mode                  string        `key:"mode" default:"standalone" oneof:"standalone sentinel cluster" help:"the kind of Redis"`
	Host                  string        `key:"host" default:"localhost" env:"REDIS_HOST" help:"host name or address of a standalone Redis"`
	Port                  int           `key:"port" default:"6379" min:"1" max:"65535" env:"REDIS_PORT" help:"its port"`
	Username              string        `key:"username" env:"REDIS_USERNAME" help:"ACL user; empty: the default user"`
	Password              Secret        `key:"password" env:"REDIS_PASSWORD" help:"the user's password"`
	DB                    int           `key:"db" default:"0" min:"0" max:"65535" env:"REDIS_DB" help:"database number; a cluster has only 0"`
	Addresses             []string      `key:"addresses" help:"host:port of the sentinels, or of some nodes of the cluster"`
	SentinelMaster        string        `key:"sentinel_master" help:"the master's name in the sentinels' configuration"`
	SentinelUsername      string        `key:"sentinel_username" help:"ACL user for the sentinels, if different"`
	SentinelPassword      Secret        `key:"sentinel_password" help:"that user's password"`
	PoolSize              int           `key:"pool_size" default:"0" min:"0" max:"10000" help:"maximum number of connections; 0: ten per CPU"`
	MinIdle               int           `key:"min_idle" default:"0" min:"0" max:"10000" help:"idle connections to keep open"`
	DialTimeout           time.Duration `key:"dial_timeout" default:"5s" min:"1ms" max:"1h" help:"timeout of connecting"`
	ReadTimeout           time.Duration `key:"read_timeout" default:"5s" min:"1ms" max:"1h" help:"timeout of a reply"`
	WriteTimeout          time.Duration `key:"write_timeout" default:"5s" min:"1ms" max:"1h" help:"timeout of writing a command"`
	TLS                   TLS           `key:"tls" help:"TLS to Redis; rediss:// in the url enables it too"`
	AllowVolatileEviction bool          `key:"allow_volatile_eviction" default:"false" help:"start even if Redis may evict audiences (maxmemory-policy other than noeviction)"`
}

// TLS configures the certificates of a connection. Verification cannot be disabled.
type TLS struct {
	Enabled    bool   `key:"enabled" default:"false" help:"use TLS, as rediss:// in the url does"`
	CAFile     string `key:"ca_file" file:"the path of the file that holds it" help:"PEM file of the authority that signed the server's certificate; empty: those of the system"`
	CertFile   string `key:"cert_file" file:"the path of the file that holds it" help:"PEM file of the client certificate, if the server demands one"`
	KeyFile    string `key:"key_file" file:"the path of the file that holds it" help:"PEM file of the client certificate's key"`
	ServerName string `key:"server_name" help:"the name in the server's certificate, if it is not the host"`
}

// Names are the parts of the keys that are shared with the application.
type Names struct {
	CampaignPrefix string `key:"campaign_prefix" default:"campaign:" min:"1" help:"campaign:<id>, the audience"`
	UserPrefix     string `key:"user_prefix" default:"user:" min:"1" help:"user:<id>:token, the part before the id"`
	UserSuffix     string `key:"user_suffix" default:":token" help:"user:<id>:token, the part after the id"`
	DevicesSuffix  string `key:"devices_suffix" default:":devices" min:"1" help:"user:<id>:devices, the part after the id"`
	ProfilePrefix  string `key:"profile_prefix" default:"profile:" min:"1" help:"profile:<id>, the profile"`
	Responses      string `key:"responses" default:"notification:responses" min:"1" help:"the list of results"`
	Suppressed     string `key:"suppressed" default:"{campaign:}:suppressed" min:"1" help:"the set of the users who get no push"`
}

// Queue configures every leased list.
type Queue struct {
	Lease      time.Duration `key:"lease" default:"15s" min:"100ms" max:"1h" help:"how long elements that a crashed process took stay out of reach; a live process extends its leases"`
	MaxElement Size          `key:"max_element" default:"64KiB" min:"1KiB" max:"16MiB" help:"longer elements become dead letters"`
	ClaimBytes Size          `key:"claim_bytes" default:"4MiB" min:"1KiB" max:"64MiB" help:"maximum size of one claim"`
	Linger     time.Duration `key:"linger" default:"168h" min:"1s" max:"8760h" help:"how long a list without a campaign is kept after the producer's expiry; a list with a campaign is kept until the campaign ends"`
}

// Dispatcher configures the dispatcher.
type Dispatcher struct {
	Concurrency int           `key:"concurrency" default:"500" min:"1" max:"10000" help:"maximum number of pushes in flight; another 20% of recipients wait in memory; the dispatcher finds out how many FCM accepts at once"`
	Claim       int           `key:"claim" default:"250" min:"1" max:"10000" help:"maximum number of recipients per claim"`
	AckInterval time.Duration `key:"ack_interval" default:"20ms" min:"1ms" max:"10s" help:"how long outcomes are collected before they are written together; a crash repeats the pushes of those not yet written"`
	AckBatch    int           `key:"ack_batch" default:"250" min:"1" max:"10000" help:"maximum number of outcomes written together"`
	Drain       time.Duration `key:"drain" default:"30s" min:"1ms" max:"24h" help:"how long pushes in flight may take to finish after SIGTERM"`
	Poll        time.Duration `key:"poll" default:"250ms" min:"1ms" max:"10m" help:"how often an empty campaign is checked for recipients"`
	Projects    []string      `key:"projects" help:"of several Firebase projects in the settings, those that this dispatcher serves; empty: all"`
	Discover    time.Duration `key:"discover" default:"2s" min:"1ms" max:"10m" help:"how often the dispatcher looks for running campaigns"`
}

// Campaign has the defaults for campaigns.
type Campaign struct {
	DefaultTTL time.Duration `key:"default_ttl" default:"24h" min:"1s" max:"8760h" help:"the deadline of an audience loaded by fanfare load, unless its campaign has one"`
	Retention  time.Duration `key:"retention" default:"168h" min:"1s" max:"8760h" help:"how long the books of a finished campaign stay in Redis"`
}

// Caps limits the pushes of each user.
type Caps struct {
	Limits string `key:"limits" help:"at most so many pushes of marketing campaigns within any window of time, such as 4 in 2d, 10 in 2w; empty: no limit"`
}

// Retry says when a recipient is tried again.
type Retry struct {
	MaxAttempts int           `key:"max_attempts" default:"8" min:"1" max:"1000" help:"maximum number of requests for one recipient"`
	MaxElapsed  time.Duration `key:"max_elapsed" default:"60m" min:"1ms" max:"672h" help:"maximum time from a recipient's first claim to its last attempt"`
	MinBackoff  time.Duration `key:"min_backoff" default:"10s" min:"1ms" max:"24h" help:"shortest delay after a 500 or 503; FCM demands at least 10s"`
	MaxBackoff  time.Duration `key:"max_backoff" default:"10m" min:"1ms" max:"24h" help:"limit of the random part of a delay, which is added to min_backoff or FCM's Retry-After"`
	Quota       time.Duration `key:"quota" default:"60s" min:"1ms" max:"24h" help:"delay after a 429 without Retry-After"`
	Unsent      time.Duration `key:"unsent" default:"1s" min:"1ms" max:"24h" help:"delay after a request that never reached FCM"`
	Outage      time.Duration `key:"outage" default:"10s" min:"1ms" max:"24h" help:"delay while the database is down or the credentials are refused; it counts as no attempt"`
	KeptBack    time.Duration `key:"kept_back" default:"5m" min:"1ms" max:"24h" help:"delay for recipients whose platform is on hold, until an operator has fixed the cause"`
}

// Pacing is the quota that all replicas share.
type Pacing struct {
	Enabled           bool          `key:"enabled" default:"true" help:"obey the quota, its ramp and the gate that a 429 closes; set false only for an endpoint of your own"`
	PerMinute         int           `key:"per_minute" default:"600000" min:"1" max:"60000000" help:"the project's quota in Firebase, in messages per minute"`
	HeadroomPercent   int           `key:"headroom_percent" default:"1" min:"0" max:"99" help:"percentage of the quota to leave unused, for pushes that arrive late and count in the next minute, and for those that the application sends itself"`
	Ramp              time.Duration `key:"ramp" default:"60s" min:"0s" max:"24h" help:"time from standstill to full rate; FCM demands at least 60s"`
	Idle              time.Duration `key:"idle" default:"30s" min:"1s" max:"24h" help:"length of a pause after which the ramp starts again"`
	MaxGate           time.Duration `key:"max_gate" default:"1h" min:"1s" max:"24h" help:"longest Retry-After to obey"`
	AvoidQuarterHours bool          `key:"avoid_quarter_hours" default:"false" help:"send nothing within two minutes of :00, :15, :30 and :45, when FCM is busiest"`
}

// Breaker says when to pause a campaign, and when to keep dead tokens.
type Breaker struct {
	Enabled             bool `key:"enabled" default:"true" help:"check each campaign's results, and pause it if they are bad"`
	Canary              int  `key:"canary" default:"100" min:"0" max:"5000" help:"number of pushes sent first; the others follow only if the results look sane"`
	UnregisteredPercent int  `key:"unregistered_percent" default:"50" min:"1" max:"100" help:"percentage of dead tokens in a minute that pauses a campaign"`
	DeletionsLeast      int  `key:"deletions_least" default:"1000" min:"0" max:"100000000" help:"number of tokens that may always be deleted per project and hour"`
	DeletionsPercent    int  `key:"deletions_percent" default:"25" min:"0" max:"100" help:"percentage of the hour's results that may delete a token; dead tokens beyond it are kept"`
}

// FCM names the project, its credentials and the endpoint.
type FCM struct {
	ProjectID       string        `key:"project_id" env:"FCM_PROJECT_ID" help:"the Firebase project; empty: the project in the credentials"`
	Endpoint        URL           `key:"endpoint" env:"FCM_ENDPOINT" schemes:"https http" help:"a base URL such as https://host:port/v1 in place of Google's; without credentials, requests to it are sent without an access token"`
	CredentialsFile string        `key:"credentials_file" env:"GOOGLE_APPLICATION_CREDENTIALS" file:"fcm.credentials (FCM_CREDENTIALS) for the JSON itself, or the path of its file here" help:"path of the service account's key file; empty: Application Default Credentials"`
	Credentials     Secret        `key:"credentials" env:"FCM_CREDENTIALS" help:"the service account's JSON or its base64, in place of a file"`
	AllowPlaintext  bool          `key:"allow_plaintext" default:"false" help:"send access tokens over http:// to other machines; anyone on the way can read them"`
	Timeout         time.Duration `key:"timeout" default:"15s" min:"1ms" max:"1h" help:"timeout of one push; below 10s it causes duplicates"`
	Client          string        `key:"client" default:"own" oneof:"own sdk" help:"what makes the requests; sdk: Google's Firebase Admin SDK, as a second opinion: it costs more, and cannot send all that FCM takes"`
	CAFile          string        `key:"ca_file" file:"the path of the file that holds it" help:"PEM file of the authority that signed the endpoint's certificate; empty: those of the system"`
}

// Tokens configures the token cache.
type Tokens struct {
	TTL         time.Duration `key:"ttl" default:"24h" min:"1s" max:"8760h" help:"how long Redis keeps a token from SQL, ±10%"`
	NegativeTTL time.Duration `key:"negative_ttl" default:"30s" min:"1s" max:"8760h" help:"how long Redis remembers that SQL has no token, ±10%"`
	KeepRemoved time.Duration `key:"keep_removed" default:"168h" min:"0s" max:"8760h" help:"how long fanfare tokens restore can bring back a dead token that was removed; 0s: not at all"`
}

// Profiles configures the profile cache.
type Profiles struct {
	TTL         time.Duration `key:"ttl" default:"1h" min:"1s" max:"8760h" help:"how long Redis keeps a profile from SQL, ±10%"`
	NegativeTTL time.Duration `key:"negative_ttl" default:"30s" min:"1s" max:"8760h" help:"how long Redis remembers that SQL has no profile, ±10%"`
}

// Responder configures the responder.
type Responder struct {
	Batch         int           `key:"batch" default:"1000" min:"1" max:"10000" help:"number of results per transaction"`
	Workers       int           `key:"workers" default:"4" min:"1" max:"64" help:"number of concurrent transactions"`
	DeadMaxLength int           `key:"dead_max_length" default:"100000" min:"1" max:"10000000" help:"maximum number of dead letters; the oldest are dropped and counted"`
	DeadMaxAge    time.Duration `key:"dead_max_age" default:"720h" min:"1s" max:"8760h" help:"how long a dead letter is kept"`
	Drain         time.Duration `key:"drain" default:"30s" min:"1ms" max:"24h" help:"how long transactions under way may take to finish after SIGTERM"`
}

// Store names the database, and the statements for an existing schema.
type Store struct {
	DatabaseURL      URL           `key:"database_url" env:"DATABASE_URL" help:"postgres://user:password@host/database?sslmode=verify-full, or sqlite:path"`
	TokenQuery       Statement     `key:"token_query" default:"default" help:"SQL that returns id and token for the ids in $1, and optionally fid, kind, platform, locale and last_seen; several rows are several devices; default: SELECT id, fcm_token FROM users WHERE id = ANY($1); off: tokens come from Redis only"`
	TokenClear       Statement     `key:"token_clear" default:"default" help:"SQL that clears the token $2 of the user $1; default: UPDATE users SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2; off: the application clears its own"`
	TokenRestore     Statement     `key:"token_restore" default:"default" help:"SQL that restores the token $2 of the user $1 unless the user has another; default: UPDATE users SET fcm_token = $2 WHERE id = $1 AND (fcm_token IS NULL OR fcm_token = ''), or off if store.token_clear is not the default; off: restores to Redis only"`
	ProfileQuery     Statement     `key:"profile_query" default:"off" help:"SQL that returns id and profile, a JSON object, for the ids in $1; off: profiles come from Redis only"`
	SuppressionQuery Statement     `key:"suppression_query" default:"off" help:"SQL that returns the ids of those users in $1 that get no push, and no other column, such as SELECT id FROM opt_outs WHERE id = ANY($1); off: suppressed users come from Redis only"`
	Timeout          time.Duration `key:"timeout" default:"10s" min:"1ms" max:"1h" help:"timeout of one query, or of one transaction of responder.batch results; what times out is tried again"`
}

// Webhooks configures who is told when a campaign ends, is paused or is held.
type Webhooks struct {
	URL           HookURL `key:"url" schemes:"https http" help:"the address that gets each event as a POST; without one, events are only in the stream in Redis"`
	Secret        Secret  `key:"secret" help:"signs each event: at least 16 bytes"`
	AllowInternal bool    `key:"allow_internal" default:"false" help:"allow http, and a receiver in your own network"`
}

// Console configures the logins of the web console.
type Console struct {
	Token     Secret `key:"token" help:"login of people who operate: at least 16 characters"`
	ReadToken Secret `key:"read_token" help:"login of people who only read: at least 16 characters"`
}

// Log says what to log, and how.
type Log struct {
	Level  string `key:"level" default:"info" oneof:"debug info warn error" env:"LOG_LEVEL" help:"the lowest level that is logged"`
	Format string `key:"format" default:"auto" oneof:"auto json text" env:"LOG_FORMAT" help:"auto: text on a terminal, else JSON"`
}

// HTTP has the addresses at which the daemons serve health and metrics.
type HTTP struct {
	Dispatcher Address `key:"dispatcher" default:"127.0.0.1:9464" help:"the dispatcher's host:port, or off"`
	Responder  Address `key:"responder" default:"127.0.0.1:9465" help:"the responder's host:port, or off"`
}
