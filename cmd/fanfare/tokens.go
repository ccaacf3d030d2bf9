package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/tokens"
)

// userToken is the JSON of one user's token. tokens get shortens it unless --reveal is given.
type userToken struct {
	UserID string `json:"userId"`
	Token  string `json:"fcmToken,omitempty"`
	Known  bool   `json:"known"`
	// Problem is why the stored value cannot be a token. It is never sent.
	Problem string `json:"problem,omitempty"`
}

func (c *cli) tokens() *cobra.Command {
	return group("tokens COMMAND", "Look at and change users' registration tokens",
		c.tokensGet(), c.tokensSet(), c.tokensRemove(), c.tokensImport(), c.tokensRemoved(), c.tokensRestore())
}

func (c *cli) tokensGet() *cobra.Command {
	reveal := false
	command := &cobra.Command{
		Use:   "get USER",
		Short: "Show the token that a push to the user would use: from Redis, else from SQL",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				devices, err := rooms.Tokens.Get(ctx, args[0])
				if asked, ok := errors.AsType[*tokens.SourceError](err); ok {
					err = asked.Err // the message names the user already
				}
				if err != nil {
					return fmt.Errorf("look up the token of %s: %w", printable(args[0]), err)
				}
				target := tokens.Newest(devices)
				found := userToken{UserID: args[0], Known: !target.IsZero(), Problem: target.Problem()}
				switch {
				case reveal:
					found.Token = target.Text()
				case found.Known:
					found.Token = target.String()
				}
				return c.output(command).show(found, func(w io.Writer) { printToken(w, found, reveal) })
			})
		},
	}
	addReveal(command.Flags(), &reveal)
	return command
}

func addReveal(flags *pflag.FlagSet, reveal *bool) {
	flags.BoolVar(reveal, "reveal", false, "show the whole token: who has it and the credentials can send to the user")
}

func printToken(w io.Writer, t userToken, reveal bool) {
	switch {
	case !t.Known:
		fmt.Fprintf(w, "%s has no token\n", printable(t.UserID))
	case t.Problem != "":
		fmt.Fprintf(w, "the value stored for %s cannot be a token, and is never sent: %s: %s\n", printable(t.UserID), printable(t.Token), t.Problem)
	case reveal:
		fmt.Fprintln(w, printable(t.Token))
	default:
		fmt.Fprintln(w, printable(t.Token)+" (shortened; --reveal shows it)")
	}
}

func (c *cli) tokensSet() *cobra.Command {
	return &cobra.Command{
		Use:   "set USER TOKEN",
		Short: "Store a user's token in Redis",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				target := notification.ParseToken(args[1])
				if err := rooms.Tokens.Set(ctx, args[0], target); err != nil {
					return err
				}
				text := "stored the token of %s"
				if target.IsTrimmed() {
					text += ", without the characters around it"
				}
				return c.output(command).done(userToken{UserID: args[0], Token: target.Value, Known: true}, text, printable(args[0]))
			})
		},
	}
}

func (c *cli) tokensRemove() *cobra.Command {
	return &cobra.Command{
		Use:   "remove USER",
		Short: "Forget a user's token in Redis; one in SQL is found again",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				existed, err := rooms.Tokens.Remove(ctx, args[0])
				if err != nil {
					return err
				}
				text := "removed the token of %s"
				if !existed {
					text = "%s had no token in Redis"
				}
				return c.output(command).done(map[string]any{"userId": args[0], "removed": existed}, text, printable(args[0]))
			})
		},
	}
}

func (c *cli) tokensImport() *cobra.Command {
	var form fileForm
	command := &cobra.Command{
		Use:     "import FILE|-",
		Short:   "Store the tokens of an audience file (CSV or JSON with userId and fcmToken) in Redis",
		Example: "  fanfare tokens import tokens.csv",
		Args:    wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			format, separator, err := form.resolve(command, args[0])
			if err != nil {
				return err
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				opts := operator.ImportOptions{Format: format, Separator: separator, MaxElement: int(rooms.Settings.Queue.MaxElement)}
				return c.importFile(ctx, command, op, args[0], opts)
			})
		},
	}
	form.addTo(command.Flags())
	return command
}

func (c *cli) importFile(ctx context.Context, command *cobra.Command, op *operator.Operator, name string, opts operator.ImportOptions) error {
	file, err := openInput(command, name)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := newFileBar(command.ErrOrStderr(), file, "storing", "token")
	opts.Progress = bar.count
	summary, err := op.ImportTokens(ctx, bar, opts)
	bar.clear()
	if file, ok := errors.AsType[*operator.FileError](err); ok {
		return nameFile(name, file)
	}
	if err != nil && summary.Rejected == 0 {
		return err
	}
	shown := c.output(command).show(summary, func(w io.Writer) {
		fmt.Fprintf(w, "stored %s in %s; %s rejected\n", plural(summary.Loaded, "token"), summary.Took.Round(time.Millisecond), plural(summary.Rejected, "line"))
		printRows(w, summary)
	})
	if err != nil {
		return err
	}
	return shown
}
