package assembly

import (
	"context"
	"fmt"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
)

// start prepares the work. A stop does not wait for it: a client that reads from Redis hears of no stop, only of its own timeout.
func (d Daemon) startOrStop(p *daemon.Process, s config.Settings) (work func() error, err error) {
	type started struct {
		work func() error
		err  error
	}
	done := make(chan started, 1)
	go func() {
		work, err := d.prepare(p, s)
		done <- started{work, err}
	}()
	select {
	case it := <-done:
		return it.work, it.err
	case <-p.FetchCtx().Done():
		return nil, context.Cause(p.FetchCtx())
	}
}

func (d Daemon) prepare(p *daemon.Process, s config.Settings) (work func() error, err error) {
	rooms, err := Open(p.WorkCtx(), s, d.Name, p.Logger, p.Registry)
	if err != nil {
		return nil, err
	}
	p.OnStop("redis and database", func(context.Context) error { return rooms.Close() })
	if caution := rooms.CheckPlaintextDatabase(); caution != nil {
		p.Logger.Warn("database connection may be in clear", "problem", caution)
	}
	if err := rooms.checkRedis(p.FetchCtx()); err != nil {
		return nil, err
	}
	p.Health.AddReady("redis", func(ctx context.Context) error { return rooms.Redis.Ping(ctx).Err() })
	p.Registry.MustRegister(daemon.NewRedisCollector(p.WorkCtx(), rooms.Redis, daemon.RedisCollectorOptions{}))
	return d.Start(p, rooms)
}

// cutOff is what a start comes to that a stop has cut off, and whose error means no more than that: a service has done all that
// was asked of it, a Job has its work before it.
func (d Daemon) endInterruptedStart(p *daemon.Process, err error) error {
	if d.Job != nil && d.Job() {
		return daemon.WithExitCode(daemon.ExitLeftover, fmt.Errorf("the start was cut off: %w", err))
	}
	p.Logger.Info("the start was cut off", "by", err)
	return nil
}
