package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/schedule"
)

// timeOptions are the flags about when recipients are sent to.
type timeOptions struct {
	startAt, localTime, timeZone, quiet string
	windows                             []string
}

func (o *timeOptions) addTo(f *pflag.FlagSet) {
	f.StringVar(&o.startAt, "start-at", none, "a `moment` at which the campaign starts by itself, such as 2030-01-31T18:00:00+07:00, or none")
	f.StringArrayVar(&o.windows, "window", []string{none}, "a `window` in which recipients are sent to, by their own clock, such as 09:00-21:00 or mon-fri 09:00-21:00; several may be given; or none")
	f.StringVar(&o.localTime, "local-time", none, "a local `time` wherever recipients are, such as 2030-01-31T18:00, tue 18:00, or 09:00±10m; or none")
	f.StringVar(&o.timeZone, "time-zone", none, "the time `zone` of recipients whose own is unknown, such as Asia/Saigon, or none for UTC")
	f.StringVar(&o.quiet, "quiet-hours", none, "keep the quiet hours in `profiles`: own, or such as 22:00-07:00, which then holds for users without any; or none")
}

// times are the values of the flags. A local time depends on the start: see readLocal and
// readLocalTime.
type times struct {
	startAt time.Time
	windows schedule.Windows
	local   schedule.LocalTime
	zone    string
	quiet   campaign.QuietHours
}

// given is the text of a flag; "" for none.
func given(text string) string {
	if text == none {
		return ""
	}
	return text
}

func (o *timeOptions) parse() (t times, err error) {
	if t.startAt, err = campaign.ParseDeadline(given(o.startAt)); err != nil {
		return t, wrongOption("start-at", err.Error())
	}
	if len(o.windows) != 1 || o.windows[0] != none {
		if t.windows, err = schedule.ParseWindows(strings.Join(o.windows, ";")); err != nil {
			return t, wrongOption("window", err.Error())
		}
	}
	if t.zone, err = campaign.ParseTimeZone(given(o.timeZone)); err != nil {
		return t, wrongOption("time-zone", err.Error())
	}
	if t.quiet, err = campaign.ParseQuietHours(given(o.quiet)); err != nil {
		return t, wrongOption("quiet-hours", err.Error())
	}
	return t, nil
}

// readLocal adds the local time of a new campaign, seen from its start.
func (o *timeOptions) readLocal(t *times) (err error) {
	if t.local, err = schedule.ParseLocalFrom(given(o.localTime), time.Now(), t.startAt); err != nil {
		return wrongOption("local-time", err.Error())
	}
	return nil
}

// change sets what the given flags change. It does not read a local time yet.
func (o *timeOptions) change(command *cobra.Command, c *campaign.Change) error {
	t, err := o.parse()
	f := command.Flags()
	c.StartAt = ifChanged(f, "start-at", &t.startAt)
	c.Windows = ifChanged(f, "window", &t.windows)
	c.LocalTime = ifChanged(f, "local-time", &t.local)
	c.TimeZone = ifChanged(f, "time-zone", &t.zone)
	c.QuietHours = ifChanged(f, "quiet-hours", &t.quiet)
	return err
}

// readLocalTime reads the local time of a change. It is seen from the start of the campaign, which
// may be stored already.
func (o *timeOptions) readLocalTime(ctx context.Context, op *operator.Operator, id string, c *campaign.Change) error {
	if c.LocalTime == nil {
		return nil
	}
	local, err := op.ReadLocalTime(ctx, id, given(o.localTime), c.StartAt)
	c.LocalTime = &local
	return err
}

// printTimes prints the time rules of a campaign.
func printTimes(field func(name, value string), v operator.View) {
	s := v.Spec
	if s.IsScheduled() {
		field("starts", localTime(s.StartAt))
	}
	for _, window := range s.Windows.Texts() {
		field("window", window)
	}
	field("local time", s.LocalTime.String())
	field("time zone", s.TimeZone)
	field("quiet hours", s.QuietHours.String())
	for _, o := range v.Oddities() {
		field(o.Subject, plural(o.N, "recipient")+" "+o.What)
	}
}

// timesText returns the time rules that "set" can change, in one line.
func timesText(s campaign.Spec) []string {
	var all []string
	if s.IsScheduled() {
		all = append(all, "start at "+localTime(s.StartAt))
	}
	if !s.Windows.IsZero() {
		all = append(all, "windows "+s.Windows.String())
	}
	if !s.LocalTime.IsZero() {
		all = append(all, "local time "+s.LocalTime.String())
	}
	if s.TimeZone != "" {
		all = append(all, "time zone "+s.TimeZone)
	}
	if !s.QuietHours.IsZero() {
		all = append(all, "quiet hours "+s.QuietHours.String())
	}
	return all
}

// dueWidth is the longest bar of a histogram.
const dueWidth = 30

// printDue prints a histogram of the times at which recipients are due.
func printDue(o output, slots []operator.DueSlot) {
	if len(slots) == 0 {
		return
	}
	var most int64
	for _, slot := range slots {
		most = max(most, slot.N)
	}
	fmt.Fprintln(o.w, "\ndue:")
	for _, slot := range slots {
		label := localTime(slot.From)
		if slot.Until.IsZero() {
			label = "after " + label
		}
		bar := strings.Repeat("█", max(1, int(dueWidth*slot.N/most)))
		fmt.Fprintf(o.w, "  %-32s %12s %s\n", label, operator.Thousands(slot.N), bar)
	}
}

// printWaves prints how punctual the waves were that have been sent.
func printWaves(o output, waves []campaign.Wave) {
	if len(waves) == 0 {
		return
	}
	fmt.Fprintln(o.w, "\nwaves:")
	for _, w := range waves {
		share := func(n int64) string { return fmt.Sprintf("%.0f%%", 100*float64(n)/float64(max(1, w.Sent))) }
		fmt.Fprintf(o.w, "  %-32s %12s sent; within a minute %s, 5 minutes %s, 15 minutes %s, an hour %s\n", localTime(w.Opens),
			operator.Thousands(w.Sent), share(w.Within1m), share(w.Within5m), share(w.Within15m), share(w.Within1h))
	}
}

var errNoChange = errors.New("nothing to change: give --message, --weight, --priority, --rate, --deadline, --start-at, --window, --local-time, --time-zone, --quiet-hours, --source, --project, --devices, --dedupe, --kind or --on-ambiguous")
