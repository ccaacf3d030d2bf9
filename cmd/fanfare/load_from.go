package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/store"
)

// loadSource are the flags that load from SQL: the users of another campaign's outcomes, or the
// rows of a query.
type loadSource struct {
	campaign  string
	filter    outcomeFilter
	olderThan time.Duration
	query     queryFlags
}

func (s *loadSource) addTo(f *pflag.FlagSet) {
	f.StringVar(&s.campaign, "from", "", "load the users of this `campaign`'s outcomes in SQL in place of a file; needs --status or --code")
	s.filter.addTo(f, "with --from: outcomes")
	s.query.addTo(f)
	f.DurationVar(&s.olderThan, "older-than", 0, "with --from: outcomes that are at least so `long` ago, such as 24h")
}

// The bounds of --older-than. Outcomes are not kept for longer.
const (
	minAge = time.Minute
	maxAge = 10 * 366 * 24 * time.Hour
)

// args accepts a file, and with --from or --query none. Without any of them, the campaign's source
// is loaded.
func (s *loadSource) args(command *cobra.Command, args []string) error {
	if command.Flags().Changed("query") || command.Flags().Changed("key") {
		return s.query.args(command, args)
	}
	if !command.Flags().Changed("from") {
		if s.filter.isNarrowed() || command.Flags().Changed("older-than") {
			return wrongUsage(command, errors.New("--status, --code and --older-than select outcomes of a campaign: name it with --from"))
		}
		switch {
		case len(args) > 2:
			return checkFiles(command, args[1:])
		case len(args) == 1:
			return checkSourceFlags(command)
		case len(args) == 0:
			return wantArgs(command, args)
		}
		return nil
	}
	if command.Flags().Changed("older-than") && (s.olderThan < minAge || s.olderThan > maxAge) {
		return wrongUsage(command, fmt.Errorf("--older-than is %s, want %s to %s", s.olderThan, minAge, maxAge))
	}
	if len(args) != 1 {
		return wrongUsage(command, fmt.Errorf("load --from takes one CAMPAIGN and no file; %s given", plural(int64(len(args)), "argument")))
	}
	if s.campaign == "" || !s.filter.isNarrowed() {
		return wrongUsage(command, errors.New("--from needs a campaign, and --status or --code to choose among its outcomes"))
	}
	for _, flag := range []string{"format", "separator", "skip"} {
		if command.Flags().Changed(flag) {
			return wrongUsage(command, fmt.Errorf("--%s is for files, not for --from", flag))
		}
	}
	return nil
}

// words are the flags as they are typed.
func (s *loadSource) words() string {
	words := []string{"--from", shellWord(s.campaign)}
	if s.filter.status != "" {
		words = append(words, "--status", s.filter.status)
	}
	if s.filter.code != "" {
		words = append(words, "--code", shellWord(s.filter.code))
	}
	if s.olderThan > 0 {
		words = append(words, "--older-than", s.olderThan.String())
	}
	return strings.Join(words, " ")
}

// loadOutcomes loads the users of outcomes, and prints what loadFile prints of a file.
func (c *cli) loadOutcomes(command *cobra.Command, source loadSource, id string, opts operator.LoadOptions) error {
	filter, err := source.filter.read(command)
	if err != nil {
		return err
	}
	if source.olderThan > 0 {
		filter.OlderThan, filter.Until = source.olderThan, time.Now().Add(-source.olderThan)
	}
	return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
		opts.MaxElement, opts.Pace = int(rooms.Settings.Queue.MaxElement), findPaces(ctx, rooms)
		return c.loadFiltered(ctx, command, op, source, filter, id, opts)
	})
}

func (c *cli) loadFiltered(ctx context.Context, command *cobra.Command, op *operator.Operator, source loadSource, filter store.Filter, id string, opts operator.LoadOptions) error {
	bar := newFileBar(command.ErrOrStderr(), -1, "loading", "recipient")
	opts.Progress = func(n int64) {
		bar.count(n)
		_ = bar.bar.Add(0) // there is no file whose reading draws the bar
	}
	opts.OnHold = func(state campaign.State) { bar.say(holdText(ctx, op, id, opts.Hold, state)) }
	summary, err := op.LoadFrom(ctx, id, source.campaign, filter, opts)
	bar.clear()
	broken, begun := errors.AsType[*operator.InterruptedError](err)
	if begun && broken.Done+broken.Unsure > 0 {
		return explainInterruptedLoad(broken, id, source.words(), opts)
	}
	if err != nil {
		return explainLoadFrom(id, source.campaign, err)
	}
	return c.showLoad(ctx, command, op, id, "line", summary, true)
}

// explainLoadFrom says which of the two campaigns is at fault.
func explainLoadFrom(id, from string, err error) error {
	if source, ok := errors.AsType[*operator.FromError](err); ok {
		return explainRecords(from, source.Err)
	}
	return explainLoad(id, "campaign "+from, err)
}
