package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
)

// none is what a flag says that takes something away.
const none = "none"

// campaignOptions are the flags of what may be said of a campaign when it is created, and changed while it runs.
type campaignOptions struct {
	onAmbiguous, rate, deadline, project string
	weight, priority                     int
}

func (o *campaignOptions) addTo(f *pflag.FlagSet) {
	f.StringVar(&o.onAmbiguous, "on-ambiguous", string(campaign.Resend), "a `policy`: what becomes of a recipient whose outcome is unknown: resend (at least once) or report (at most once)")
	f.IntVar(&o.weight, "weight", 1, "`share` of the pool, against other running campaigns of the same priority")
	f.IntVar(&o.priority, "priority", 0, "a `number` from 0 to 9; a campaign is served before all of a lower priority")
	f.StringVar(&o.rate, "rate", none, "the campaign's own cap in `pushes` a second over all replicas, such as 0.5, or none")
	f.StringVar(&o.project, "project", none, "`id` of the Firebase project to send for, where several send from one Redis, or none")
	f.StringVar(&o.deadline, "deadline", none, "a `moment` after which nobody is sent to, such as 2030-01-31T18:00:00+07:00, or none")
}

// change is what the flags say that were given.
func (o *campaignOptions) change(command *cobra.Command) (campaign.Change, error) {
	if err := o.checkCounts(command); err != nil {
		return campaign.Change{}, err
	}
	rate, deadline, err := o.limits()
	if err != nil {
		return campaign.Change{}, err
	}
	project, err := o.projectID()
	if err != nil {
		return campaign.Change{}, err
	}
	onAmbiguous := campaign.OnAmbiguous(o.onAmbiguous)
	f := command.Flags()
	return campaign.Change{
		OnAmbiguous: given(f, "on-ambiguous", &onAmbiguous),
		Weight:      given(f, "weight", &o.weight),
		Priority:    given(f, "priority", &o.priority),
		Rate:        given(f, "rate", &rate),
		Deadline:    given(f, "deadline", &deadline),
		Project:     given(f, "project", &project),
	}, nil
}

func (o *campaignOptions) checkCounts(command *cobra.Command) error {
	return errors.Join(checkRange(command, "weight", o.weight, 1, campaign.MaxWeight),
		checkRange(command, "priority", o.priority, 0, campaign.MaxPriority))
}

// given is nil unless the flag was.
func given[T any](f *pflag.FlagSet, flag string, value *T) *T {
	if !f.Changed(flag) {
		return nil
	}
	return value
}

func (o *campaignOptions) projectID() (string, error) {
	if o.project == none {
		return "", nil
	}
	project, err := campaign.ParseProject(o.project)
	if err != nil {
		return "", wrongOption("project", err.Error())
	}
	return project, nil
}

func (o *campaignOptions) limits() (rate float64, deadline time.Time, err error) {
	if o.rate != none {
		if rate, err = campaign.ParseRate(o.rate); err != nil {
			return 0, time.Time{}, wrongOption("rate", err.Error())
		}
	}
	if o.deadline != none {
		if deadline, err = campaign.ParseDeadline(o.deadline); err != nil {
			return 0, time.Time{}, wrongOption("deadline", err.Error())
		}
	}
	return rate, deadline, nil
}

// wrongOption names a spec's field as its flag is called.
func wrongOption(field, problem string) error {
	return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%s %s", strings.ReplaceAll(field, "_", "-"), problem))
}

// rateText is a cap for a person.
func rateText(rate float64) string {
	if rate == 0 {
		return none
	}
	return fmt.Sprintf("%v a second", rate)
}

// deadlineText is the deadline that counts, with where it comes from unless it is the campaign's own.
func deadlineText(v operator.View) string {
	own, list := v.Spec.Deadline, v.ListDeadline()
	switch at := v.Deadline(); {
	case at.IsZero():
		return none
	case at.Equal(own):
		return stamp(at)
	case v.Books.Assumed:
		return stamp(list) + " (campaign.default_ttl after the load)"
	case own.IsZero():
		return stamp(list) + " (the list's expiry)"
	}
	return fmt.Sprintf("%s (the list's expiry, before the campaign's own at %s)", stamp(list), stamp(own))
}
