package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/tokens"
)

// userToken is the JSON of one user's addresses. tokens get shortens them unless --reveal is given.
type userToken struct {
	UserID string `json:"userId"`
	// Token is the address that was used last, also if it is an installation ID.
	Token string `json:"fcmToken,omitempty"`
	Known bool   `json:"known"`
	// Problem is why the stored value cannot be a token. It is never sent.
	Problem string `json:"problem,omitempty"`
	// Devices are all addresses, if there is more than a token.
	Devices []userAddress `json:"devices,omitempty"`
}

// userAddress is the JSON of one address.
type userAddress struct {
	Address  string    `json:"address"`
	Kind     string    `json:"kind"` // "token" or "fid"
	Platform string    `json:"platform,omitempty"`
	Locale   string    `json:"locale,omitempty"`
	LastSeen time.Time `json:"lastSeen,omitzero"`
	// Used is false for an address whose device has a better one, and for one over the limit.
	Used bool `json:"used"`
}

func (c *cli) tokens() *cobra.Command {
	return group("tokens COMMAND", "Look at and change users' registration tokens and installation IDs",
		c.tokensGet(), c.tokensSet(), c.tokensRemove(), c.tokensImport(), c.tokensRemoved(), c.tokensRestore())
}

func (c *cli) tokensGet() *cobra.Command {
	reveal := false
	command := &cobra.Command{
		Use:   "get USER",
		Short: "Show the addresses that a push to the user would use: from Redis, else from SQL",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				all, err := rooms.Tokens.GetAll(ctx, args[0])
				if asked, ok := errors.AsType[*tokens.SourceError](err); ok {
					err = asked.Err // the message names the user already
				}
				if err != nil {
					return fmt.Errorf("look up the token of %s: %w", printable(args[0]), err)
				}
				found := newUserToken(args[0], all, reveal)
				out := c.output(command)
				return out.show(found, func(w io.Writer) {
					if len(found.Devices) > 0 {
						printAddresses(out, found, reveal)
						return
					}
					printToken(w, found, reveal)
				})
			})
		},
	}
	addReveal(command.Flags(), &reveal)
	return command
}

// newUserToken makes what tokens get shows. A token of which nothing else is known is shown alone.
func newUserToken(user string, all tokens.Stored, reveal bool) userToken {
	target := tokens.Newest(all.Used)
	found := userToken{UserID: user, Known: !target.IsZero(), Problem: target.Problem()}
	shown := func(t notification.Target) string {
		if reveal {
			return t.Text()
		}
		return t.String()
	}
	if found.Known {
		found.Token = shown(target)
	}
	if len(all.Unused) == 0 && !(operator.User{Devices: all.Used}).HasDevices() {
		return found
	}
	add := func(devices []notification.Device, used bool) {
		for _, d := range devices {
			found.Devices = append(found.Devices, userAddress{shown(d.Target), operator.KindOf(d.Target), d.Platform, d.Locale, d.LastSeen, used})
		}
	}
	add(all.Used, true)
	add(all.Unused, false)
	return found
}

func addReveal(flags *pflag.FlagSet, reveal *bool) {
	flags.BoolVar(reveal, "reveal", false, "show the whole token: who has it and the credentials can send to the user")
}

// printAddresses prints all addresses of a user, those that a push would use first.
func printAddresses(o output, t userToken, reveal bool) {
	address := column{name: "ADDRESS"} // never shortened: a revealed one is for copying
	table := o.newTable(address, textColumn("KIND"), textColumn("PLATFORM"), momentColumn("LAST USE"), textColumn("LOCALE"), textColumn("USED"))
	for _, a := range t.Devices {
		used := "yes"
		if !a.Used {
			used = "no"
		}
		table.add(a.Address, a.Kind, cmp.Or(a.Platform, "–"), cmp.Or(localTime(a.LastSeen), "–"), cmp.Or(a.Locale, "–"), used)
	}
	table.print()
	if !reveal {
		fmt.Fprintln(o.w, "\naddresses are shortened; --reveal shows them")
	}
	if slices.ContainsFunc(t.Devices, func(a userAddress) bool { return !a.Used }) {
		fmt.Fprintf(o.w, "\nnot used: other addresses of a device above, and all over the limit of %d devices\n", notification.MaxDevices)
	}
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
