package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/content"
	"fanfare/internal/operator"
)

func (c *cli) campaignPreview() *cobra.Command {
	var user string
	command := &cobra.Command{
		Use:   "preview CAMPAIGN [--user USER]",
		Short: "Show a campaign's message as Android, iOS and browsers would",
		Long: `Show a campaign's message as Android, iOS and browsers would.

With --user it is filled in from the user's profile and the defaults, in the user's variant and language. An audience's columns go before
them, and are not known here. Nothing is sent. --json adds the message.`,
		Example:           "  fanfare campaign preview 42\n  fanfare campaign preview 42 --user u17",
		Args:              wantArgs,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				preview, err := op.Preview(ctx, args[0], user)
				if err != nil {
					return explainCampaign(args[0], err)
				}
				out := c.output(command)
				return out.show(preview, func(io.Writer) { printPreview(out, preview) })
			})
		},
	}
	command.Flags().StringVar(&user, "user", "", "the `user` whose profile fills the message in")
	return command
}

func printPreview(o output, p operator.MessagePreview) {
	head := "campaign " + p.Campaign
	if p.User != "" {
		head += " for user " + p.User
	}
	for _, each := range []struct{ name, value string }{{"variant", p.Variant}, {"language", p.Locale}} {
		if each.value != "" {
			head += ", " + each.name + " " + each.value
		}
	}
	fmt.Fprintf(o.w, "%s, %s of %s bytes\n", printable(head), operator.Thousands(p.Bytes), operator.Thousands(content.MaxSize))
	if p.HeldOut {
		fmt.Fprintln(o.w, "in the hold-out group: nothing is sent")
	}
	if p.Problem != "" {
		fmt.Fprintf(o.w, "nothing would be sent: %s\n", printable(p.Problem))
	}
	for _, d := range p.Devices {
		printDevice(o, d)
	}
}

// printDevice shows a message on one platform.
func printDevice(o output, d operator.Preview) {
	details := d.Details
	if d.TTL > 0 {
		details = append(details, "kept "+operator.Span(d.TTL))
	}
	fmt.Fprintf(o.w, "\n%s", d.Platform)
	if len(details) > 0 {
		fmt.Fprintf(o.w, "  (%s)", printable(strings.Join(details, ", ")))
	}
	fmt.Fprintln(o.w)
	if d.IsSilent() {
		fmt.Fprintln(o.w, "  nothing is shown: the app gets the data, and decides")
	}
	for _, line := range []struct{ name, text string }{{"title", d.Title}, {"body", d.Body}, {"image", d.Image}} {
		if line.text != "" {
			fmt.Fprintln(o.w, o.indent(fmt.Sprintf("  %-5s  ", line.name), printable(line.text)))
		}
	}
}
