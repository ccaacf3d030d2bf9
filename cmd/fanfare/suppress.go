package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
	"fanfare/internal/suppression"
)

func (c *cli) suppress() *cobra.Command {
	return group("suppress COMMAND", "Choose the users who get no push from any campaign", c.suppressAdd(), c.suppressRemove(), c.suppressImport(), c.suppressList())
}

func (c *cli) suppressAdd() *cobra.Command {
	return &cobra.Command{
		Use:     "add USER...",
		Short:   "Suppress users: from the next claim on they get no push",
		Example: "  fanfare suppress add user-00007 user-00009",
		Args:    wantUsers,
		RunE: func(command *cobra.Command, users []string) error {
			return c.withSuppressed(command, func(ctx context.Context, set *suppression.Set) error {
				added, err := set.Add(ctx, users...)
				if err != nil {
					return err
				}
				already := int64(len(users)) - added
				return c.output(command).done(map[string]int64{"added": added, "already": already},
					"suppressed %s; %d already", plural(added, "user"), already)
			})
		},
	}
}

func (c *cli) suppressRemove() *cobra.Command {
	return &cobra.Command{
		Use:   "remove USER...",
		Short: "End the suppression of users: from the next claim on they get pushes again",
		Args:  wantUsers,
		RunE: func(command *cobra.Command, users []string) error {
			return c.withSuppressed(command, func(ctx context.Context, set *suppression.Set) error {
				removed, err := set.Remove(ctx, users...)
				if err != nil {
					return err
				}
				other := int64(len(users)) - removed
				return c.output(command).done(map[string]int64{"removed": removed, "notSuppressed": other},
					"ended the suppression of %s; %d not suppressed", plural(removed, "user"), other)
			})
		},
	}
}

func (c *cli) suppressImport() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE|-",
		Short: "Suppress the users of a file: a user id on each line, or CSV or JSON with userId",
		Long: `Suppress the users of a file: from the next claim on they get no push.

The file has one user id on each line; or it is CSV whose first line names a column userId or user_id, NDJSON or a JSON array of
objects with userId. Other columns are ignored. Files compressed with gzip or zstd are opened, UTF-16 is read. Lines without a user are
rejected and listed. Users who are suppressed already stay so: an import that was interrupted can simply be repeated.`,
		Example: `  fanfare suppress import unsubscribed.txt
  psql -Atc 'SELECT id FROM users WHERE NOT push_allowed' | fanfare suppress import -`,
		Args: wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				return c.importFile(command, args[0], "suppressing", "user", func(file io.Reader, progress func(int64)) (fileImport, error) {
					summary, err := op.ImportSuppressed(ctx, file, progress)
					return fileImport{summary, summary.Rejected, false, func(w io.Writer) { printSuppressed(w, summary) }}, err
				})
			})
		},
	}
}

func printSuppressed(w io.Writer, s operator.SuppressSummary) {
	fmt.Fprintf(w, "suppressed %s in %s; %s already; %s rejected\n", plural(s.Added, "user"), s.Took.Round(time.Millisecond),
		operator.Thousands(s.Already), plural(s.Rejected, "line"))
	printRejected(w, s.Errors, s.Rejected)
}

// suppressedList is the JSON of "suppress list".
type suppressedList struct {
	Count int64    `json:"count"`
	Users []string `json:"users"` // in order, but only some if there are more than the limit
	// MoreInSQL is set if store.suppression_query finds more users, who are not listed.
	MoreInSQL bool `json:"moreInSql,omitempty"`
}

func (c *cli) suppressList() *cobra.Command {
	limit := 20
	command := &cobra.Command{
		Use:   "list",
		Short: "Count the suppressed users, and show some",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := checkRange(command, "limit", limit, 0, maxLimit); err != nil {
				return err
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				found, err := listSuppressed(ctx, rooms.Suppressed, limit)
				if err != nil {
					return err
				}
				found.MoreInSQL = rooms.Store != nil && rooms.Store.CanFindSuppressed()
				return c.output(command).show(found, func(w io.Writer) {
					for _, user := range found.Users {
						fmt.Fprintln(w, printable(user))
					}
					text := plural(found.Count, "user") + " suppressed"
					if found.MoreInSQL {
						text += " in Redis; those in SQL (store.suppression_query) are not listed"
					}
					fmt.Fprintln(w, text)
				})
			})
		},
	}
	command.Flags().IntVar(&limit, "limit", limit, "users shown at most; all are counted")
	return command
}

// listSuppressed counts the suppressed users, and finds at most limit of them.
func listSuppressed(ctx context.Context, set *suppression.Set, limit int) (found suppressedList, err error) {
	found.Users = []string{}
	if found.Count, err = set.Count(ctx); err != nil || limit == 0 {
		return found, err
	}
	for user, err := range set.All(ctx) {
		if err != nil {
			return found, err
		}
		if found.Users = append(found.Users, user); len(found.Users) == limit {
			break
		}
	}
	slices.Sort(found.Users)
	found.Users = slices.Compact(found.Users) // a scan may yield one twice
	return found, nil
}

// withSuppressed calls do with the set of suppressed users.
func (c *cli) withSuppressed(command *cobra.Command, do func(context.Context, *suppression.Set) error) error {
	return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
		return do(ctx, rooms.Suppressed)
	})
}

// wantUsers refuses a command without users, or with an empty one.
func wantUsers(command *cobra.Command, users []string) error {
	if len(users) == 0 || slices.Contains(users, "") {
		return wrongUsage(command, errors.New("name one user or more; none may be empty"))
	}
	return nil
}
