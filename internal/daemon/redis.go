package daemon

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"fanfare/internal/loopback"
)

// The modes of Redis.
const (
	RedisStandalone = "standalone"
	RedisSentinel   = "sentinel"
	RedisCluster    = "cluster"
)

// RedisOptions say how to connect to Redis.
//
// URL is a whole address with credentials and database: redis://host:port/db, rediss:// or
// unix://socket?db=0. Without it, a standalone Redis is at Host and Port, and the other modes use
// Addresses.
type RedisOptions struct {
	ClientName string // shown by CLIENT LIST
	Mode       string // RedisStandalone when empty

	URL                string
	Host               string
	Port               int
	Username, Password string
	DB                 int

	Addresses                          []string
	SentinelMaster                     string
	SentinelUsername, SentinelPassword string

	PoolSize, MinIdle                      int           // zero: the client's defaults
	DialTimeout, ReadTimeout, WriteTimeout time.Duration // zero: 5 s
	TLS                                    RedisTLS
}

// OpenRedis makes a client, which connects at its first command. All errors are about the options
// and have the code ExitUsage.
//
// The client sends a command again, up to three times, if the reply was lost. So every command of
// ours must be safe to repeat.
func OpenRedis(o RedisOptions) (redis.UniversalClient, error) {
	universal, err := o.clientOptions()
	if err != nil {
		return nil, WithExitCode(ExitUsage, fmt.Errorf("redis: %w", err))
	}
	switch o.Mode {
	case RedisStandalone, "":
		return redis.NewClient(universal.Simple()), nil
	case RedisSentinel:
		return redis.NewFailoverClient(universal.Failover()), nil
	case RedisCluster:
		return redis.NewClusterClient(universal.Cluster()), nil
	}
	return nil, WithExitCode(ExitUsage, fmt.Errorf("redis: mode %q is not one of %s, %s, %s", o.Mode, RedisStandalone, RedisSentinel, RedisCluster))
}

func (o RedisOptions) clientOptions() (*redis.UniversalOptions, error) {
	universal := &redis.UniversalOptions{
		Addrs:      o.Addresses,
		MasterName: o.SentinelMaster,
		ClientName: o.ClientName,
		Username:   o.Username, Password: o.Password, DB: o.DB,
		SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
		PoolSize: o.PoolSize, MinIdleConns: o.MinIdle,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		MaxRetries:            3,
		ContextTimeoutEnabled: true,
		DisableIdentity:       true, // CLIENT SETINFO is younger than some servers
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled, // only Redis Enterprise has them
		},
	}
	if err := o.setAddress(universal); err != nil {
		return nil, err
	}
	if err := o.setTLS(universal); err != nil {
		return nil, err
	}
	universal.Dialer = newRedisDialer(universal.TLSConfig, o.DialTimeout).dial
	return universal, nil
}

// PlaintextHost returns a host on another machine to which a password is sent without TLS, or "".
func (o RedisOptions) PlaintextHost() string {
	universal, err := o.clientOptions()
	if err != nil || universal.TLSConfig != nil || universal.Password == "" && universal.SentinelPassword == "" {
		return ""
	}
	for _, address := range universal.Addrs {
		if host, _, err := net.SplitHostPort(address); err == nil && host != "" && !loopback.IsHost(host) {
			return host
		}
	}
	return ""
}

func (o RedisOptions) setAddress(universal *redis.UniversalOptions) error {
	switch {
	case o.Mode == RedisSentinel:
		if o.URL != "" || len(o.Addresses) == 0 || o.SentinelMaster == "" {
			return errors.New("sentinel mode needs redis.addresses and redis.sentinel_master, and no redis.url")
		}
	case o.URL != "":
		if len(o.Addresses) > 0 {
			return errors.New("set either url or addresses, not both")
		}
		return readRedisURL(o.URL, universal)
	case len(o.Addresses) == 0:
		universal.Addrs = []string{net.JoinHostPort(o.Host, strconv.Itoa(o.Port))}
	}
	return nil
}

// readRedisURL hides the parser's error, because it quotes the address with its password.
func readRedisURL(address string, universal *redis.UniversalOptions) error {
	parsed, err := url.Parse(address)
	if err != nil {
		return errors.New("url cannot be read; use redis://user:password@host:6379/0 with %XX for special characters")
	}
	query := parsed.Query()
	if parsed.Scheme == "unix" {
		query.Del("db") // a socket's URL has no other place for the database
	}
	if len(query) > 0 {
		return errors.New("url has parameters behind a ?; use the settings of section redis instead")
	}
	options, err := redis.ParseURL(address)
	if err != nil {
		return errors.New("url cannot be read; use redis://, rediss:// or unix://, and a number as database")
	}
	universal.Addrs = []string{options.Addr}
	universal.Username, universal.Password, universal.DB = options.Username, options.Password, options.DB
	universal.TLSConfig = options.TLSConfig
	return nil
}

// RedisTLS configures TLS. The server's certificate is always verified.
type RedisTLS struct {
	Enabled                               bool
	CAFile, CertFile, KeyFile, ServerName string
}

// setTLS adds the TLS configuration if TLS.Enabled or the URL's scheme asks for it.
func (o RedisOptions) setTLS(universal *redis.UniversalOptions) error {
	if !o.TLS.Enabled && universal.TLSConfig == nil {
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.TLS.ServerName}
	if universal.TLSConfig != nil && config.ServerName == "" {
		config.ServerName = universal.TLSConfig.ServerName
	}
	if o.TLS.CAFile != "" {
		pem, err := os.ReadFile(o.TLS.CAFile)
		if err != nil {
			return fmt.Errorf("read CA file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("no certificate in %s; expected a PEM file", o.TLS.CAFile)
		}
	}
	if o.TLS.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.TLS.CertFile, o.TLS.KeyFile)
		if err != nil {
			return fmt.Errorf("load client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	universal.TLSConfig = config
	return nil
}
