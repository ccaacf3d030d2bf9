package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
)

func (c *cli) campaignSet() *cobra.Command {
	var options campaignOptions
	message, partial := "", false
	command := &cobra.Command{
		Use:   "set CAMPAIGN --priority N …",
		Short: "Change a campaign's weight, priority, rate or deadline, also while it runs; its message while it does not",
		Long: `Change a campaign's weight, priority, rate, deadline, time rules, project, source, what it sends to once, or what becomes of ambiguous outcomes.
What is not given stays.
All that is given changes at one moment, and every dispatcher follows within two seconds.

A higher priority is served strictly before all lower ones: they get what it leaves. --rate none and --deadline none remove the
cap and the deadline.

A new message is checked as at creation. Only a draft or a paused campaign accepts one.`,
		Example:           "  fanfare campaign set 42 --priority 5 --rate 250\n  fanfare campaign set 42 --deadline none\n  fanfare campaign set 42 --message message.json",
		Args:              wantArgs,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			change, err := options.readChange(command)
			if err != nil {
				return err
			}
			change.Partial = partial
			if command.Flags().Changed("message") {
				if change.Message, err = readInput(command, message); err != nil {
					return err
				}
			}
			if change.IsEmpty() {
				return wrongUsage(command, errNoChange)
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				if err := options.times.readLocalTime(ctx, op, args[0], &change); err != nil {
					return explainSet(args[0], message, err)
				}
				if err := op.CheckSchedule(ctx, args[0], change, findPaces(ctx, rooms)); err != nil {
					return explainCampaign(args[0], err)
				}
				if err := op.Change(ctx, args[0], change); err != nil {
					return explainSet(args[0], message, err)
				}
				warnPlaceholders(command, change.Message)
				view, err := op.Show(ctx, args[0])
				if err != nil {
					return explainCampaign(args[0], err)
				}
				return c.output(command).show(view, func(w io.Writer) { printSet(w, view, change.Message != nil) })
			})
		},
	}
	command.Flags().StringVar(&message, "message", "", "`file` with FCM's message as JSON, without a target; - is standard input")
	options.addTo(command.Flags())
	command.Flags().BoolVar(&partial, "partial", false, "with --source: give up the rest of a source that is loaded in part; its recipients stay")
	for _, flag := range []string{"on-ambiguous", "devices", "dedupe", "kind", "weight", "priority", "rate", "deadline", "project", "start-at", "window", "local-time", "time-zone", "quiet-hours", "source"} {
		command.Flags().Lookup(flag).DefValue = "" // an option that is not given stays as it is
	}
	return command
}

// printSet prints the options as they are now. The message is long, so it only says that it
// changed.
func printSet(w io.Writer, v operator.View, rewritten bool) {
	fmt.Fprintf(w, "campaign %s (%s): %s\n", printable(v.Spec.ID), stateOf(v), optionsText(v))
	if rewritten {
		fmt.Fprintf(w, "its message has changed; check it with: fanfare campaign check %s\n", shellWord(v.Spec.ID))
	}
}

// optionsText returns all that "set" can change, in one line.
func optionsText(v operator.View) string {
	s := v.Spec
	return strings.Join(append([]string{
		fmt.Sprintf("priority %d", s.Priority), fmt.Sprintf("weight %d", s.Weight), "rate " + rateText(s.Rate),
		"deadline " + deadlineText(v), "on ambiguous " + string(s.OnAmbiguous), "devices " + string(s.Devices),
		"dedupe " + string(s.Dedupe), "kind " + string(s.Kind),
	}, append(timesText(s), sourceOption(s)...)...), ", ")
}

// explainSet says what is in the way, as explainCreate does.
func explainSet(id, file string, err error) error {
	if refused, ok := errors.AsType[*campaign.TransitionError](err); ok && refused.From == campaign.Running {
		return fmt.Errorf("%w: fanfare campaign pause %s", refused, shellWord(id))
	}
	return explainCreate(id, file, err)
}

// none is the value of a flag that removes something.
const none = "none"

// campaignOptions are the flags that "create" and "set" share.
type campaignOptions struct {
	onAmbiguous, devices, dedupe, kind, rate, deadline, project, source string
	weight, priority                                                    int

	times timeOptions
}

func (o *campaignOptions) addTo(f *pflag.FlagSet) {
	f.StringVar(&o.onAmbiguous, "on-ambiguous", string(campaign.Resend), "a `policy`: what becomes of a recipient whose outcome is unknown: resend (at least once) or report (at most once)")
	f.StringVar(&o.dedupe, "dedupe", string(campaign.DedupeAddress), "a `rule`: send once to each address, once to each user, or to each element (none)")
	f.StringVar(&o.devices, "devices", string(campaign.AllDevices), "which `devices` of a user get the message: all, or the latest, by their last use")
	f.StringVar(&o.kind, "kind", string(campaign.Marketing), "a `kind`: marketing, which the caps of users limit, or transactional, which they do not")
	f.IntVar(&o.weight, "weight", 1, "`share` of the pool, against other running campaigns of the same priority")
	f.IntVar(&o.priority, "priority", 0, "a `number` from 0 to 9; a campaign is served before all of a lower priority")
	f.StringVar(&o.rate, "rate", none, "the campaign's own cap in `pushes` a second over all replicas, such as 0.5, or none")
	f.StringVar(&o.project, "project", none, "`id` of the Firebase project to send for, where several send from one Redis, or none")
	f.StringVar(&o.source, "source", none, `where the audience comes from, for fanfare load: a `+"`JSON`"+` object such as '{"files":["users.csv.gz"]}', or @file; or none`)
	o.times.addTo(f)
	f.StringVar(&o.deadline, "deadline", none, "a `moment` after which no one is sent to, such as 2030-01-31T18:00:00+07:00, or none")
}

// readChange returns what the given flags change.
func (o *campaignOptions) readChange(command *cobra.Command) (campaign.Change, error) {
	if err := o.checkCounts(command); err != nil {
		return campaign.Change{}, err
	}
	rate, deadline, err := o.parseLimits()
	if err != nil {
		return campaign.Change{}, err
	}
	project, err := o.parseProject()
	if err != nil {
		return campaign.Change{}, err
	}
	source, err := o.parseSource(command)
	if err != nil {
		return campaign.Change{}, err
	}
	onAmbiguous, devices, dedupe := campaign.OnAmbiguous(o.onAmbiguous), campaign.DevicePolicy(o.devices), campaign.Dedupe(o.dedupe)
	kind := campaign.Kind(o.kind)
	f := command.Flags()
	change := campaign.Change{
		OnAmbiguous: ifChanged(f, "on-ambiguous", &onAmbiguous),
		Devices:     ifChanged(f, "devices", &devices),
		Dedupe:      ifChanged(f, "dedupe", &dedupe),
		Kind:        ifChanged(f, "kind", &kind),
		Weight:      ifChanged(f, "weight", &o.weight),
		Priority:    ifChanged(f, "priority", &o.priority),
		Rate:        ifChanged(f, "rate", &rate),
		Deadline:    ifChanged(f, "deadline", &deadline),
		Project:     ifChanged(f, "project", &project),
		Source:      ifChanged(f, "source", &source),
	}
	return change, o.times.change(command, &change)
}

func (o *campaignOptions) checkCounts(command *cobra.Command) error {
	return errors.Join(checkRange(command, "weight", o.weight, 1, campaign.MaxWeight),
		checkRange(command, "priority", o.priority, 0, campaign.MaxPriority))
}

// ifChanged returns the value if the flag was given, else nil.
func ifChanged[T any](f *pflag.FlagSet, flag string, value *T) *T {
	if !f.Changed(flag) {
		return nil
	}
	return value
}

func (o *campaignOptions) parseProject() (string, error) {
	if o.project == none {
		return "", nil
	}
	project, err := campaign.ParseProject(o.project)
	if err != nil {
		return "", wrongOption("project", err.Error())
	}
	return project, nil
}

func (o *campaignOptions) parseLimits() (rate float64, deadline time.Time, err error) {
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

// wrongOption names a spec's field by its flag.
func wrongOption(field, problem string) error {
	return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%s %s", strings.ReplaceAll(field, "_", "-"), problem))
}

// rateText formats a rate limit for a person.
func rateText(rate float64) string {
	if rate == 0 {
		return none
	}
	return fmt.Sprintf("%v a second", rate)
}

// deadlineText formats the deadline in force. It adds where the deadline comes from unless it is
// the campaign's own.
func deadlineText(v operator.View) string {
	own, list := v.Spec.Deadline, v.ListDeadline()
	switch at := v.Deadline(); {
	case at.IsZero():
		return none
	case v.IsDeadlineDerived():
		return localTime(at) + " (follows from the schedule)"
	case at.Equal(own):
		return localTime(at)
	case v.Books.Assumed:
		return localTime(list) + " (campaign.default_ttl after the load)"
	case own.IsZero():
		return localTime(list) + " (the list's expiry)"
	}
	return fmt.Sprintf("%s (the list's expiry, before the campaign's own at %s)", localTime(list), localTime(own))
}
