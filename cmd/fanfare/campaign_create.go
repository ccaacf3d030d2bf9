package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/fcm"
	"fanfare/internal/operator"
	"fanfare/internal/profiles"
)

func (c *cli) campaignCreate() *cobra.Command {
	var message, onAmbiguous, name string
	weight := 1
	command := &cobra.Command{
		Use:   "create CAMPAIGN --message FILE|-",
		Short: "Create a campaign as a draft, after checking its message as FCM would",
		Long: `Create a campaign as a draft, after checking its message as FCM would.

The file holds the "message" object of FCM's HTTP v1 API as JSON, without a target. {{name}} or {{name|default}} in title,
body, image, link and data is filled in for each recipient, from the audience's columns and then from the profile.`,
		Example: "  fanfare campaign create 42 --message message.json",
		Args:    takes,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case message == "":
				return wrongUsage(command, errors.New("no message: give --message FILE, or - for standard input"))
			case weight < 1:
				return wrongUsage(command, fmt.Errorf("--weight %d is not above zero", weight))
			}
			text, err := readInput(command, message)
			if err != nil {
				return err
			}
			spec := campaign.Spec{
				ID: args[0], Message: text, Name: name, OnAmbiguous: campaign.OnAmbiguous(onAmbiguous), Weight: weight,
			}
			return c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
				if err := op.Create(ctx, spec); err != nil {
					return notCreated(args[0], message, err)
				}
				return c.output(command).done(map[string]any{"id": args[0], "state": campaign.Draft},
					"created campaign %s as a draft; next: fanfare load %[1]s FILE, then fanfare campaign start %[1]s", args[0])
			})
		},
	}
	f := command.Flags()
	f.StringVar(&message, "message", "", "`file` with FCM's message as JSON, without a target; - is standard input")
	f.StringVar(&onAmbiguous, "on-ambiguous", string(campaign.Resend), "what becomes of a recipient whose outcome is unknown: `resend` (at least once) or report (at most once)")
	f.StringVar(&name, "name", "", "a name for people")
	f.IntVar(&weight, "weight", weight, "`share` of the pool, against other running campaigns")
	return command
}

// notCreated names the file where the message is at fault, and the flag where that is.
func notCreated(id, file string, err error) error {
	_, message := errors.AsType[*fcm.FieldError](err)
	_, placeholder := errors.AsType[*profiles.FieldError](err)
	if message || placeholder {
		return fmt.Errorf("%s: %w", file, err)
	}
	if spec, ok := errors.AsType[*campaign.SpecError](err); ok {
		return daemon.Exit(daemon.ExitUsage, fmt.Errorf("%s %s", strings.ReplaceAll(spec.Field, "_", "-"), spec.Problem))
	}
	return about(id, err)
}

func createLine(id string) string { return "fanfare campaign create " + id + " --message FILE" }
