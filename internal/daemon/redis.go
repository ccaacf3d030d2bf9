package daemon

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// The kinds of Redis.
const (
	RedisStandalone = "standalone"
	RedisSentinel   = "sentinel"
	RedisCluster    = "cluster"
)

// RedisOptions say where Redis is. URL is a whole address (redis://host:port/db, rediss:// or unix://socket?db=0), credentials and
// database included; without one, a standalone Redis is at Host and Port, the others at Addresses.
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

	PoolSize, MinIdle                      int           // zero: the client's own defaults
	DialTimeout, ReadTimeout, WriteTimeout time.Duration // zero: 5 s
	TLS                                    RedisTLS
}

// OpenRedis makes the client; it connects when it is first used. Every error is about the options, and exits with ExitUsage.
//
// A command whose reply was lost is sent again, up to three times: all that we send must stand being repeated.
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
	return nil, WithExitCode(ExitUsage, fmt.Errorf("redis: mode %q is none of %s, %s, %s", o.Mode, RedisStandalone, RedisSentinel, RedisCluster))
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
			Mode: maintnotifications.ModeDisabled, // only Redis Enterprise knows them
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

func (o RedisOptions) setAddress(universal *redis.UniversalOptions) error {
	switch {
	case o.Mode == RedisSentinel:
		if o.URL != "" || len(o.Addresses) == 0 || o.SentinelMaster == "" {
			return errors.New("sentinel needs addresses and the master's name, and no url")
		}
	case o.URL != "":
		if len(o.Addresses) > 0 {
			return errors.New("url and addresses exclude each other")
		}
		return readRedisURL(o.URL, universal)
	case len(o.Addresses) == 0:
		universal.Addrs = []string{net.JoinHostPort(o.Host, strconv.Itoa(o.Port))}
	}
	return nil
}

// readRedisURL never passes the parser's error on: it quotes the address, password and all.
func readRedisURL(address string, universal *redis.UniversalOptions) error {
	parsed, err := url.Parse(address)
	if err != nil {
		return errors.New("url cannot be read; use redis://user:password@host:6379/0 with %XX for special characters")
	}
	query := parsed.Query()
	if parsed.Scheme == "unix" {
		query.Del("db") // the path is the socket's, so the database has no other place
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
