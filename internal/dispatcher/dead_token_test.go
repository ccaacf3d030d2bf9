package dispatcher

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

// The element's token and the one in Redis are both dead: the result names the one that SQL holds,
// which is cleared by it.
func TestOfTwoDeadTokensTheOneInSQLIsReported(t *testing.T) {
	for inSQL, want := range map[string]string{"first": "first", "second": "second", "": "second"} {
		t.Run(inSQL, func(t *testing.T) {
			w := newWorld(t)
			source := tokensOf{"u1": inSQL}
			w.deps.Tokens = must(tokens.New(must(w.client())(t), w.deps.Names, source, tokens.Options{}))(t)
			w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u1","fcmToken":"first"}`)
			w.redis.Set("user:u1:token", "second")
			w.sender.answer = refuse(fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED", HTTPStatus: 404})
			if err := w.job("42"); err != nil {
				t.Fatal(err)
			}
			if r := w.results()["u1"]; !r.TokenRemoved || r.Token != want || r.Attempts != 2 {
				t.Errorf("result %+v, want %q removed after two attempts", r, want)
			}
		})
	}
}

// tokensOf is a database that holds some users' tokens.
type tokensOf map[string]string

func (s tokensOf) Tokens(context.Context, []string) (map[string]string, error) { return s, nil }

// A budget that allows nothing, or that cannot be asked, keeps dead tokens. Redis and SQL hold
// different ones: each is tried once.
func TestSparedTokensAreTriedOnce(t *testing.T) {
	for name, away := range map[string]bool{"budget spent": false, "budget cannot be asked": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			source := tokensOf{"u1": "in-sql"}
			w.deps.Tokens = must(tokens.New(must(w.client())(t), w.deps.Names, source, tokens.Options{}))(t)
			budget := redis.NewClient(&redis.Options{Addr: w.redis.Addr()})
			t.Cleanup(func() { _ = budget.Close() })
			if away {
				_ = budget.Close()
			}
			w.deps.Deletions = must(breaker.NewDeletions(budget, w.deps.Names.Project("p"), breaker.DeletionsOptions{Logger: w.deps.Logger}))(t)
			w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u1"}`)
			w.redis.Set("user:u1:token", "in-redis")
			w.sender.answer = refuse(fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED", HTTPStatus: 404})
			if err := w.job("42"); err != nil {
				t.Fatal(err)
			}
			if r := w.results()["u1"]; r.TokenRemoved || r.Attempts != 2 || w.sender.requests("in-redis") != 1 || w.sender.requests("in-sql") != 1 {
				t.Errorf("result %+v after %d requests, want two attempts, and no token removed", r, w.sender.total())
			}
			if held, err := w.redis.Get("user:u1:token"); err != nil || held != "in-redis" {
				t.Errorf("Redis holds the token %q (%v), want it kept", held, err)
			}
		})
	}
}

// FCM accepting a personal message says nothing of another one: a refusal that names no field is no
// proof against the token.
func TestPersonalMessageProvesNoTokenDead(t *testing.T) {
	for message, removed := range map[string]bool{
		`{"notification":{"title":"Hello {{name}}"}}`: false,
		`{"notification":{"title":"Hello"}}`:          true,
	} {
		w := newWorld(t)
		w.options.Concurrency, w.options.Claim = 1, 1 // one after the other
		w.campaign(campaign.Spec{ID: "42", Message: []byte(message)},
			`{"userId":"u1","fcmToken":"good","vars":{"name":"A"}}`, `{"userId":"u2","fcmToken":"refused","vars":{"name":"B"}}`)
		w.redis.Set("user:u2:token", "refused")
		w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
			if token == "refused" {
				return fcm.Answer{Class: fcm.BadTarget, Code: "INVALID_ARGUMENT", HTTPStatus: 400}
			}
			return accepted(ctx, token)
		}
		if err := w.job("42"); err != nil {
			t.Fatal(err)
		}
		if r := w.results()["u2"]; r.Status != notification.StatusFailed || r.TokenRemoved != removed || w.redis.Exists("user:u2:token") == removed {
			t.Errorf("%s: result %+v, token in Redis: %t; want it removed: %t", message, r, w.redis.Exists("user:u2:token"), removed)
		}
	}
}

func TestStaleElementTokenGivesWayToTheStoredOne(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"moved","fcmToken":"old"}`, `{"userId":"gone","fcmToken":"dead"}`)
	w.redis.Set("user:moved:token", "new")
	w.redis.Set("user:gone:token", "dead")
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if token == "new" {
			return accepted(ctx, token)
		}
		return fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED", Detail: "not registered"}
	}
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	results := w.results()
	if r := results["moved"]; r.Status != notification.StatusSent || !r.TokenRemoved || r.Token != "old" || r.Attempts != 2 {
		t.Errorf("moved: %+v", r)
	}
	if r := results["gone"]; r.Status != notification.StatusFailed || r.ErrorCode != "UNREGISTERED" || !r.TokenRemoved || r.Token != "dead" {
		t.Errorf("gone: %+v", r)
	}
	if token := must(w.redis.Get("user:moved:token"))(t); token != "new" {
		t.Errorf("the refreshed token became %q", token)
	}
	if w.redis.Exists("user:gone:token") {
		t.Error("the dead token is still stored")
	}
}

// A stale token in the element and a database that is down: whether there is another token is not
// known yet.
func TestDeadTokenWaitsForTheDatabase(t *testing.T) {
	w := newWorld(t)
	source := &flakySource{}
	w.deps.Tokens = must(tokens.New(must(w.client())(t), w.deps.Names, source, tokens.Options{}))(t)
	w.options.Retry.Outage = time.Millisecond
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u1","fcmToken":"old"}`)
	w.redis.Set("user:u1:token", "older")
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if token == "token-u1" {
			return accepted(ctx, token)
		}
		return fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED"}
	}
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	if r := w.results()["u1"]; r.Status != notification.StatusSent || !r.TokenRemoved {
		t.Errorf("u1: %+v, want sent to the token that SQL holds", r)
	}
}

func TestNoOneIsSkippedWhileTheDatabaseIsDown(t *testing.T) {
	w := newWorld(t)
	source := &flakySource{}
	w.deps.Tokens = must(tokens.New(must(w.client())(t), w.deps.Names, source, tokens.Options{}))(t)
	w.options.Retry.Outage = time.Millisecond
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u1"}`, `{"userId":"stranger"}`)
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	results := w.results()
	if r := results["u1"]; r.Status != notification.StatusSent || r.Attempts != 1 {
		t.Errorf("u1: %+v", r)
	}
	if r := results["stranger"]; r.Status != notification.StatusSkipped || r.ErrorCode != notification.CodeNoToken {
		t.Errorf("stranger: %+v", r)
	}
	if source.calls.Load() < 3 {
		t.Errorf("the database was asked %d times, want it down twice first", source.calls.Load())
	}
}

// flakySource is down for its first two queries.
type flakySource struct{ calls atomic.Int64 }

func (s *flakySource) Tokens(context.Context, []string) (map[string]string, error) {
	if s.calls.Add(1) <= 2 {
		return nil, errDown
	}
	return map[string]string{"u1": "token-u1"}, nil
}
