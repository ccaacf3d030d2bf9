package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/cmd/internal/assembly"
	"fanfare/cmd/internal/sending"
	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/store"
)

// queryFlags are the flags that load the rows of a query.
type queryFlags struct{ operator.Query }

func (q *queryFlags) addTo(f *pflag.FlagSet) {
	f.StringVar(&q.SQL, "query", "", "load the rows of this `SELECT` in the database of DATABASE_URL in place of a file; needs --key")
	f.StringVar(&q.Key, "key", "", "with --query: a `column` of it that is unique and never NULL; rows are read in its order")
}

// args refuses flags that make no sense with --query, and --key without it.
func (q *queryFlags) args(command *cobra.Command, args []string) error {
	changed := command.Flags().Changed
	refused := func(text string) error { return wrongUsage(command, errors.New(text)) }
	switch {
	case !changed("query"):
		return refused("--key is for --query")
	case changed("from"):
		return refused("--query and --from are two audiences: give one of them")
	case len(args) != 1:
		return refused(fmt.Sprintf("load --query takes one CAMPAIGN and no file; %s given", plural(int64(len(args)), "argument")))
	case strings.TrimSpace(q.SQL) == "":
		return refused("--query is empty: write a SELECT")
	case q.Key == "":
		return refused("--query needs --key, a column of it that is unique and never NULL")
	}
	for _, flag := range []string{"format", "separator"} {
		if changed(flag) {
			return refused("--" + flag + " is for files, not for --query")
		}
	}
	for _, flag := range []string{"status", "code", "older-than"} {
		if changed(flag) {
			return refused("--" + flag + " is for --from, not for --query")
		}
	}
	return nil
}

// words are the flags as they are typed.
func (q *queryFlags) words() string {
	return "--query " + shellWord(q.SQL) + " --key " + shellWord(q.Key)
}

// loadQuery loads the rows of a query, and prints what loadFiles prints of files.
func (c *cli) loadQuery(command *cobra.Command, query queryFlags, id string, opts operator.LoadOptions) error {
	return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
		opts.MaxElement, opts.Pace = int(rooms.Settings.Queue.MaxElement), findPaces(ctx, rooms)
		return c.loadRows(ctx, command, op, id, query, opts)
	})
}

// loadRows loads the rows of a query with a progress bar.
func (c *cli) loadRows(ctx context.Context, command *cobra.Command, op *operator.Operator, id string, query queryFlags, opts operator.LoadOptions) error {
	bar := newFileBar(command.ErrOrStderr(), -1, "loading", "recipient")
	opts.Progress = func(n int64) {
		bar.count(n)
		_ = bar.bar.Add(0) // there is no file whose reading draws the bar
	}
	opts.OnHold = func(state campaign.State) { bar.say(holdText(ctx, op, id, opts.Hold, state)) }
	summary, err := op.LoadQuery(ctx, id, query.Query, opts)
	bar.clear()
	broken, begun := errors.AsType[*operator.InterruptedError](err)
	begun = begun && broken.Done+broken.Unsure > 0
	if err != nil && !begun && summary.Rejected == 0 {
		return explainLoadQuery(id, opts, err)
	}
	shown := c.showLoad(ctx, command, op, id, "row", summary, err == nil)
	switch {
	case begun:
		return explainInterruptedLoad(broken, id, query.words(), opts)
	case err != nil:
		return explainLoadQuery(id, opts, err)
	}
	return shown
}

// explainLoadQuery says which flag, or which member of the campaign's source, is at fault.
func explainLoadQuery(id string, opts operator.LoadOptions, err error) error {
	if refused, ok := errors.AsType[*store.QueryError](err); ok {
		return daemon.WithExitCode(daemon.ExitUsage, blame(id, opts, fmt.Errorf("%s: %s", refused.Part, printable(refused.Err.Error()))))
	}
	if columns, ok := errors.AsType[*audience.FileError](err); ok {
		return daemon.WithExitCode(daemon.ExitUsage, blame(id, opts, fmt.Errorf("query: %s", columns.Problem)))
	}
	if _, repeated := errors.AsType[*audience.KeyError](err); repeated {
		return blame(id, opts, err)
	}
	switch {
	case errors.Is(err, operator.ErrNoDatabase):
		reader := "--query"
		if !opts.Of.IsZero() {
			reader = "the source of campaign " + printable(id)
		}
		return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w, and %s reads it; set DATABASE_URL as for the responder", err, reader))
	case errors.Is(err, operator.ErrNoRecipient):
		return blame(id, opts, errors.New("query: no row is a recipient: nothing was loaded"))
	}
	return assembly.AssignExitCode(explainLoad(id, "--query", err))
}
