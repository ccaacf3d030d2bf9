package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/alicebob/miniredis/v2"

	"fanfare/fcmsim"
	"fanfare/internal/config"
)

// embedded are the servers that the demo starts if it is not given others.
type embedded struct {
	dir       string
	redis     *miniredis.Miniredis
	sim       *fcmsim.Simulator
	fcm       *fcmsim.Server
	stopClock chan struct{} // stops the clock of the embedded Redis
}

// demoDiscoverInterval is short, so that the demo starts without a visible wait.
const demoDiscoverInterval = 100 * time.Millisecond

// demoPrefix separates the demo's keys from those of others in the same Redis.
const demoPrefix = "demo:"

// startEmbedded starts each server that the demo is not given, and points the settings at it:
// Redis, FCM, the database.
func startEmbedded(ctx context.Context, s *config.Settings, given demoFlags) (e *embedded, err error) {
	e = &embedded{stopClock: make(chan struct{})}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	if e.dir, err = os.MkdirTemp("", "fanfare-"); err != nil {
		return e, err
	}
	if given.redis != "" {
		s.Names = demoNames()
	} else if err = e.startRedis(s); err != nil {
		return e, err
	}
	s.Dispatcher.Discover = min(s.Dispatcher.Discover, demoDiscoverInterval)
	// No table of an application has the demo's users.
	s.Store.TokenQuery, s.Store.TokenClear, s.Store.ProfileQuery = "off", "off", "off"
	if s.Store.DatabaseURL = config.URL(given.database); given.database == "" {
		s.Store.DatabaseURL = config.URL("sqlite:" + filepath.Join(e.dir, "demo.db"))
	}
	if s.FCM.Endpoint = config.URL(given.fcmEndpoint); given.fcmEndpoint == "" {
		err = e.startSimulator(ctx, s)
	}
	return e, err
}

func (e *embedded) startRedis(s *config.Settings) (err error) {
	if e.redis, err = miniredis.Run(); err != nil {
		return fmt.Errorf("start embedded Redis: %w", err)
	}
	standard := config.Defaults()
	s.Redis, s.Names = standard.Redis, standard.Names
	s.Redis.URL = config.URL("redis://" + e.redis.Addr())
	go e.advanceClock()
	return nil
}

// demoRamp is short, because the demo's audience takes only a second at full pace.
const demoRamp = 2 * time.Second

func (e *embedded) startSimulator(ctx context.Context, s *config.Settings) (err error) {
	latency := fcmsim.LogNormal(40*time.Millisecond, 0.3)
	if e.sim, err = fcmsim.New(fcmsim.Options{Rules: fcmsim.Rules{Latency: latency}}); err != nil {
		return fmt.Errorf("make simulator: %w", err)
	}
	if e.fcm, err = e.sim.Start(context.WithoutCancel(ctx), fcmsim.Listen{CAFile: filepath.Join(e.dir, "ca.pem")}); err != nil {
		return fmt.Errorf("start simulator: %w", err)
	}
	s.FCM = config.Defaults().FCM
	s.FCM.Endpoint, s.FCM.CAFile = config.URL(e.fcm.URLs.TLS), e.fcm.CAFile
	s.FCM.ProjectID = "demo"
	s.Pacing.Ramp = demoRamp
	return nil
}

// advanceClock lets keys expire. The clock of a miniredis does not advance by itself.
func (e *embedded) advanceClock() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-e.stopClock:
			return
		case <-tick.C:
			e.redis.FastForward(time.Second)
		}
	}
}

func (e *embedded) close() {
	close(e.stopClock)
	if e.fcm != nil {
		_ = e.fcm.Close() // the demo has ended
	}
	if e.redis != nil {
		e.redis.Close()
	}
	_ = os.RemoveAll(e.dir) // a temporary directory
}

func demoNames() config.Names {
	n := config.Defaults().Names
	for _, name := range []*string{&n.CampaignPrefix, &n.UserPrefix, &n.ProfilePrefix, &n.Responses} {
		*name = demoPrefix + *name
	}
	return n
}
