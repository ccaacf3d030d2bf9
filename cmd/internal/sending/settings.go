package sending

import (
	"fanfare/internal/breaker"
	"fanfare/internal/config"
	"fanfare/internal/dispatcher"
	"fanfare/internal/fcm"
	"fanfare/internal/pacing"
)

func fcmOptions(s config.Settings) fcm.Options {
	o := fcm.DefaultOptions()
	o.ProjectID = s.FCM.ProjectID
	o.Endpoint = s.FCM.Endpoint.Reveal()
	o.CredentialsFile = s.FCM.CredentialsFile
	o.Credentials, o.AllowPlaintext = s.FCM.Credentials, s.FCM.AllowPlaintext
	o.RootCAs, o.Client = s.FCM.CAFile, s.FCM.Client
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

func deletionsOptions(s config.Breaker) breaker.DeletionsOptions {
	return breaker.DeletionsOptions{Least: int64(s.DeletionsLeast), Share: float64(s.DeletionsPercent) / 100}
}
