package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/responses"
	"fanfare/internal/terminal"
)

// completeCampaign offers the campaigns that there are.
func (c *cli) completeCampaign(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	if len(args) == 0 {
		ids = c.campaignIDs(command)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completeLoad offers a campaign, then a file.
func (c *cli) completeLoad(command *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 1 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return c.completeCampaign(command, args, typed)
}

// campaignIDs are those of all campaigns, with their states. Without Redis there is nothing to offer.
func (c *cli) campaignIDs(command *cobra.Command) []string {
	var ids []string
	_ = c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
		views, err := op.List(ctx)
		for _, v := range views {
			if !terminal.IsPrintable(v.Spec.ID) {
				continue // no shell would take it over as it is
			}
			ids = append(ids, fmt.Sprintf("%s\t%s", v.Spec.ID, stateOf(v)))
		}
		return err
	})
	return ids
}

// choices are the words that a flag takes.
var choices = map[string][]string{
	"format":       {string(operator.CSV), string(operator.NDJSON)},
	"kind":         {string(responses.KindRecipient), string(responses.KindElement), string(responses.KindResult)},
	"on-ambiguous": {string(campaign.Resend), string(campaign.Report)},
}

// placeholder is a flag's value under the name that help puts behind the flag.
type placeholder struct {
	pflag.Value
	name string
}

func (p placeholder) Type() string { return p.name }

// finish goes through a command and all below it: what a flag's help has in backquotes becomes its placeholder, for completion would
// show the quotes; and files are offered only where one is wanted.
func (c *cli) prepareCompletion(command *cobra.Command) {
	for _, flags := range []*pflag.FlagSet{command.Flags(), command.PersistentFlags()} {
		flags.VisitAll(func(flag *pflag.Flag) {
			if flag.Hidden {
				return
			}
			if strings.Contains(flag.Usage, "`") {
				name, usage := pflag.UnquoteUsage(flag)
				flag.Value, flag.Usage = placeholder{flag.Value, name}, usage
			}
			c.completeFlag(command, flag)
		})
	}
	if command.ValidArgsFunction == nil && !slices.Contains(arguments(command.Use), fileArgument) {
		command.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, below := range command.Commands() {
		c.prepareCompletion(below)
	}
}

// fileArgument is how a command's Use names a file to read.
const fileArgument = "FILE|-"

func (c *cli) completeFlag(command *cobra.Command, flag *pflag.Flag) {
	offer := cobra.NoFileCompletions
	if words, known := choices[flag.Name]; known {
		offer = cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	}
	switch {
	case flag.Value.Type() == "file" || flag.NoOptDefVal != "":
		return
	case flag.Name == "campaign":
		offer = func(command *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return c.campaignIDs(command), cobra.ShellCompDirectiveNoFileComp
		}
	}
	_ = command.RegisterFlagCompletionFunc(flag.Name, offer) // fails only for a flag that has one
}
