package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/responses"
	"fanfare/internal/terminal"
)

// completeCampaign offers the known campaigns.
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

// campaignIDs lists all campaigns with their states. Without Redis it lists none.
func (c *cli) campaignIDs(command *cobra.Command) []string {
	var ids []string
	_ = c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
		views, err := op.List(ctx)
		for _, v := range views {
			if !terminal.IsPrintable(v.Spec.ID) {
				continue // no shell would insert it unchanged
			}
			ids = append(ids, fmt.Sprintf("%s\t%s", v.Spec.ID, stateOf(v)))
		}
		return err
	})
	return ids
}

// choices are the values that a flag accepts. A flag that means something else in one group of
// commands has an entry with the group's name before it.
var choices = map[string][]string{
	"format":          {string(audience.CSV), string(audience.NDJSON), string(audience.Parquet)},
	"campaign format": {string(audience.CSV), string(audience.NDJSON)},
	"kind":            {string(responses.KindRecipient), string(responses.KindElement), string(responses.KindResult)},
	"campaign kind":   {string(campaign.Marketing), string(campaign.Transactional)},
	"status":          {string(notification.StatusSent), string(notification.StatusFailed), string(notification.StatusSkipped), string(notification.StatusExpired), string(notification.StatusUnknown)},
	"output":          {formatTable, formatWide, formatJSON},
	"on-ambiguous":    {string(campaign.Resend), string(campaign.Report)},
	"dedupe":          {string(campaign.DedupeAddress), string(campaign.DedupeUser), string(campaign.DedupeNone)},
	"devices":         {string(campaign.AllDevices), string(campaign.LatestDevice)},
}

// placeholder is a flag's value with the name that the help shows behind the flag.
type placeholder struct {
	pflag.Value
	name string
}

func (p placeholder) Type() string { return p.name }

// prepareCompletion prepares the flags of a command and of all commands below it. A name in
// backquotes in a flag's help becomes its placeholder, because completion would show the quotes.
// Only a command that reads a file offers files.
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

// fileArgument is a file to read in a command's Use.
const fileArgument = "FILE|-"

func (c *cli) completeFlag(command *cobra.Command, flag *pflag.Flag) {
	offer := cobra.NoFileCompletions
	words, known := choices[flag.Name]
	if parent := command.Parent(); parent != nil && choices[parent.Name()+" "+flag.Name] != nil {
		words, known = choices[parent.Name()+" "+flag.Name], true
	}
	if known {
		offer = cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	}
	switch {
	case flag.Value.Type() == "file" || flag.NoOptDefVal != "":
		return
	case flag.Name == "campaign", flag.Name == "from":
		offer = func(command *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return c.campaignIDs(command), cobra.ShellCompDirectiveNoFileComp
		}
	}
	_ = command.RegisterFlagCompletionFunc(flag.Name, offer) // it fails only if the flag has a completion already
}
