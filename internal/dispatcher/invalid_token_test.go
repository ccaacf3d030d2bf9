package dispatcher

import (
	"context"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

const spoiled = "two words"

// What stands around a token is not sent; what can be no token is not sent at all, and gives way to
// what else is stored.
func TestOnlyTokensAreSent(t *testing.T) {
	for name, c := range map[string]struct {
		element, redis, sql string
		sent, code          string
	}{
		"line break in the element": {element: `"tok\r\n"`, sent: "tok"},
		"quotes in Redis":           {redis: `"tok"`, sent: "tok"},
		"byte order mark in SQL":    {sql: "\ufefftok", sent: "tok"},
		"Redis is better":           {element: `"two words"`, redis: "tok", sent: "tok"},
		"SQL is better":             {element: `"null"`, redis: spoiled, sql: "tok\n", sent: "tok"},
		"element alone":             {element: `"two words"`, code: notification.CodeInvalidToken},
		"all of them":               {element: `"a,b"`, redis: spoiled, sql: "null", code: notification.CodeInvalidToken},
		"SQL alone":                 {sql: spoiled, code: notification.CodeInvalidToken},
		"only white space":          {element: `" \t"`, redis: "\r\n", code: notification.CodeNoToken},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.deps.Tokens = must(tokens.New(must(w.client())(t), w.deps.Names, tokensOf{"u1": c.sql}, tokens.Options{}))(t)
			element := `{"userId":"u1"}`
			if c.element != "" {
				element = `{"userId":"u1","fcmToken":` + c.element + `}`
			}
			if c.redis != "" {
				w.redis.Set("user:u1:token", c.redis)
			}
			w.campaign(campaign.Spec{ID: "42"}, element)
			if err := w.job("42"); err != nil {
				t.Fatal(err)
			}
			r := w.results()["u1"]
			if sent := w.sender.requests(c.sent); w.sender.total() != sent || (sent == 1) != (c.sent != "") {
				t.Errorf("%d requests, %d to the token", w.sender.total(), sent)
			}
			if r.ErrorCode != c.code || r.TokenRemoved || r.Token != "" || (r.Status == notification.StatusSent) != (c.sent != "") {
				t.Errorf("result %+v", r)
			}
			if c.redis != "" && c.redis != must(w.redis.Get("user:u1:token"))(t) {
				t.Errorf("Redis holds another token")
			}
		})
	}
}

// A token that was trimmed proves dead: what is compared with is what is stored. A bare 400 proves
// nothing about it.
func TestDeadTokensAreReportedAsStored(t *testing.T) {
	for name, c := range map[string]struct {
		stored string
		answer fcm.Answer
		want   string // reported as removed
	}{
		"unregistered": {"tok\r\n", fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED", HTTPStatus: 404}, "tok\r\n"},
		"with a NUL":   {"tok\x00", fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED", HTTPStatus: 404}, "tok"},
		"bare 400":     {"tok\r\n", fcm.Answer{Class: fcm.BadTarget, Code: "INVALID_ARGUMENT", HTTPStatus: 400}, ""},
		"URL-encoded":  {"tok%0A", fcm.Answer{Class: fcm.BadTarget, Code: "INVALID_ARGUMENT", HTTPStatus: 400}, ""},
		"padded":       {"tok=", fcm.Answer{Class: fcm.BadTarget, Code: "INVALID_ARGUMENT", HTTPStatus: 400}, ""},
		"of it alone":  {"tok", fcm.Answer{Class: fcm.BadTarget, Code: "INVALID_ARGUMENT", HTTPStatus: 400}, "tok"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.redis.Set("user:u1:token", c.stored)
			w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u0","fcmToken":"good"}`, `{"userId":"u1"}`)
			w.options.Concurrency = 1 // one after the other: the message is accepted first
			w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
				if token == "good" {
					return accepted(ctx, token)
				}
				return c.answer
			}
			if err := w.job("42"); err != nil {
				t.Fatal(err)
			}
			if r := w.results()["u1"]; r.TokenRemoved != (c.want != "") || r.Token != c.want || r.Status != notification.StatusFailed {
				t.Errorf("result %+v", r)
			}
			if w.redis.Exists("user:u1:token") != (c.want == "") {
				t.Errorf("Redis holds the token: %v", c.want != "")
			}
		})
	}
}

// A token that an element carries is not replaced by one that is stored, though another element of
// the user carries none.
func TestTokenOfTheElementGoesFirst(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"a","fcmToken":"carried"}`, `{"userId":"a"}`)
	if err := w.redis.Set("user:a:token", "stored"); err != nil {
		t.Fatal(err)
	}
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	if carried, stored := w.sender.requests("carried"), w.sender.requests("stored"); carried != 1 || stored != 1 {
		t.Errorf("%d pushes to the token carried, %d to the one stored, want one each", carried, stored)
	}
}
