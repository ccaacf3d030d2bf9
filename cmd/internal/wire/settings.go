// Package wire puts the rooms together. The dispatcher, the responder, the operator's command line and the demo all
// build what they need here, in the same way, so that what one of them shows holds for the others.
package wire

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/dispatcher"
	"fanfare/internal/fcm"
	"fanfare/internal/keys"
	"fanfare/internal/pacing"
	"fanfare/internal/queue"
	"fanfare/internal/store"
	"fanfare/internal/tokens"
)

// Settings reads the settings; what is wrong with them exits with ExitUsage.
func Settings(file string, flags *pflag.FlagSet) (config.Settings, error) {
	s, err := config.Load(file, flags, os.Environ())
	if err != nil {
		return s, daemon.Exit(daemon.ExitUsage, fmt.Errorf("settings: %w", err))
	}
	return s, nil
}

func names(s config.Names) keys.Names {
	return keys.Names{
		CampaignPrefix: s.CampaignPrefix,
		UserPrefix:     s.UserPrefix,
		UserSuffix:     s.UserSuffix,
		ProfilePrefix:  s.ProfilePrefix,
		Responses:      s.Responses,
	}
}

func redisOptions(s config.Redis, client string) daemon.RedisOptions {
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

func storeOptions(s config.Store) store.Options {
	return store.Options{
		TokenQuery:   statement(s.TokenQuery, store.Default),
		TokenClear:   statement(s.TokenClear, store.Default),
		TokenRestore: statement(s.TokenRestore, store.Default),
		ProfileQuery: statement(s.ProfileQuery, ""),
		Timeout:      s.Timeout,
	}
}

// statement turns a setting into an option of the store, where an empty statement means "do not ask".
func statement(s config.Statement, byDefault string) string {
	switch {
	case s.Off():
		return ""
	case s.SQL() == "":
		return byDefault
	}
	return s.SQL()
}

// tokenOptions are those that the settings alone decide.
func tokenOptions(s config.Tokens) tokens.Options {
	o := tokens.Options{TTL: s.TTL, NegativeTTL: s.NegativeTTL, Keep: s.KeepRemoved}
	if o.Keep == 0 {
		o.Keep = tokens.KeepNone
	}
	return o
}

func fcmOptions(s config.Settings) fcm.Options {
	o := fcm.DefaultOptions()
	o.ProjectID = s.FCM.ProjectID
	o.Endpoint = s.FCM.Endpoint.Reveal()
	o.CredentialsFile = s.FCM.CredentialsFile
	o.Credentials, o.AllowPlaintext = s.FCM.Credentials, s.FCM.AllowPlaintext
	o.RootCAs = s.FCM.CAFile
	o.Timeout = s.FCM.Timeout
	o.Concurrency = s.Dispatcher.Concurrency
	return o
}

func dispatcherOptions(s config.Settings, campaign string) dispatcher.Options {
	o := dispatcher.DefaultOptions()
	o.Campaign = campaign
	o.Concurrency = s.Dispatcher.Concurrency
	o.Claim = s.Dispatcher.Claim
	o.AckInterval, o.AckBatch = s.Dispatcher.AckInterval, s.Dispatcher.AckBatch
	o.Lease = s.Queue.Lease
	o.Poll, o.Discover = s.Dispatcher.Poll, s.Dispatcher.Discover
	o.Retry = dispatcher.Retry{
		MaxAttempts: s.Retry.MaxAttempts,
		MaxElapsed:  s.Retry.MaxElapsed,
		MinBackoff:  s.Retry.MinBackoff,
		MaxBackoff:  s.Retry.MaxBackoff,
		Quota:       s.Retry.Quota,
		Unsent:      s.Retry.Unsent,
		Outage:      s.Retry.Outage,
		KeptBack:    s.Retry.KeptBack,
	}
	return o
}

func campaignOptions(s config.Settings) campaign.Options {
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

func pacingOptions(s config.Pacing) pacing.Options {
	o := pacing.DefaultOptions()
	o.Settings = pacing.Settings{
		Quota:             s.PerMinute,
		Headroom:          float64(s.HeadroomPercent) / 100,
		Ramp:              s.Ramp,
		AvoidQuarterHours: s.AvoidQuarterHours,
	}
	o.Idle, o.MaxGate = s.Idle, s.MaxGate
	return o
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

func deletionsOptions(s config.Breaker) breaker.DeletionsOptions {
	return breaker.DeletionsOptions{Least: int64(s.DeletionsLeast), Share: float64(s.DeletionsPercent) / 100}
}
