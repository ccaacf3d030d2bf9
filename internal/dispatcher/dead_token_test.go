package dispatcher

import (
	"context"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/tokens"
)

// The element's token and the one in Redis are both dead: the result names the one that SQL holds, which is cleared by it.
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
