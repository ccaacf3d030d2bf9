package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/responses"
)

func (c *cli) dead() *cobra.Command {
	return group("dead COMMAND", "Look through, replay and purge the dead letters",
		c.deadList(), c.deadShow(), c.deadReplay(), c.deadPurge())
}

// letterFilter are the flags that select dead letters.
type letterFilter struct {
	responses.Filter
	kind string
}

func (f *letterFilter) addTo(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.Campaign, "campaign", "", "those of this `campaign`")
	flags.StringVar(&f.User, "user", "", "those of this `user`")
	flags.StringVar(&f.Code, "code", "", "those with this `code`, such as UNREGISTERED")
	flags.StringVar(&f.kind, "kind", "", "those of this `kind`: recipient, element or result")
	flags.StringVar(&f.Reason, "reason", "", "those whose reason holds this `text`")
	addPeriod(flags, &f.Since, &f.Until, "those")
}

// check refuses a kind that no letter has, and an empty period. They would silently select nothing.
func (f *letterFilter) check(command *cobra.Command) error {
	if err := checkPeriod(command, f.Since, f.Until); err != nil {
		return err
	}
	switch f.Kind = responses.Kind(f.kind); f.Kind {
	case "", responses.KindRecipient, responses.KindElement, responses.KindResult:
		return nil
	}
	return wrongUsage(command, fmt.Errorf("there is no kind %q: use %s, %s or %s", f.kind, responses.KindRecipient, responses.KindElement, responses.KindResult))
}

// isNarrowed reports whether the filter excludes anything.
func (f *letterFilter) isNarrowed() bool { return f.Filter != responses.Filter{Newest: f.Newest} }

func (c *cli) deadList() *cobra.Command {
	var filter letterFilter
	limit, reveal := 100, false
	command := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List dead letters, the newest first, and count them by code",
		Args:    wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := filter.check(command); err != nil {
				return err
			}
			if err := checkRange(command, "limit", limit, 0, maxLimit); err != nil {
				return err
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				found, err := readLetters(ctx, rooms.DeadLetters, filter.Filter, limit)
				if err != nil {
					return err
				}
				for i, letter := range found.letters {
					found.letters[i] = shownLetter(letter, reveal)
				}
				out := c.output(command)
				return out.show(found, func(io.Writer) { printLetters(out, found) })
			})
		},
	}
	filter.addTo(command)
	filter.Newest = true
	addReveal(command.Flags(), &reveal)
	command.Flags().IntVar(&limit, "limit", limit, "letters shown at most; all are counted")
	return command
}

func (c *cli) deadShow() *cobra.Command {
	reveal := false
	command := &cobra.Command{
		Use:   "show ID",
		Short: "Show one dead letter, with its raw element",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				letter, err := rooms.DeadLetters.Get(ctx, args[0])
				if err != nil {
					return err
				}
				letter = shownLetter(letter, reveal)
				return c.output(command).show(letterJSON(letter), func(w io.Writer) { printLetter(w, letter) })
			})
		},
	}
	addReveal(command.Flags(), &reveal)
	return command
}

func (c *cli) deadReplay() *cobra.Command {
	var filter letterFilter
	var opts operator.ReplayOptions
	all, dry := false, false
	command := &cobra.Command{
		Use:   "replay",
		Short: "Replay dead letters: recipients to their campaign, results to the responder",
		Long: `Replay dead letters: recipients to their campaign, results to the responder.

A recipient goes to the end of its campaign's list with its user id alone: its token is looked up again, in Redis and SQL, and its
placeholders are filled from the profile. Who has no token there stays a dead letter. A campaign that was completed runs again. Letters
of campaigns that are cancelled, expired or deleted stay where they are.`,
		Example: "  fanfare dead replay --campaign 42 --code UNAVAILABLE",
		Args:    wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := filter.check(command); err != nil {
				return err
			}
			if opts.Rate < 0 {
				return wrongUsage(command, errors.New("--rate is negative"))
			}
			if !all && !dry && !filter.isNarrowed() {
				return wrongUsage(command, errors.New("this would replay every dead letter of all campaigns: choose some, or give --all"))
			}
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				summary, done, err := replayLetters(ctx, op, filter.Filter, opts, dry)
				if err != nil {
					return fmt.Errorf("replay stopped after %s: %w", plural(summary.Replayed, "letter"), err)
				}
				return c.output(command).show(summary, func(w io.Writer) {
					printReplay(w, done, summary)
				})
			})
		},
	}
	filter.addTo(command)
	command.Flags().BoolVar(&all, "all", false, "every one of them")
	command.Flags().BoolVar(&dry, "dry-run", false, "only count what would be replayed")
	command.Flags().Float64Var(&opts.Rate, "rate", 0, "letters a `second`; 0 is no limit")
	return command
}

// replayLetters replays, or counts what a replay would do, and names what it did.
func replayLetters(ctx context.Context, op *operator.Operator, f responses.Filter, opts operator.ReplayOptions, dry bool) (operator.ReplaySummary, string, error) {
	if dry {
		summary, err := op.WouldReplay(ctx, f)
		return summary, "would replay", err
	}
	summary, err := op.Replay(ctx, f, opts)
	return summary, "replayed", err
}

func (c *cli) deadPurge() *cobra.Command {
	var question confirmation
	var filter letterFilter
	all := false
	command := &cobra.Command{
		Use:     "purge",
		Short:   "Delete dead letters for good: those that the flags choose, or --all",
		Example: "  fanfare dead purge --until 2026-01-31",
		Args:    wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := filter.check(command); err != nil {
				return err
			}
			if !all && !filter.isNarrowed() {
				return wrongUsage(command, errors.New("this would delete every dead letter: choose some, or give --all"))
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				if question.isNeeded(c, command) {
					if err := confirmPurge(ctx, command, &question, rooms, filter.Filter); err != nil {
						return err
					}
				}
				removed, err := rooms.DeadLetters.Purge(ctx, filter.Filter)
				if err != nil {
					return fmt.Errorf("purge stopped after %s: %w", plural(int64(removed), "letter"), err)
				}
				return c.output(command).done(map[string]int{"purged": removed}, "purged %s", plural(int64(removed), "dead letter"))
			})
		},
	}
	filter.addTo(command)
	command.Flags().BoolVar(&all, "all", false, "every one of them")
	question.addTo(command.Flags())
	return command
}

// confirmPurge asks before letters are deleted.
func confirmPurge(ctx context.Context, command *cobra.Command, question *confirmation, rooms *sending.Rooms, filter responses.Filter) error {
	counts, err := rooms.DeadLetters.Count(ctx, filter)
	if err != nil {
		return err
	}
	return question.ask(command, fmt.Sprintf("Delete %s for good?", plural(counts.Total, "dead letter")), "They cannot be replayed after that.")
}

// letterList is the result of "dead list".
type letterList struct {
	letters []responses.DeadLetter
	counts  responses.DeadCounts
}

func readLetters(ctx context.Context, dead *responses.DeadLetters, filter responses.Filter, limit int) (letterList, error) {
	var found letterList
	var err error
	if found.counts, err = dead.Count(ctx, filter); err != nil {
		return found, err
	}
	for letter, err := range dead.List(ctx, filter) {
		if err != nil {
			return found, err
		}
		if len(found.letters) >= limit {
			break
		}
		found.letters = append(found.letters, letter)
	}
	return found, nil
}

// shownLetter returns a letter whose addresses are shortened, unless they are revealed. Foreign
// programs write letters too, so that they may be in any text.
func shownLetter(l responses.DeadLetter, reveal bool) responses.DeadLetter {
	if reveal {
		return l
	}
	l.Reason, l.Result.Error = notification.AbbreviateIn(l.Reason), notification.AbbreviateIn(l.Result.Error)
	l.Raw = []byte(notification.AbbreviateIn(string(l.Raw)))
	l.Result.RemoveTokens()
	return l
}

// MarshalJSON writes the letters in the form in which the list stores them.
func (l letterList) MarshalJSON() ([]byte, error) {
	views := make([]json.RawMessage, len(l.letters))
	for i, letter := range l.letters {
		views[i] = letterJSON(letter)
	}
	return json.Marshal(map[string]any{
		"letters": views, "total": l.counts.Total, "codes": l.counts.Codes, "dropped": l.counts.Dropped,
	})
}

func letterJSON(l responses.DeadLetter) json.RawMessage { return responses.AppendDeadLetter(nil, &l) }

func printLetters(o output, found letterList) {
	if len(found.letters) > 0 {
		t := o.newTable(momentColumn("AT"), idColumn("CAMPAIGN"), idColumn("USER"), textColumn("CODE"), textColumn("REASON"), idColumn("ID").onlyWide(), textColumn("KIND").onlyWide())
		for _, l := range found.letters {
			t.add(localTime(l.At), l.Result.CampaignID, l.Result.UserID, l.Code(), l.Reason, l.ID, string(l.Kind))
		}
		t.print()
		hint := "; -o wide shows their ids"
		if o.wide {
			hint = ""
		}
		fmt.Fprintf(o.w, "\n%s of %s shown%s\n\n", operator.Thousands(len(found.letters)), operator.Thousands(found.counts.Total), hint)
	}
	if found.counts.Total == 0 {
		fmt.Fprintln(o.w, "no dead letters")
	} else {
		printCodes(o, found.counts.Codes)
	}
	if found.counts.Dropped > 0 {
		fmt.Fprintf(o.w, "%s older ones were dropped by the bounds (responder.dead_max_length, responder.dead_max_age)\n", operator.Thousands(found.counts.Dropped))
	}
}

// printCodes counts letters by code, the most frequent first.
func printCodes(o output, codes map[string]int64) {
	t := o.newTable(numberColumn("LETTERS"), textColumn("CODE"))
	for _, code := range slices.SortedFunc(maps.Keys(codes), func(a, b string) int {
		return cmp.Or(cmp.Compare(codes[b], codes[a]), cmp.Compare(a, b))
	}) {
		t.add(operator.Thousands(codes[code]), code)
	}
	t.print()
}

func printLetter(w io.Writer, l responses.DeadLetter) {
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-9s %s\n", name, printable(value))
		}
	}
	field("id", l.ID)
	field("at", localTime(l.At))
	field("kind", string(l.Kind))
	field("code", l.Code())
	field("reason", l.Reason)
	field("campaign", l.Result.CampaignID)
	field("user", l.Result.UserID)
	if l.Result.Attempts > 0 {
		field("attempts", fmt.Sprint(l.Result.Attempts))
	}
	field("raw", string(l.Raw))
}

func printReplay(w io.Writer, done string, s operator.ReplaySummary) {
	fmt.Fprintf(w, "%s %s\n", done, plural(s.Replayed, "dead letter"))
	if s.Skipped > 0 {
		fmt.Fprintf(w, "left alone %s whose campaign accepts no more recipients\n", operator.Thousands(s.Skipped))
	}
	if s.NoToken > 0 {
		fmt.Fprintf(w, "left alone %s without a stored token: store one with fanfare tokens import, or load them again with --append\n",
			operator.Thousands(s.NoToken))
	}
}
