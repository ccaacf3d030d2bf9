// Package assembly turns settings into the rooms that every program needs: Redis, SQL, and what is kept in them. What
// sends to FCM is made in package sending, so that the responder does not link it.
package assembly

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/internal/store"
	"fanfare/internal/tokens"
)

// Settings reads the settings; what is wrong with them exits with ExitUsage.
func LoadSettings(file string, flags *pflag.FlagSet) (config.Settings, error) {
	s, err := config.Load(file, flags, os.Environ())
	if err != nil {
		return s, daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("settings: %w", err))
	}
	return s, nil
}

func keyNames(s config.Names) keys.Names {
	return keys.Names{
		CampaignPrefix: s.CampaignPrefix,
		UserPrefix:     s.UserPrefix,
		UserSuffix:     s.UserSuffix,
		ProfilePrefix:  s.ProfilePrefix,
		Responses:      s.Responses,
	}
}

// RedisOptions are the options of the connection to Redis. client is the name that CLIENT LIST shows.
func RedisOptions(s config.Redis, client string) daemon.RedisOptions {
	return daemon.RedisOptions{
		ClientName: client,
		Mode:       s.Mode,
		URL:        s.URL.Reveal(),
		Host:       s.Host, Port: s.Port,
		Username: s.Username, Password: s.Password.Reveal(),
		DB:               s.DB,
		Addresses:        s.Addresses,
		SentinelMaster:   s.SentinelMaster,
		SentinelUsername: s.SentinelUsername, SentinelPassword: s.SentinelPassword.Reveal(),
		PoolSize: s.PoolSize, MinIdle: s.MinIdle,
		DialTimeout: s.DialTimeout, ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout,
		TLS: daemon.RedisTLS{
			Enabled: s.TLS.Enabled,
			CAFile:  s.TLS.CAFile, CertFile: s.TLS.CertFile, KeyFile: s.TLS.KeyFile,
			ServerName: s.TLS.ServerName,
		},
	}
}

// StoreOptions are the options of package store that the settings ask for.
func StoreOptions(s config.Store) store.Options {
	return store.Options{
		TokenQuery:   storeStatement(s.TokenQuery, store.Default),
		TokenClear:   storeStatement(s.TokenClear, store.Default),
		TokenRestore: storeStatement(s.TokenRestore, store.Default),
		ProfileQuery: storeStatement(s.ProfileQuery, ""),
		Timeout:      s.Timeout,
	}
}

// statement turns a setting into an option of the store, where an empty statement means "do not ask".
func storeStatement(s config.Statement, byDefault string) string {
	switch {
	case s.IsOff():
		return ""
	case s.SQL() == "":
		return byDefault
	}
	return s.SQL()
}

// tokenOptions are those that the settings alone decide.
func tokenOptions(s config.Tokens) tokens.Options {
	o := tokens.Options{TTL: s.TTL, NegativeTTL: s.NegativeTTL, KeepTTL: s.KeepRemoved}
	if o.KeepTTL == 0 {
		o.KeepTTL = tokens.KeepNone
	}
	return o
}

// CampaignOptions are the options of package campaign that the settings ask for.
func CampaignOptions(s config.Settings) campaign.Options {
	return campaign.Options{
		Queue: queue.Options{
			Lease:      s.Queue.Lease,
			MaxElement: int(s.Queue.MaxElement),
			ClaimBytes: int(s.Queue.ClaimBytes),
			Linger:     s.Queue.Linger,
		},
		Retention:  s.Campaign.Retention,
		DefaultTTL: s.Campaign.DefaultTTL,
	}
}

func breakerOptions(s config.Settings) breaker.Options {
	o := breaker.DefaultOptions()
	o.Canary, o.Lease = s.Breaker.Canary, max(s.Queue.Lease, time.Second)
	o.Probe, o.LongestProbe = s.Retry.Outage, max(s.Retry.Outage, s.Retry.MaxBackoff)
	unregistered := o.Thresholds[breaker.Unregistered]
	unregistered.Share = float64(s.Breaker.UnregisteredPercent) / 100
	o.Thresholds[breaker.Unregistered] = unregistered
	return o
}

// Misconfigured gives the error of a room that refuses its options the exit code for settings.
func AsSettingsError(err error) error {
	if err == nil {
		return nil
	}
	return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("settings: %w", err))
}
