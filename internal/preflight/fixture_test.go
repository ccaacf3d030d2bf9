package preflight

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/fcmsim"
	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/fcm"
	"fanfare/internal/fleet"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/profiles"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a checker with a Redis of its own, a simulated FCM and the project's governor.
type stage struct {
	*testing.T
	checker  *Checker
	rdb      redis.UniversalClient
	sim      *fcmsim.Simulator
	governor *pacing.Governor
	options  Options
}

func openStage(t *testing.T) stage {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: servers.Redis(t)})
	t.Cleanup(func() { _ = rdb.Close() })
	names := keys.Default()
	deps := Deps{}
	var err error
	deps.Campaigns, err = campaign.New(rdb, names, campaign.Options{})
	ok(t, err)
	deps.Tokens, err = tokens.New(rdb, names, nil, tokens.Options{})
	ok(t, err)
	deps.Profiles, err = profiles.New(rdb, names, nil, profiles.Options{})
	ok(t, err)
	deps.Suppressed = suppression.New(rdb, names, nil)
	breakers, err := breaker.New(rdb, breaker.DefaultOptions())
	ok(t, err)
	deps.Operator = operator.New(operator.Deps{
		Redis: rdb, Names: names, Campaigns: deps.Campaigns, Breakers: breakers, Tokens: deps.Tokens, Profiles: deps.Profiles,
		Fleet: fleet.New(rdb, names),
	})
	sim, sender := simulatedFCM(t, fcm.ClientOwn)
	governor, err := pacing.New(rdb, names.Project("demo"), pacing.DefaultOptions())
	ok(t, err)
	running, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { governor.Run(running) })
	t.Cleanup(group.Wait)
	t.Cleanup(stop)
	options := DefaultOptions()
	options.Validator, options.Pacer, options.Limit = sender, governor, breakers.Limit
	return stage{t, New(deps), rdb, sim, governor, options}
}

func simulatedFCM(t *testing.T, client string) (*fcmsim.Simulator, *fcm.Sender) {
	t.Helper()
	sim, err := fcmsim.New(fcmsim.Options{})
	ok(t, err)
	srv, err := sim.Start(context.WithoutCancel(t.Context()), fcmsim.Listen{Admin: fcmsim.Off})
	ok(t, err)
	t.Cleanup(func() { _ = srv.Close() })
	sender, err := fcm.New(t.Context(), fcm.Options{
		Client: client, ProjectID: "demo", Endpoint: srv.URLs.TLS, RootCAs: srv.CAFile, Logger: slog.New(slog.DiscardHandler),
	})
	ok(t, err)
	t.Cleanup(func() { _ = sender.Close() })
	return sim, sender
}

// create makes a campaign and moves it through states.
func (s stage) create(id, message string, states ...campaign.State) {
	s.Helper()
	ok(s.T, s.checker.deps.Campaigns.Create(s.Context(), campaign.Spec{ID: id, Message: notification.Message(message)}))
	for _, state := range states {
		ok(s.T, s.checker.deps.Campaigns.Move(s.Context(), id, state, ""))
	}
}

// preflight checks a new campaign with an audience of elements.
func (s stage) preflight(message string, elements ...string) Report {
	s.Helper()
	s.create("42", message)
	for _, element := range elements {
		ok(s.T, s.rdb.RPush(s.Context(), "campaign:42", element).Err())
	}
	report, err := s.checker.Run(s.Context(), "42", s.options)
	ok(s.T, err)
	return report
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[V comparable](t *testing.T, what string, got, want V) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// mentions fails the test unless the error contains all texts.
func mentions(t *testing.T, err error, all ...string) {
	t.Helper()
	for _, want := range all {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// wantFinding fails the test unless a finding has the grade and contains the text. A finding that
// is not good must have advice.
func wantFinding(t *testing.T, all []checks.Finding, name string, grade checks.Grade, says string) {
	t.Helper()
	for _, f := range all {
		if f.Name != name {
			continue
		}
		if f.Grade != grade || !strings.Contains(f.Detail+" "+f.Advice, says) || grade != checks.Good && f.Advice == "" {
			t.Errorf("got %+v, want %s that says %q", f, grade, says)
		}
		return
	}
	t.Errorf("no finding about %s: %+v", name, all)
}
