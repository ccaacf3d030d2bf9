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
	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// addressFlags are the flags that describe a device.
type addressFlags struct{ fid, platform, locale string }

func (a *addressFlags) addTo(f *pflag.FlagSet) {
	f.StringVar(&a.fid, "fid", "", "the Firebase Installation `ID` of the device, in place of a TOKEN")
	f.StringVar(&a.platform, "platform", "", "the device's `platform`, such as android, ios or web")
	f.StringVar(&a.locale, "locale", "", "the device's `language`, such as pt-BR")
}

// device reads the address and the details. An error names the field.
func (a *addressFlags) device(token string) (d notification.Device, err error) {
	d.Target = notification.ParseToken(token)
	switch {
	case a.fid != "" && token != "":
		return d, errors.New("give a TOKEN or --fid, not both")
	case notification.IsInstallationID(d.Target.Value):
		return d, errors.New("TOKEN is an installation ID: give it with --fid")
	case a.fid != "":
		d.Target = notification.ParseFID(a.fid)
	}
	if problem := d.Target.Problem(); a.fid != "" && problem != "" {
		return d, errors.New("--fid cannot be used: " + problem)
	}
	d.Platform, d.Locale = notification.NormalizePlatform(a.platform), strings.TrimSpace(a.locale)
	if a.platform != "" && d.Platform == "" {
		return d, fmt.Errorf("--platform %s is no platform: write android, ios or web", printable(a.platform))
	}
	if problem := content.LocaleProblem(d.Locale); problem != "" {
		return d, errors.New("--" + problem)
	}
	return d, nil
}

func (c *cli) tokensSet() *cobra.Command {
	var flags addressFlags
	command := &cobra.Command{
		Use:   "set USER [TOKEN]",
		Short: "Store an address of a user in Redis: the token, or one of several devices",
		Long: `Store an address of a user in Redis.

A TOKEN alone becomes the user's token, in place of the one that is stored. With --platform or --locale, and with --fid, the address
joins the devices of the user, as the one used last. It then has no expiry, and SQL is not asked for the user as long as Redis has any.`,
		Example: `  fanfare tokens set user-00007 fhMpVD00JNQo850aZoqq2L:APA91b
  fanfare tokens set user-00007 --fid fhMpVD00JNQo850aZoqq2L --platform ios --locale pt-BR`,
		Args: wantTokenOrFID(&flags),
		RunE: func(command *cobra.Command, args []string) error {
			token := ""
			if len(args) > 1 {
				token = args[1]
			}
			d, err := flags.device(token)
			if err != nil {
				return wrongUsage(command, err)
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				return c.storeAddress(ctx, command, rooms, args[0], d)
			})
		},
	}
	flags.addTo(command.Flags())
	return command
}

// wantTokenOrFID requires a user, and a token unless there is --fid.
func wantTokenOrFID(flags *addressFlags) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if len(args) == 1 && flags.fid != "" || len(args) == 2 {
			return nil
		}
		return wrongUsage(command, fmt.Errorf("tokens set takes USER and TOKEN, or USER and --fid; %s given", plural(int64(len(args)), "argument")))
	}
}

func (c *cli) storeAddress(ctx context.Context, command *cobra.Command, rooms *sending.Rooms, user string, d notification.Device) error {
	stored, text := userToken{UserID: user, Token: d.Target.Value, Known: true}, "stored the token of %s"
	var err error
	if d.Target.Kind == notification.TargetFID || d.Platform != "" || d.Locale != "" {
		d.LastSeen = time.Now().UTC().Truncate(time.Second)
		err = rooms.Tokens.SetDevice(ctx, user, d)
		stored.Devices = []userAddress{{d.Target.Value, operator.KindOf(d.Target), d.Platform, d.Locale, d.LastSeen, true}}
		text = "stored the " + operator.KindOf(d.Target) + " as a device of %s"
	} else {
		err = rooms.Tokens.Set(ctx, user, d.Target)
	}
	if err != nil {
		return err
	}
	if d.Target.IsTrimmed() {
		text += ", without the characters around it"
	}
	return c.output(command).done(stored, text, printable(user))
}

// removal are the flags that choose what tokens remove removes.
type removal struct {
	token, fid string
	all        bool
}

// target returns the one address to remove. It is zero if there is no flag for one.
func (r removal) target() (t notification.Target, err error) {
	if r.all && r.token+r.fid != "" || r.token != "" && r.fid != "" {
		return t, errors.New("give one of --token, --fid and --all")
	}
	if r.fid != "" {
		t = notification.ParseFID(r.fid)
	} else if r.token != "" {
		t = notification.ParseToken(r.token)
	}
	if problem := t.Problem(); problem != "" {
		return t, fmt.Errorf("the address cannot be stored, so it cannot be removed: %s", problem)
	}
	return t, nil
}

func (c *cli) tokensRemove() *cobra.Command {
	var what removal
	command := &cobra.Command{
		Use:   "remove USER",
		Short: "Forget a user's token, one address or all in Redis; those in SQL are found again",
		Example: `  fanfare tokens remove user-00007
  fanfare tokens remove user-00007 --fid fhMpVD00JNQo850aZoqq2L
  fanfare tokens remove user-00007 --all`,
		Args: wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			target, err := what.target()
			if err != nil {
				return wrongUsage(command, err)
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				switch {
				case what.all:
					return c.removeAllAddresses(ctx, command, rooms, args[0])
				case !target.IsZero():
					return c.removeAddress(ctx, command, rooms, args[0], target)
				}
				return c.removeToken(ctx, command, rooms, args[0])
			})
		},
	}
	f := command.Flags()
	f.StringVar(&what.token, "token", "", "remove this registration `token`, wherever it is stored")
	f.StringVar(&what.fid, "fid", "", "remove this Firebase Installation `ID`")
	f.BoolVar(&what.all, "all", false, "remove all addresses")
	return command
}

func (c *cli) removeToken(ctx context.Context, command *cobra.Command, rooms *sending.Rooms, user string) error {
	existed, err := rooms.Tokens.Remove(ctx, user)
	if err != nil {
		return err
	}
	text := "removed the token of %s"
	if !existed {
		text = "%s had no token in Redis"
	}
	left, err := rooms.Tokens.CountDevices(ctx, user)
	if err != nil {
		return err
	}
	if left > 0 {
		text += fmt.Sprintf("; %s of devices stay: --all removes them", plural(left, "address"))
	}
	return c.output(command).done(map[string]any{"userId": user, "removed": existed}, text, printable(user))
}

func (c *cli) removeAddress(ctx context.Context, command *cobra.Command, rooms *sending.Rooms, user string, target notification.Target) error {
	existed, err := rooms.Tokens.RemoveAddress(ctx, user, target)
	if err != nil {
		return err
	}
	text := "removed the address of %s"
	if !existed {
		text = "%s had no such address in Redis"
	}
	return c.output(command).done(map[string]any{"userId": user, "removed": existed}, text, printable(user))
}

func (c *cli) removeAllAddresses(ctx context.Context, command *cobra.Command, rooms *sending.Rooms, user string) error {
	n, err := rooms.Tokens.RemoveAll(ctx, user)
	if err != nil {
		return err
	}
	text := "removed " + plural(int64(n), "address") + " of %s"
	if n == 0 {
		text = "%s had no address in Redis"
	}
	return c.output(command).done(map[string]any{"userId": user, "removed": n > 0, "addresses": n}, text, printable(user))
}
