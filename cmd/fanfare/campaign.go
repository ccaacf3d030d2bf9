package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

func (c *cli) campaign() *cobra.Command {
	command := &cobra.Command{Use: "campaign", Short: "Create, look at and steer campaigns"}
	command.AddCommand(
		c.campaignCreate(), c.campaignShow(), c.campaignList(),
		c.campaignMove("start", "Begin to send a campaign", campaign.Running),
		c.campaignMove("pause", "Hold a campaign; what is in flight ends, the rest waits", campaign.Paused),
		c.campaignMove("resume", "Go on with a paused campaign", campaign.Running),
		c.campaignMove("cancel", "End a campaign for good; who was not sent to stays unsent", campaign.Cancelled),
		c.campaignDelete(),
	)
	return command
}

func (c *cli) campaignCreate() *cobra.Command {
	var message, onAmbiguous string
	var weight int
	command := &cobra.Command{
		Use:   "create CAMPAIGN --message FILE|-",
		Short: "Create a campaign as a draft, after checking its message as FCM would",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
				file, err := openInput(command, message)
				if err != nil {
					return err
				}
				defer file.Close()
				text, err := io.ReadAll(file)
				if err != nil {
					return fmt.Errorf("read message: %w", err)
				}
				spec := campaign.Spec{ID: args[0], Message: text, OnAmbiguous: campaign.OnAmbiguous(onAmbiguous), Weight: weight}
				if err := op.Create(ctx, spec); err != nil {
					return err
				}
				return c.output(command).done(map[string]any{"id": args[0], "state": campaign.Draft},
					"created campaign %s as a draft; next: fanfare load %[1]s FILE, then fanfare campaign start %[1]s", args[0])
			})
		},
	}
	command.Flags().StringVar(&message, "message", "", "file with FCM's message as JSON, without a target")
	command.Flags().StringVar(&onAmbiguous, "on-ambiguous", string(campaign.Resend), "what becomes of a recipient whose outcome is unknown: resend (at least once) or report (at most once)")
	command.Flags().IntVar(&weight, "weight", 1, "share of the pool, against other running campaigns")
	_ = command.MarkFlagRequired("message") // fails only for a flag that does not exist
	return command
}

func (c *cli) campaignShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show CAMPAIGN",
		Short: "Show a campaign's state and books",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
				view, err := op.Show(ctx, args[0])
				if err != nil {
					return noCampaign(err)
				}
				return c.output(command).show(view, func(w io.Writer) { printView(w, view) })
			})
		},
	}
}

func (c *cli) campaignList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List all campaigns, and the lists that wait for a message",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, _ *operator.Operator) error {
				campaigns, err := rooms.Campaigns.List(ctx)
				if err != nil {
					return err
				}
				return c.output(command).show(listed(campaigns), func(w io.Writer) { printList(w, campaigns) })
			})
		},
	}
}

// campaignMove makes a command that puts a campaign into another state.
func (c *cli) campaignMove(verb, short string, to campaign.State) *cobra.Command {
	reason := ""
	command := &cobra.Command{
		Use:   verb + " CAMPAIGN",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, _ *operator.Operator) error {
				if err := rooms.Campaigns.Move(ctx, args[0], to, reason); err != nil {
					return noCampaign(err)
				}
				return c.output(command).done(map[string]any{"id": args[0], "state": to}, "campaign %s is %s", args[0], to)
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "kept with the campaign, for whoever looks at it later")
	return command
}

func (c *cli) campaignDelete() *cobra.Command {
	return &cobra.Command{
		Use:   "delete CAMPAIGN",
		Short: "Delete a campaign that does not run, with all its keys in Redis; its rows in SQL stay",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, _ *operator.Operator) error {
				if err := rooms.Campaigns.Delete(ctx, args[0]); err != nil {
					return noCampaign(err)
				}
				return c.output(command).done(map[string]any{"id": args[0], "deleted": true}, "deleted campaign %s", args[0])
			})
		},
	}
}

// printView writes a campaign for a person: its state, its outcomes by code, its books.
func printView(w io.Writer, v operator.View) {
	fmt.Fprintf(w, "campaign %s: %s", v.Spec.ID, v.Spec.State)
	if v.Spec.Reason != "" {
		fmt.Fprintf(w, " (%s)", v.Spec.Reason)
	}
	fmt.Fprintln(w)
	table(w, func(w io.Writer) {
		stamp := func(name string, at time.Time) {
			if !at.IsZero() {
				fmt.Fprintf(w, "%s\t%s\n", name, at.Local().Format(time.DateTime))
			}
		}
		stamp("created", v.Spec.CreatedAt)
		stamp("started", v.Spec.StartedAt)
		stamp("finished", v.Spec.FinishedAt)
		stamp("deadline", v.Books.Deadline)
		fmt.Fprintf(w, "on ambiguous\t%s\n", v.Spec.OnAmbiguous)
	})
	fmt.Fprintln(w)
	printOutcomes(w, v.Books)
	fmt.Fprintln(w)
	printBooks(w, v.Books)
}

// row is a campaign in the JSON of the list.
type row struct {
	Spec  campaign.Spec  `json:"spec"`
	Books campaign.Books `json:"books"`
	Error string         `json:"error,omitempty"`
}

func listed(campaigns []campaign.Summary) []row {
	rows := make([]row, len(campaigns))
	for i, one := range campaigns {
		rows[i] = row{Spec: one.Spec, Books: one.Books}
		if one.Err != nil {
			rows[i].Error = one.Err.Error()
		}
	}
	return rows
}

func printList(w io.Writer, campaigns []campaign.Summary) {
	if len(campaigns) == 0 {
		fmt.Fprintln(w, "no campaigns; create one with: fanfare campaign create 42 --message message.json")
		return
	}
	table(w, func(w io.Writer) {
		fmt.Fprintln(w, "CAMPAIGN\tSTATE\tLOADED\tSENT\tFAILED\tLEFT")
		for _, one := range campaigns {
			b := one.Books
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", one.Spec.ID, stateOf(one), thousands(b.Loaded), thousands(b.Sent), thousands(b.Failed), thousands(b.Loaded-b.Ended()))
		}
	})
}
