package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/daemon"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

func (c *cli) campaignCreate() *cobra.Command {
	var message, name string
	var options campaignOptions
	command := &cobra.Command{
		Use:   "create CAMPAIGN --message FILE|-",
		Short: "Create a campaign as a draft, after checking its message as FCM would",
		Long: `Create a campaign as a draft, after checking its message as FCM would.

The file holds the "message" object of FCM's HTTP v1 API as JSON, without a target. A whole request, {"message": {…}}, is
accepted, too. {{name}} or {{name|default}} in title, body, image, link and data is filled in for each recipient, from the
audience's columns and then from the profile.`,
		Example: "  fanfare campaign create 42 --message message.json",
		Args:    wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			if message == "" {
				return wrongUsage(command, errors.New("no message: give --message FILE, or - for standard input"))
			}
			if err := options.checkCounts(command); err != nil {
				return err
			}
			rate, deadline, err := options.parseLimits()
			if err != nil {
				return err
			}
			project, err := options.parseProject()
			if err != nil {
				return err
			}
			t, err := options.times.parse()
			if err != nil {
				return err
			}
			if err := options.times.readLocal(&t); err != nil {
				return err
			}
			source, err := options.parseSource(command)
			if err != nil {
				return err
			}
			text, err := readInput(command, message)
			if err != nil {
				return err
			}
			spec := campaign.Spec{
				ID: args[0], Message: text, Name: name, OnAmbiguous: campaign.OnAmbiguous(options.onAmbiguous),
				Devices: campaign.DevicePolicy(options.devices), Dedupe: campaign.Dedupe(options.dedupe), Kind: campaign.Kind(options.kind),
				Weight: options.weight, Priority: options.priority, Rate: rate, Deadline: deadline, Project: project,
				StartAt: t.startAt, Windows: t.windows, LocalTime: t.local, TimeZone: t.zone, QuietHours: t.quiet, Source: source,
			}
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				if err := op.Create(ctx, spec); err != nil {
					return explainCreate(args[0], message, err)
				}
				warnPlaceholders(command, text)
				load := "fanfare load " + shellWord(args[0])
				if source.IsZero() {
					load += " FILE"
				}
				if spec.StartAt.After(time.Time{}) {
					return c.output(command).done(map[string]any{"id": args[0], "state": campaign.Scheduled, "startAt": spec.StartAt},
						"created campaign %s, which starts by itself at %s; next: %s", printable(args[0]), localTime(spec.StartAt), load)
				}
				return c.output(command).done(map[string]any{"id": args[0], "state": campaign.Draft},
					"created campaign %s as a draft; next: %s, then fanfare campaign start %s", printable(args[0]), load, shellWord(args[0]))
			})
		},
	}
	f := command.Flags()
	f.StringVar(&message, "message", "", "`file` with FCM's message as JSON, without a target; - is standard input")
	f.StringVar(&name, "name", "", "a name for people")
	options.addTo(f)
	return command
}

// warnPlaceholders warns of placeholders that are those of another system.
func warnPlaceholders(command *cobra.Command, message []byte) {
	w := command.ErrOrStderr()
	for _, unknown := range content.FindUnknownPlaceholders(message) {
		fmt.Fprintln(w, indent(w, "warning: ", printable(unknown.String())))
	}
}

// explainCreate names the file if the message is at fault, and the flag if an option is.
func explainCreate(id, file string, err error) error {
	if faults := notification.FaultsOf(err); len(faults) > 0 {
		return messageFaults(file, faults)
	}
	if spec, ok := errors.AsType[*campaign.SpecError](err); ok {
		return wrongOption(spec.Field, spec.Problem)
	}
	return explainCampaign(id, err)
}

// messageFaults lists all faults of a message, one a line if there are several.
func messageFaults(file string, faults notification.Faults) error {
	if len(faults) == 1 {
		return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%s: %s", printable(file), printable(faults[0].Error())))
	}
	lines := []string{fmt.Sprintf("%s: %d faults", printable(file), len(faults))}
	for _, fault := range faults {
		lines = append(lines, "  "+printable(fault.Error()))
	}
	return daemon.WithExitCode(daemon.ExitUsage, errors.New(strings.Join(lines, "\n")))
}

func createHint(id string) string {
	return "fanfare campaign create " + shellWord(id) + " --message FILE"
}
