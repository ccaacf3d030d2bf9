// Package assembly turns settings into the rooms that every program needs: Redis, SQL, and what
// they store. Package sending makes what needs FCM, so that the responder does not link it.
package assembly

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
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
	"fanfare/internal/webhooks"
)

// LoadSettings reads the settings. Its errors have the code ExitUsage.
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
		DevicesSuffix:  s.DevicesSuffix,
		ProfilePrefix:  s.ProfilePrefix,
		Responses:      s.Responses,
		Suppressed:     s.Suppressed,
	}
}

// RedisOptions returns the options of the connection to Redis. CLIENT LIST shows client as its
// name.
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

// StoreOptions returns the options of package store.
func StoreOptions(s config.Store) store.Options {
	return store.Options{
		TokenQuery:       storeStatement(s.TokenQuery, store.Default),
		TokenClear:       storeStatement(s.TokenClear, store.Default),
		TokenRestore:     storeStatement(s.TokenRestore, store.Default),
		ProfileQuery:     storeStatement(s.ProfileQuery, ""),
		SuppressionQuery: storeStatement(s.SuppressionQuery, ""),
		Timeout:          s.Timeout,
	}
}

// storeStatement converts a setting to the store's option, where an empty statement means no query.
func storeStatement(s config.Statement, fallback string) string {
	switch {
	case s.IsOff():
		return ""
	case s.SQL() == "":
		return fallback
	}
	return s.SQL()
}

// tokenOptions returns the options that follow from the settings alone.
func tokenOptions(s config.Tokens) tokens.Options {
	o := tokens.Options{TTL: s.TTL, NegativeTTL: s.NegativeTTL, KeepTTL: s.KeepRemoved}
	if o.KeepTTL == 0 {
		o.KeepTTL = tokens.KeepNone
	}
	return o
}

// Whoami names the person who runs the program, for what others read later.
func Whoami() string {
	name, host := "somebody", "somewhere"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}

// CampaignOptions returns the options of package campaign.
func CampaignOptions(s config.Settings) campaign.Options {
	return campaign.Options{
		Queue: queue.Options{
			Lease:      s.Queue.Lease,
			MaxElement: int(s.Queue.MaxElement),
			ClaimBytes: int(s.Queue.ClaimBytes),
			Linger:     s.Queue.Linger,
		},
		Actor:      Whoami(),
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

// NewLogger makes the logger of the settings.
func NewLogger(w io.Writer, s config.Log) (*slog.Logger, error) {
	return daemon.NewLogger(w, s.Level, s.Format)
}

func webhookOptions(s config.Webhooks) webhooks.Options {
	return webhooks.Options{URL: s.URL.Reveal(), Secret: s.Secret, AllowInternal: s.AllowInternal, Interval: webhooks.DefaultInterval}
}
