package preflight

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/schedule"
)

// Findings say in one line each what a plan lacks, and what helps.
func TestFindingsOfWaves(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 5, 0, 0, time.UTC)
	quarter := operator.PlannedWave{Opens: at.Add(10 * time.Minute), Zones: []string{"UTC"}, N: 1}
	plan := func(change func(p *operator.WavePlan)) *operator.WavePlan {
		p := &operator.WavePlan{Exact: true, Waves: []operator.PlannedWave{{Opens: at, Zones: []string{"UTC"}, N: 7}}, Ends: at.Add(time.Hour)}
		change(p)
		return p
	}
	avoids := pacing.State{Settings: pacing.Settings{AvoidQuarterHours: true}}
	for name, c := range map[string]struct {
		plan     *operator.WavePlan
		state    pacing.State
		deadline time.Time
		want     []string // name, grade, words of the detail, words of the advice
	}{
		"all fit": {plan(func(*operator.WavePlan) {}), pacing.State{}, time.Time{}, []string{
			"time zones|ok|read of all recipients|", "waves|ok|all 1 fit; the last push goes at " + operator.LocalTime(at.Add(time.Hour)) + "|", "deadline|ok|none|",
		}},
		"a sample": {plan(func(p *operator.WavePlan) { p.Exact = false }), pacing.State{}, at, []string{
			"time zones|ok|from a sample|", "waves|ok|all 1 fit|", "deadline|ok|" + operator.LocalTime(at) + "|",
		}},
		"bad zones": {plan(func(p *operator.WavePlan) { p.BadZones = 1200 }), pacing.State{}, time.Time{}, []string{
			"time zones|warning|all recipients; about 1,200 recipients have an unknown one|campaign's time zone", "waves|ok|all 1|", "deadline|ok|none|",
		}},
		"none opens": {plan(func(p *operator.WavePlan) { p.Waves = nil; p.Expired = 9 }), pacing.State{}, at, []string{
			"time zones|ok||", "waves|failure|before the deadline|move the deadline", "deadline|warning|" + operator.LocalTime(at) + "; about 9 recipients end as expired|widen",
		}},
		"too many": {plan(func(p *operator.WavePlan) { p.Unfit, p.Waves[0].Unsent = 3, 3 }), pacing.State{}, time.Time{}, []string{
			"time zones|ok||", "waves|failure|3|--late", "deadline|ok||",
		}},
		"some without a turn": {plan(func(p *operator.WavePlan) { p.NoTurn, p.Expired = 9, 9 }), pacing.State{}, at, []string{
			"time zones|ok||", "waves|failure|about 9 recipients have no window left|--late", "deadline|warning|about 9 recipients end as expired|widen",
		}},
		"while it is halted": {plan(func(*operator.WavePlan) {}), pacing.State{Halts: []pacing.Halt{{Reason: "by hand"}}}, time.Time{}, []string{
			"time zones|ok||", "waves|ok|, if the project is resumed now|", "deadline|ok|none|",
		}},
		"an open load": {plan(func(p *operator.WavePlan) { p.Exact, p.Unloaded = false, true }), pacing.State{}, time.Time{}, []string{
			"time zones|ok|not of those who are yet to be loaded|", "waves|warning|all 1 of the recipients in Redis fit|check again when the load is done", "deadline|ok|none|",
		}},
		"some go later": {plan(func(p *operator.WavePlan) { p.Later = 1200 }), pacing.State{}, time.Time{}, []string{
			"time zones|ok||", "waves|warning|about 1,200 recipients go in a later window|raise the quota", "deadline|ok|none|",
		}},
		"a quarter hour": {plan(func(p *operator.WavePlan) { p.Waves = append(p.Waves, quarter) }), pacing.State{}, time.Time{}, []string{
			"time zones|ok||", "waves|ok|all 2|", "deadline|ok||", "quarter hours|warning|a wave opens at 09:15 UTC|five minutes later",
		}},
		"an avoided one": {plan(func(p *operator.WavePlan) { p.Waves = append(p.Waves, quarter) }), avoids, time.Time{}, []string{
			"time zones|ok||", "waves|ok|all 2|", "deadline|ok||", "quarter hours|ok|09:15 UTC; the minutes around it are avoided|",
		}},
	} {
		found := waveFindings(c.plan, c.state, c.deadline)
		if len(found) != len(c.want) {
			t.Errorf("%s: %d findings, want %d: %+v", name, len(found), len(c.want), found)
			continue
		}
		for i, want := range c.want {
			w := strings.Split(want, "|")
			f := found[i]
			if f.Name != w[0] || f.Grade != checks.Grade(w[1]) || !strings.Contains(f.Detail, w[2]) || !strings.Contains(f.Advice, w[3]) || (f.Advice == "") != (w[3] == "") {
				t.Errorf("%s: %+v, want %s", name, f, want)
			}
		}
	}
}

// A scheduled campaign is planned in waves, which decide its end in place of the plain sum.
func TestPreflightOfASchedule(t *testing.T) {
	s := openStage(t)
	windows, err := schedule.ParseWindows("00:00-23:59")
	ok(t, err)
	ok(t, s.checker.deps.Campaigns.Create(t.Context(), campaign.Spec{ID: "42", Message: notification.Message(personal), Windows: windows}))
	for _, element := range append(people(3, "good-"), `{"userId":`) {
		ok(t, s.rdb.RPush(t.Context(), "campaign:42", element).Err())
	}
	report, err := s.checker.Run(t.Context(), "42", s.options)
	ok(t, err)
	wantFinding(t, report.Findings, "time zones", checks.Good, "")
	wantFinding(t, report.Findings, "waves", checks.Good, "fit")
	equal(t, "sampled", report.Sampled, 4)
	waves := report.Forecast.Waves
	if waves == nil || !report.Forecast.Ends.Equal(waves.Ends) || len(report.Forecast.Quarters) != 0 || report.Forecast.Late != waves.Expired {
		t.Errorf("the forecast is %+v, its waves are %+v", report.Forecast, waves)
	}
}

// A halted project has no end, and its campaigns are planned all the same: a halt hides nothing
// that does not fit.
func TestPreflightOfAScheduleWhileHalted(t *testing.T) {
	s := openStage(t)
	windows, err := schedule.ParseWindows("00:00-23:59")
	ok(t, err)
	ok(t, s.checker.deps.Campaigns.Create(t.Context(), campaign.Spec{ID: "42", Message: notification.Message(personal), Windows: windows}))
	ok(t, s.rdb.RPush(t.Context(), "campaign:42", people(1, "good-")[0]).Err())
	ok(t, s.governor.Halt(t.Context(), "by hand"))
	report, err := s.checker.Run(t.Context(), "42", s.options)
	ok(t, err)
	wantFinding(t, report.Findings, "pace", checks.Failure, "halted")
	wantFinding(t, report.Findings, "waves", checks.Good, "if the project is resumed now")
	equal(t, "has an end", report.Forecast.Ends.IsZero(), true)
}

// The rest of an audience whose load is held back is in no figure, and a check says so.
func TestPreflightOfAHeldLoad(t *testing.T) {
	s := openStage(t)
	windows, err := schedule.ParseWindows("00:00-23:59")
	ok(t, err)
	campaigns := s.checker.deps.Campaigns
	ok(t, campaigns.Create(t.Context(), campaign.Spec{ID: "42", Message: notification.Message(personal), Windows: windows}))
	load, err := campaigns.Load(t.Context(), "42", false)
	ok(t, err)
	ok(t, load.Append(t.Context(), [][]byte{[]byte(people(1, "good-")[0])}))
	_, err = load.Renew(t.Context(), 1)
	ok(t, err)
	report, err := s.checker.Run(t.Context(), "42", s.options)
	ok(t, err)
	wantFinding(t, report.Findings, "load", checks.Warning, "1 recipients so far")
	wantFinding(t, report.Findings, "time zones", checks.Good, "yet to be loaded")
	equal(t, "exact", report.Forecast.Waves.Exact, false)

	ok(t, load.Close(t.Context()))
	report, err = s.checker.Run(t.Context(), "42", s.options)
	ok(t, err)
	for _, f := range report.Findings {
		if f.Name == "load" {
			t.Errorf("a load that is done has the finding %+v", f)
		}
	}
	equal(t, "exact", report.Forecast.Waves.Exact, true)
}

// unknown is a pacer whose state cannot be read.
type unknown struct{ Pacer }

func (unknown) State(context.Context) (pacing.State, error) {
	return pacing.State{}, io.ErrUnexpectedEOF
}

// A pace that cannot be read is an error, and no forecast of an idle project.
func TestPreflightWithoutAPace(t *testing.T) {
	s := openStage(t)
	s.create("42", personal)
	s.options.Pacer = unknown{s.governor}
	if report, err := s.checker.Run(t.Context(), "42", s.options); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the report is %+v, %v", report, err)
	}
}
