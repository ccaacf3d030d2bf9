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

// embedded are the stand-ins that the demo starts for what it was not given.
type embedded struct {
	dir   string
	redis *miniredis.Miniredis
	sim   *fcmsim.Simulator
	fcm   *fcmsim.Server
	stopClock chan struct{} // ends the passing of time in the embedded Redis
}

// demoDiscover lets whoever looks on not wait for the start.
const demoDiscoverInterval = 100 * time.Millisecond

// demoPrefix keeps the demo's keys apart on a Redis that others use.
const demoPrefix = "demo:"

// embed points the settings at stand-ins where they name nothing: Redis, FCM, the database.
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
	// The demo's people are in nobody's table.
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

// demoRamp is short enough for an audience that full pace would serve in a second.
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

// age lets keys expire: time does not pass in a miniredis by itself.
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
		_ = e.fcm.Close() // it has served its purpose
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
