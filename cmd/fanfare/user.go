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
	"strings"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
	"fanfare/internal/profiles"
	"fanfare/internal/store"
	"fanfare/internal/terminal"
)

func (c *cli) user() *cobra.Command {
	return group("user COMMAND", "See what is known of a user", c.userShow())
}

func (c *cli) userShow() *cobra.Command {
	reveal, limit := false, 100
	command := &cobra.Command{
		Use:   "show USER",
		Short: "Show a user's token, devices, profile and outcomes in all campaigns",
		Long: `Show a user's token, profile and outcomes in all campaigns, the newest first.

The token and the profile are those that a push would use now: from Redis, else from SQL. Outcomes are what the responder wrote to SQL.`,
		Example: "  fanfare user show u17\n  fanfare user show u17 --reveal --json",
		Args:    wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			if err := checkRange(command, "limit", limit, 1, store.MaxUserDeliveries-1); err != nil {
				return err
			}
			if args[0] == "" {
				return wrongUsage(command, errors.New("the user's id is empty"))
			}
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				found, err := op.User(ctx, args[0], limit)
				if found.ID == "" {
					return explainRecords("", err)
				}
				view := operator.UserView{User: found, Reveal: reveal}
				out := c.output(command)
				shown := out.show(view, func(io.Writer) { printUser(out, view) }) // all but the outcomes is known
				return errors.Join(shown, explainRecords("", err))
			})
		},
	}
	addReveal(command.Flags(), &reveal)
	command.Flags().IntVar(&limit, "limit", limit, "outcomes shown at most")
	return command
}

func printUser(o output, v operator.UserView) {
	terminal.Heading(o.w, "user "+printable(v.ID))
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintln(o.w, o.indent(fmt.Sprintf("  %-9s ", name), printable(value)))
		}
	}
	field("token", tokenText(v))
	field("", v.Token.Problem())
	for i, line := range removedTexts(v) {
		field([]string{"removed", ""}[min(i, 1)], line)
	}
	field("profile", profileText(v.Profile, v.ProfileErr))
	switch {
	case v.SuppressedErr != nil:
		field("pushes", "unknown whether the user is suppressed: "+v.SuppressedErr.Error())
	case v.Suppressed:
		field("pushes", "none: the user is suppressed; see fanfare suppress remove")
	}
	for _, text := range capTexts(v) {
		field("cap", text)
	}
	fmt.Fprintln(o.w)
	if v.HasDevices() {
		printDevices(o, v)
	}
	switch {
	case !v.Recorded:
		fmt.Fprintln(o.w, "no database is configured, so outcomes are unknown")
	case v.OutcomesErr != nil:
		fmt.Fprintln(o.w, o.indent("outcomes are unknown: ", printable(v.OutcomesErr.Error())))
	case len(v.Outcomes) == 0:
		fmt.Fprintln(o.w, "no outcomes in SQL")
	default:
		printOutcomeRows(o, v)
	}
	if v.Recorded && v.Unwritten > 0 {
		fmt.Fprintf(o.w, "\n%s of all users not in SQL yet; some may be of this one\n", plural(v.Unwritten, "result"))
	}
}

// capTexts says for each cap how many pushes count, and when the next one may go.
func capTexts(v operator.UserView) (all []string) {
	if v.CapsErr != nil {
		return []string{"unknown: " + v.CapsErr.Error()}
	}
	for _, u := range v.Caps {
		text := fmt.Sprintf("%s: %d used", u.Cap, u.Used)
		switch {
		case !u.FreesAt.IsZero():
			text += "; the next push may go at " + localTime(u.FreesAt)
		case u.Used > 0:
			text += "; the oldest counts until " + localTime(u.OldestUntil)
		}
		all = append(all, text)
	}
	return all
}

func tokenText(v operator.UserView) string {
	switch {
	case v.TokenErr != nil:
		return "unknown: " + v.TokenErr.Error()
	case v.Token.IsZero():
		return "none"
	case v.Reveal:
		return v.TokenText()
	}
	return v.TokenText() + " (shortened; --reveal shows it)"
}

// printDevices prints the devices that a push would use, the last used first.
func printDevices(o output, v operator.UserView) {
	address := column{name: "DEVICE"} // never shortened: a revealed one is for copying
	t := o.newTable(address, textColumn("KIND"), textColumn("PLATFORM"), momentColumn("LAST USE"), textColumn("LOCALE"))
	for _, d := range v.Devices {
		t.add(v.AddressText(d), operator.KindOf(d.Target), cmp.Or(d.Platform, "–"), cmp.Or(localTime(d.LastSeen), "–"), cmp.Or(d.Locale, "–"))
	}
	t.print()
	fmt.Fprintln(o.w)
}

// removedTexts says which addresses were removed as dead, a line for each.
func removedTexts(v operator.UserView) []string {
	if v.RemovedErr != nil {
		return []string{"unknown: " + v.RemovedErr.Error()}
	}
	var lines []string
	for _, r := range v.Removed {
		text := fmt.Sprintf("%s %s at %s", operator.KindOf(r.Token), r.Token, localTime(r.At))
		if r.Campaign != "" {
			text += ", by campaign " + r.Campaign
		}
		lines = append(lines, text)
	}
	if len(lines) > 0 {
		lines[len(lines)-1] += "; see fanfare tokens restore"
	}
	return lines
}

// profileText lists the fields of a profile in one line.
func profileText(p profiles.Profile, err error) string {
	switch {
	case err != nil:
		return "unknown: " + err.Error()
	case p == nil:
		return "none"
	}
	fields := make([]string, 0, len(p))
	for _, name := range slices.Sorted(maps.Keys(p)) {
		fields = append(fields, name+" "+jsonText(p[name]))
	}
	return strings.Join(fields, ", ")
}

// jsonText returns a JSON string without its quotes, and other values as they are.
func jsonText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

func printOutcomeRows(o output, v operator.UserView) {
	t := o.newTable(momentColumn("AT"), idColumn("CAMPAIGN"), textColumn("OUTCOME"), textColumn("CODE"), numberColumn("ATTEMPTS").onlyWide(),
		textColumn("VARIANT").onlyWide(), textColumn("LANGUAGE").onlyWide(), textColumn("REASON"))
	for _, r := range v.Outcomes {
		reason := cmp.Or(r.Error, r.MessageID)
		if r.TokenRemoved {
			reason = strings.TrimSpace(reason + " (token removed)")
		}
		t.add(localTime(r.At), r.CampaignID, string(r.Status), cmp.Or(r.ErrorCode, "–"), fmt.Sprint(r.Attempts),
			cmp.Or(r.Variant, "–"), cmp.Or(r.Locale, "–"), reason)
	}
	t.print()
	if v.More {
		fmt.Fprintf(o.w, "\nthe newest %s are shown; --limit shows more\n", operator.Thousands(len(v.Outcomes)))
	}
}
