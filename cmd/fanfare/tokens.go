package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// userToken is how one user's token is printed: in full, for whoever asks for it by name.
type userToken struct {
	UserID string `json:"userId"`
	Token  string `json:"fcmToken,omitempty"`
	Known  bool   `json:"known"`
}

func (c *cli) tokens() *cobra.Command {
	command := &cobra.Command{Use: "tokens", Short: "Look at and change users' registration tokens"}
	command.AddCommand(c.tokensGet(), c.tokensSet(), c.tokensRemove(), c.tokensImport())
	return command
}

func (c *cli) tokensGet() *cobra.Command {
	return &cobra.Command{
		Use:   "get USER",
		Short: "Show the token that a push to the user would use",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, _ *operator.Operator) error {
				target, err := rooms.Tokens.Get(ctx, args[0])
				if err != nil {
					return err
				}
				found := userToken{UserID: args[0], Token: target.Value, Known: !target.IsZero()}
				return c.output(command).show(found, func(w io.Writer) {
					if found.Known {
						fmt.Fprintln(w, found.Token)
						return
					}
					fmt.Fprintf(w, "user %s has no token\n", found.UserID)
				})
			})
		},
	}
}

func (c *cli) tokensSet() *cobra.Command {
	return &cobra.Command{
		Use:   "set USER TOKEN",
		Short: "Store a user's token",
		Args:  cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, _ *operator.Operator) error {
				if err := rooms.Tokens.Set(ctx, args[0], notification.Token(args[1])); err != nil {
					return err
				}
				return c.output(command).done(userToken{UserID: args[0], Token: args[1], Known: true}, "stored the token of user %s", args[0])
			})
		},
	}
}

func (c *cli) tokensRemove() *cobra.Command {
	return &cobra.Command{
		Use:   "remove USER",
		Short: "Forget a user's token in Redis",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, _ *operator.Operator) error {
				existed, err := rooms.Tokens.Remove(ctx, args[0])
				if err != nil {
					return err
				}
				text := "removed the token of user %s"
				if !existed {
					text = "user %s had no token in Redis"
				}
				return c.output(command).done(map[string]any{"userId": args[0], "removed": existed}, text, args[0])
			})
		},
	}
}

func (c *cli) tokensImport() *cobra.Command {
	format := ""
	command := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Store the tokens of an audience file (CSV or NDJSON with userId and fcmToken)",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
				file, err := openInput(command, args[0])
				if err != nil {
					return err
				}
				defer file.Close()
				summary, err := op.ImportTokens(ctx, file, formatOf(format, args[0]))
				if err != nil {
					return err
				}
				return c.output(command).show(summary, func(w io.Writer) {
					fmt.Fprintf(w, "stored %s tokens, %s lines rejected\n", thousands(summary.Loaded), thousands(summary.Rejected))
					printRows(w, summary)
				})
			})
		},
	}
	command.Flags().StringVar(&format, "format", "", "csv or ndjson; else by the file's name")
	return command
}
