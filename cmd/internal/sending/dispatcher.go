package sending

import (
	"context"
	"os"
	"sync"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/dispatcher"
	"fanfare/internal/fcm"
	"fanfare/internal/inflight"
	"fanfare/internal/pacing"
	"fanfare/internal/responses"
	"fanfare/internal/traffic"
)

// Dispatcher is a dispatcher with its governor.
type Dispatcher struct {
	*dispatcher.Dispatcher
	governor *pacing.Governor // nil without pacing
}

// Run runs the dispatcher. The governor runs until the last push is out.
func (d *Dispatcher) Run(fetchCtx, workCtx context.Context) error {
	if d.governor == nil {
		return d.Dispatcher.Run(fetchCtx, workCtx)
	}
	paceCtx, stop := context.WithCancel(context.WithoutCancel(workCtx))
	var pace sync.WaitGroup
	pace.Go(func() { d.governor.Run(paceCtx) })
	defer pace.Wait()
	defer stop()
	return d.Dispatcher.Run(fetchCtx, workCtx)
}

// Halt halts the project in all dispatchers. It needs pacing.
func (d *Dispatcher) Halt(ctx context.Context, reason string) error {
	return d.governor.Halt(ctx, reason)
}

// NewDispatcher makes a dispatcher for all running campaigns, or for one.
func (r *Rooms) NewDispatcher(sender *fcm.Sender, campaign string) (*Dispatcher, error) {
	deps, governor, err := r.dispatcherDeps(sender)
	if err != nil {
		return nil, err
	}
	d, err := dispatcher.New(deps, dispatcherOptions(r.Settings, campaign))
	if err != nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, err)
	}
	return &Dispatcher{d, governor}, nil
}

func (r *Rooms) dispatcherDeps(sender *fcm.Sender) (deps dispatcher.Deps, governor *pacing.Governor, err error) {
	deps = dispatcher.Deps{
		Traffic:    traffic.New(r.Redis),
		Names:      r.Names,
		Tokens:     r.Tokens,
		Profiles:   r.Profiles,
		Suppressed: r.Suppressed,
		Caps:       r.Caps,
		Sender:     sender,
		Tracer:     r.Tracer,
		Logger:     r.Logger,
		Registerer: r.Registerer,
	}
	options := assembly.CampaignOptions(r.Settings)
	host, _ := os.Hostname() // shown to people
	options.Project, options.Projects, options.Served, options.Actor = sender.Project(), r.projects, r.served, "dispatcher "+host
	if r.Settings.Pacing.Enabled {
		op := r.NewOperator()
		options.CheckStart = func(ctx context.Context, id string) (string, error) { return op.RefuseStart(ctx, id, governor) }
	}
	if deps.Campaigns, err = campaign.New(r.Redis, r.Names, options); err != nil {
		return deps, nil, assembly.AsSettingsError(err)
	}
	if deps.Outbox, err = responses.NewOutbox(r.Redis, r.Names, responses.OutboxOptions{}); err != nil {
		return deps, nil, err
	}
	if r.Settings.Pacing.Enabled {
		if governor, err = r.NewGovernor(sender.Project(), host, r.Logger); err != nil {
			return deps, nil, err
		}
		deps.Pacer, deps.Halter = governor, governor
		deps.Wire, err = inflight.New(inflight.Options{Max: r.Settings.Dispatcher.Concurrency, Registerer: r.Registerer})
		if err != nil {
			return deps, nil, err
		}
	}
	if r.Settings.Breaker.Enabled {
		deps.Breakers = r.Breakers
		if deps.Deletions, err = r.NewDeletions(sender.Project()); err != nil {
			return deps, nil, err
		}
	}
	return deps, governor, nil
}
