// Package config reads the settings: a flag over the environment over the file over the default. It is strict: a key
// that nobody knows, wherever it stands, and a value that does not fit are errors that say where and what would fit.
//
// The struct tags below are the one source of the settings: key, default, limits, the environment's conventional
// name and the one-line meaning. config.yaml, the flags, the table in docs/settings.md and "fanfare config" all follow from them.
package config

import "time"

// Settings are all settings, typed and checked one by one. What they mean together is for the rooms' constructors to
// refuse. Secrets print as "[redacted]", whatever the verb.
type Settings struct {
	Redis      Redis      `key:"redis" help:"Where Redis is: one url; or host and port; or, for Sentinel and Cluster, the addresses."`
	Names      Names      `key:"names" help:"The names of the keys that we share with the application."`
	Queue      Queue      `key:"queue" help:"The leased lists."`
	Dispatcher Dispatcher `key:"dispatcher" help:"The program that takes recipients from Redis and pushes to FCM."`
	Campaign   Campaign   `key:"campaign" help:"What holds for every campaign that does not say otherwise."`
	Retry      Retry      `key:"retry" help:"When a recipient is tried again, and when no more. The defaults are FCM's own rules."`
	Pacing     Pacing     `key:"pacing" help:"How fast the project is sent to, by all replicas together. What fanfare quota set says at run time wins."`
	Breaker    Breaker    `key:"breaker" help:"What stops a campaign, or the deletion of tokens, before it does damage."`
	FCM        FCM        `key:"fcm" help:"Firebase Cloud Messaging."`
	Tokens     Tokens     `key:"tokens" help:"The cache of users' registration tokens, user:<id>:token."`
	Profiles   Profiles   `key:"profiles" help:"The cache of users' profiles, profile:<id>."`
	Responder  Responder  `key:"responder" help:"The program that takes results from Redis and writes them to SQL."`
	Store      Store      `key:"store" help:"The database. The dispatcher needs it only where tokens or profiles are looked up in SQL."`
	Log        Log        `key:"log" help:"The log, on standard error."`
	HTTP       HTTP       `key:"http" help:"Where /livez, /readyz and /metrics are served. They have no password: keep them on loopback or a private network."`

	origins  map[string]origin
	warnings []string
}

// Redis says where Redis is and how to talk to it. URL, where there is one, is the whole address, credentials and database
// included, and Host, Port, Username, Password and DB say the same: see settleRedis.
type Redis struct {
	URL                   URL           `key:"url" env:"REDIS_URL" schemes:"redis rediss unix" help:"the whole address: redis://user:password@host:6379/0, rediss:// for TLS, or unix:///socket?db=0; port, username, password and db that it leaves open, or that a stronger source has, come from their own settings; a host of a stronger source replaces it; else the url wins"`
	Mode                  string        `key:"mode" default:"standalone" oneof:"standalone sentinel cluster" help:"what kind of Redis this is"`
	Host                  string        `key:"host" default:"localhost" env:"REDIS_HOST" help:"name or address of a standalone Redis"`
	Port                  int           `key:"port" default:"6379" min:"1" max:"65535" env:"REDIS_PORT" help:"its port"`
	Username              string        `key:"username" env:"REDIS_USERNAME" help:"ACL user; empty: the default user"`
	Password              Secret        `key:"password" env:"REDIS_PASSWORD" help:"the user's password"`
	DB                    int           `key:"db" default:"0" min:"0" max:"65535" env:"REDIS_DB" help:"database number; a cluster has only 0"`
	Addresses             []string      `key:"addresses" help:"host:port of the sentinels, or of some of the cluster's nodes"`
	SentinelMaster        string        `key:"sentinel_master" help:"the master's name, as the sentinels know it"`
	SentinelUsername      string        `key:"sentinel_username" help:"ACL user at the sentinels, if they have one of their own"`
	SentinelPassword      Secret        `key:"sentinel_password" help:"that user's password"`
	PoolSize              int           `key:"pool_size" default:"0" min:"0" max:"10000" help:"connections kept at most; 0: ten a CPU"`
	MinIdle               int           `key:"min_idle" default:"0" min:"0" max:"10000" help:"idle connections kept open"`
	DialTimeout           time.Duration `key:"dial_timeout" default:"5s" min:"1ms" max:"1h" help:"how long connecting may take"`
	ReadTimeout           time.Duration `key:"read_timeout" default:"5s" min:"1ms" max:"1h" help:"how long an answer may take"`
	WriteTimeout          time.Duration `key:"write_timeout" default:"5s" min:"1ms" max:"1h" help:"how long writing a command may take"`
	TLS                   TLS           `key:"tls" help:"TLS to Redis; rediss:// in the url switches it on too"`
	AllowVolatileEviction bool          `key:"allow_volatile_eviction" default:"false" help:"start although Redis may evict audiences (maxmemory-policy other than noeviction)"`
}

// TLS are the certificates of a connection. There is no way to switch their verification off.
type TLS struct {
	Enabled    bool   `key:"enabled" default:"false" help:"speak TLS, as rediss:// in the url does"`
	CAFile     string `key:"ca_file" file:"the path of the file that holds it" help:"PEM file of the authority that signed the server's certificate; empty: the system's"`
	CertFile   string `key:"cert_file" file:"the path of the file that holds it" help:"PEM file of our own certificate, where the server asks for one"`
	KeyFile    string `key:"key_file" file:"the path of the file that holds it" help:"PEM file of its key"`
	ServerName string `key:"server_name" help:"the name in the server's certificate, where it is not the host's"`
}

// Names are the parts of the keys that are shared with the application.
type Names struct {
	CampaignPrefix string `key:"campaign_prefix" default:"campaign:" min:"1" help:"campaign:<id>, the audience"`
	UserPrefix     string `key:"user_prefix" default:"user:" min:"1" help:"user:<id>:token, before the id"`
	UserSuffix     string `key:"user_suffix" default:":token" help:"user:<id>:token, after the id"`
	ProfilePrefix  string `key:"profile_prefix" default:"profile:" min:"1" help:"profile:<id>, the profile"`
	Responses      string `key:"responses" default:"notification:responses" min:"1" help:"the list of results"`
}

// Queue are the settings of every leased list.
type Queue struct {
	Lease      time.Duration `key:"lease" default:"15s" min:"100ms" max:"1h" help:"how long what a crashed process had taken stays out of reach; a live one extends its leases"`
	MaxElement Size          `key:"max_element" default:"64KiB" min:"1KiB" max:"16MiB" help:"a longer element goes to the dead letters"`
	ClaimBytes Size          `key:"claim_bytes" default:"4MiB" min:"1KiB" max:"64MiB" help:"what one claim carries at most"`
	Linger     time.Duration `key:"linger" default:"168h" min:"1s" max:"8760h" help:"how long beyond the producer's expiry a list without a campaign is kept; one with a campaign is kept until that ends"`
}

// Dispatcher are the settings of the dispatcher's pool.
type Dispatcher struct {
	Concurrency int           `key:"concurrency" default:"500" min:"1" max:"10000" help:"pushes in flight at most; a fifth more recipients are held ready; how many FCM takes at once is found out"`
	Claim       int           `key:"claim" default:"200" min:"1" max:"10000" help:"recipients taken by one claim at most"`
	AckInterval time.Duration `key:"ack_interval" default:"20ms" min:"1ms" max:"10s" help:"how long outcomes wait to be written together; what waits here is what a crash repeats"`
	AckBatch    int           `key:"ack_batch" default:"200" min:"1" max:"10000" help:"how many outcomes are written together at most"`
	Drain       time.Duration `key:"drain" default:"30s" min:"1ms" max:"24h" help:"after SIGTERM, how long pushes in flight may take to finish"`
	Poll        time.Duration `key:"poll" default:"250ms" min:"1ms" max:"10m" help:"how soon an empty campaign is looked at again"`
	Discover    time.Duration `key:"discover" default:"2s" min:"1ms" max:"10m" help:"how often running campaigns are looked for"`
}

// Campaign holds for every campaign that does not say otherwise.
type Campaign struct {
	DefaultTTL time.Duration `key:"default_ttl" default:"24h" min:"1s" max:"8760h" help:"the deadline of an audience that our loader wrote, unless its campaign has one"`
	Retention  time.Duration `key:"retention" default:"168h" min:"1s" max:"8760h" help:"how long a finished campaign's books are kept in Redis"`
}

// Retry says when a recipient is tried again.
type Retry struct {
	MaxAttempts int           `key:"max_attempts" default:"8" min:"1" max:"1000" help:"requests made for one recipient"`
	MaxElapsed  time.Duration `key:"max_elapsed" default:"60m" min:"1ms" max:"672h" help:"from a recipient's first claim to its last attempt"`
	MinBackoff  time.Duration `key:"min_backoff" default:"10s" min:"1ms" max:"24h" help:"shortest wait after a 500 or 503; FCM asks for 10s or more"`
	MaxBackoff  time.Duration `key:"max_backoff" default:"10m" min:"1ms" max:"24h" help:"bound of the random part of a wait, which comes on top of min_backoff or FCM's Retry-After"`
	Quota       time.Duration `key:"quota" default:"60s" min:"1ms" max:"24h" help:"wait after a 429 that names none"`
	Unsent      time.Duration `key:"unsent" default:"1s" min:"1ms" max:"24h" help:"wait after a request that never reached FCM"`
	Outage      time.Duration `key:"outage" default:"10s" min:"1ms" max:"24h" help:"wait while the database is down or the credentials are refused; no attempt is counted"`
	KeptBack    time.Duration `key:"kept_back" default:"5m" min:"1ms" max:"24h" help:"wait of recipients whose platform is kept back, until a person has fixed it"`
}

// Pacing is the quota that all replicas share.
type Pacing struct {
	Enabled           bool          `key:"enabled" default:"true" help:"obey the quota, its ramp and the gate that a 429 closes; false is for an endpoint of one's own"`
	PerMinute         int           `key:"per_minute" default:"600000" min:"1" max:"60000000" help:"what Firebase grants the project, in messages a minute"`
	HeadroomPercent   int           `key:"headroom_percent" default:"1" min:"0" max:"99" help:"the percentage of it that is left unused: for pushes that arrive late, in the quota's next minute, and for the application's own"`
	Ramp              time.Duration `key:"ramp" default:"60s" min:"0s" max:"24h" help:"from standstill to full pace; FCM asks for 60s or more"`
	Idle              time.Duration `key:"idle" default:"30s" min:"1s" max:"24h" help:"the pause after which the ramp begins again"`
	MaxGate           time.Duration `key:"max_gate" default:"1h" min:"1s" max:"24h" help:"the longest Retry-After that is believed"`
	AvoidQuarterHours bool          `key:"avoid_quarter_hours" default:"false" help:"send nothing within two minutes of :00, :15, :30 and :45, when FCM is busiest"`
}

// Breaker says when a campaign is stopped, and when dead tokens are kept.
type Breaker struct {
	Enabled             bool `key:"enabled" default:"true" help:"judge each campaign by its answers"`
	Canary              int  `key:"canary" default:"100" min:"0" max:"5000" help:"pushes of a campaign that go out alone, and must look sane before the rest follows"`
	UnregisteredPercent int  `key:"unregistered_percent" default:"50" min:"1" max:"100" help:"dead tokens among the answers of a minute that pause a campaign"`
	DeletionsLeast      int  `key:"deletions_least" default:"1000" min:"0" max:"100000000" help:"tokens that a project may always lose in an hour"`
	DeletionsPercent    int  `key:"deletions_percent" default:"25" min:"0" max:"100" help:"tokens that it may lose, among the hour's answers; those that die beyond are kept"`
}

// FCM says which project is sent to, as whom, and where.
type FCM struct {
	ProjectID       string        `key:"project_id" env:"FCM_PROJECT_ID" help:"the Firebase project; empty: the one that the credentials name"`
	Endpoint        URL           `key:"endpoint" env:"FCM_ENDPOINT" schemes:"https http" help:"a base such as https://host:port/v1 instead of Google's; without credentials, requests to it carry none"`
	CredentialsFile string        `key:"credentials_file" env:"GOOGLE_APPLICATION_CREDENTIALS" file:"fcm.credentials (FCM_CREDENTIALS) for the JSON itself, or the path of its file here" help:"path of the service account's file; empty: Application Default Credentials"`
	Credentials     Secret        `key:"credentials" env:"FCM_CREDENTIALS" help:"the service account's JSON itself, or its base64, in place of a file"`
	AllowPlaintext  bool          `key:"allow_plaintext" default:"false" help:"send access tokens over http:// to other machines, where anyone on the way can read them"`
	Timeout         time.Duration `key:"timeout" default:"15s" min:"1ms" max:"1h" help:"how long one push may take; under 10s makes duplicates"`
	CAFile          string        `key:"ca_file" file:"the path of the file that holds it" help:"PEM file of the authority that signed the endpoint's certificate; empty: the system's"`
}

// Tokens are the settings of the token cache.
type Tokens struct {
	TTL         time.Duration `key:"ttl" default:"24h" min:"1s" max:"8760h" help:"how long a token that came from SQL is kept in Redis, ±10%"`
	NegativeTTL time.Duration `key:"negative_ttl" default:"30s" min:"1s" max:"8760h" help:"how long it is remembered that SQL has none, ±10%"`
	KeepRemoved time.Duration `key:"keep_removed" default:"168h" min:"0s" max:"8760h" help:"how long a token that was removed as dead can be given back with fanfare tokens restore; 0s: not at all"`
}

// Profiles are the settings of the profile cache.
type Profiles struct {
	TTL         time.Duration `key:"ttl" default:"1h" min:"1s" max:"8760h" help:"how long a profile that came from SQL is kept in Redis, ±10%"`
	NegativeTTL time.Duration `key:"negative_ttl" default:"30s" min:"1s" max:"8760h" help:"how long it is remembered that SQL has none, ±10%"`
}

// Responder are the settings of the responder.
type Responder struct {
	Batch         int           `key:"batch" default:"1000" min:"1" max:"10000" help:"results written by one transaction"`
	Workers       int           `key:"workers" default:"4" min:"1" max:"64" help:"transactions at a time"`
	DeadMaxLength int           `key:"dead_max_length" default:"100000" min:"1" max:"10000000" help:"dead letters kept; the oldest go first, and are counted"`
	DeadMaxAge    time.Duration `key:"dead_max_age" default:"720h" min:"1s" max:"8760h" help:"how long a dead letter is kept"`
	Drain         time.Duration `key:"drain" default:"30s" min:"1ms" max:"24h" help:"after SIGTERM, how long transactions under way may take to finish"`
}

// Store says which database is used, and with which statements of an existing schema.
type Store struct {
	DatabaseURL  URL           `key:"database_url" env:"DATABASE_URL" help:"postgres://user:password@host/database?sslmode=verify-full, or sqlite:path"`
	TokenQuery   Statement     `key:"token_query" default:"default" help:"SQL that gives id and token of the ids in $1; default: SELECT id, fcm_token FROM users WHERE id = ANY($1); off: tokens come from Redis only"`
	TokenClear   Statement     `key:"token_clear" default:"default" help:"SQL that clears the token $2 of the user $1; default: UPDATE users SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2; off: the application clears its own"`
	TokenRestore Statement     `key:"token_restore" default:"default" help:"SQL that gives the user $1 the token $2 back, unless there is another; default: UPDATE users SET fcm_token = $2 WHERE id = $1 AND (fcm_token IS NULL OR fcm_token = ''), or off where store.token_clear is not the default; off: only Redis gets it back"`
	ProfileQuery Statement     `key:"profile_query" default:"off" help:"SQL that gives id and profile, a JSON object, of the ids in $1; off: profiles come from Redis only"`
	Timeout      time.Duration `key:"timeout" default:"10s" min:"1ms" max:"1h" help:"how long one query, or one transaction of responder.batch results, may take; what is cut off is tried again"`
}

// Log says what is logged, and how.
type Log struct {
	Level  string `key:"level" default:"info" oneof:"debug info warn error" env:"LOG_LEVEL" help:"the least that is logged"`
	Format string `key:"format" default:"auto" oneof:"auto json text" env:"LOG_FORMAT" help:"auto: text on a terminal, else JSON"`
}

// HTTP says where each daemon serves its health and its metrics.
type HTTP struct {
	Dispatcher Address `key:"dispatcher" default:"127.0.0.1:9464" help:"the dispatcher's host:port, or off"`
	Responder  Address `key:"responder" default:"127.0.0.1:9465" help:"the responder's host:port, or off"`
}
