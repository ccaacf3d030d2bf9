package sending

import (
	"context"
	"os"
	"sync"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/dispatcher"
	"fanfare/internal/fcm"
	"fanfare/internal/inflight"
	"fanfare/internal/pacing"
	"fanfare/internal/responses"
)

// Dispatcher is a dispatcher with the pace that it keeps.
type Dispatcher struct {
	*dispatcher.Dispatcher
	governor *pacing.Governor // nil where nothing is paced
}

// Run serves as dispatcher.Run does. The pace is kept until the last push is out.
func (d *Dispatcher) Run(fetch, work context.Context) error {
	if d.governor == nil {
		return d.Dispatcher.Run(fetch, work)
	}
	paced, stop := context.WithCancel(context.WithoutCancel(work))
	var pace sync.WaitGroup
	pace.Go(func() { d.governor.Run(paced) })
	defer pace.Wait()
	defer stop()
	return d.Dispatcher.Run(fetch, work)
}

// Dispatcher makes a dispatcher for all running campaigns, or for one.
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
		Names:      r.Names,
		Tokens:     r.Tokens,
		Profiles:   r.Profiles,
		Sender:     sender,
		Logger:     r.Logger,
		Registerer: r.Registerer,
	}
	served := assembly.CampaignOptions(r.Settings)
	served.Project = sender.Project()
	if deps.Campaigns, err = campaign.New(r.Redis, r.Names, served); err != nil {
		return deps, nil, assembly.AsSettingsError(err)
	}
	if deps.Outbox, err = responses.NewOutbox(r.Redis, r.Names, responses.OutboxOptions{}); err != nil {
		return deps, nil, err
	}
	if r.Settings.Pacing.Enabled {
		host, _ := os.Hostname() // it is for people
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

// Deletions make the breaker of a Firebase project's token deletions.
func (r *Rooms) NewDeletions(project string) (*breaker.Deletions, error) {
	o := deletionsOptions(r.Settings.Breaker)
	o.Logger, o.Registerer = r.Logger, r.Registerer
	d, err := breaker.NewDeletions(r.Redis, r.Names.Project(project), o)
	return d, assembly.AsSettingsError(err)
}
