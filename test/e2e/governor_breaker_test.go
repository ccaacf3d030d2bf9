package e2e

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fanfare/test/servers"
)

// canary is how many pushes of a campaign go out alone by default.
const canary = 100

// TestWrongMessageStops makes FCM refuse the message. A Job ends with the reason, and only the
// canary is sent to. After the message is fixed, the campaign continues with a new canary.
func TestWrongMessageStops(t *testing.T) {
	t.Parallel()
	const n = 1000
	s := servers.NewSystem(t, programs, servers.SystemOptions{Simulator: []string{"--latency", "10ms"}})
	s.Sim.Rules(`{"outcomes":[{"code":"INVALID_PAYLOAD","share":1}]}`)
	s.Campaign("42", audience(n))
	beside := s.Start(nil, "dispatcher")
	job := s.Job("42")
	job.ExpectExit(4)
	if !strings.Contains(job.Log(), "bad_message") {
		t.Errorf("the log says %q, want the reason", job.Log())
	}
	checkStopped(t, s, n, "bad_message")
	refused := s.Show("42").Books.Failed

	s.Sim.Rules(`{}`)
	s.Fanfare("campaign", "resume", "42")
	checkCampaign(t, s, "42", "completed")
	stop(beside)
	checkOnce(t, s, n-refused)
}

// checkStopped wants the campaign to be paused for a reason within its canary, and everyone else to
// wait in the old order.
func checkStopped(t *testing.T, s *servers.System, n int64, reason string) {
	t.Helper()
	var view servers.View
	s.Eventually("what was claimed is back", func() bool {
		view = s.Show("42")
		return view.Books.InFlight == 0
	})
	if view.State != "paused" || !strings.Contains(view.Reason, reason) {
		t.Errorf("the campaign is %s (%s), want it paused for %s", view.State, view.Reason, reason)
	}
	if requests := s.Sim.Counts().Requests; requests > canary || view.Books.Failed != requests || view.Books.Waiting != n-requests {
		t.Errorf("books %+v after %d requests, want no more than the canary of %d, and the others waiting", view.Books, requests, canary)
	}
	if left := waiting(t, s, "42"); !slices.IsSorted(left) || int64(len(left)) != view.Books.Waiting {
		t.Errorf("%d wait in the order %v, want %d in that of the audience", len(left), left, view.Books.Waiting)
	}
}

// users stores n users with tokens of a stem, half of them in Redis and all in SQL. It returns the
// audience, which names no token.
func users(t *testing.T, s *servers.System, db *sql.DB, stem string, n int) (audience string) {
	t.Helper()
	lines := []string{"userId"}
	for i := range n {
		user := fmt.Sprintf("%s%04d", stem, i)
		if i%2 == 0 {
			store(t, s, "user:"+user+":token", stem+"-"+user)
		}
		execute(t, db, `INSERT INTO users (id, fcm_token) VALUES ($1, $2)`, user, stem+"-"+user)
		lines = append(lines, user)
	}
	return strings.Join(lines, "\n") + "\n"
}

// tokensLeft counts the tokens of a stem in Redis and in SQL.
func tokensLeft(t *testing.T, s *servers.System, db *sql.DB, stem string) (inRedis, inSQL int) {
	t.Helper()
	keys, err := s.Redis.Keys(t.Context(), "user:"+stem+"*:token").Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRowContext(t.Context(), `SELECT count(fcm_token) FROM users WHERE id LIKE $1`, stem+"%").Scan(&inSQL); err != nil {
		t.Fatal(err)
	}
	return len(keys), inSQL
}

// TestAnotherProjectsTokens sends to an audience of another project. No one's token is deleted, in
// Redis or in SQL.
func TestAnotherProjectsTokens(t *testing.T) {
	t.Parallel()
	const n = 300
	s, db := newSystem(t, servers.SystemOptions{})
	s.Campaign("42", users(t, s, db, "mismatch", n))
	responder := s.Start(nil, "responder")
	job := s.Job("42")
	job.ExpectExit(4)
	checkStopped(t, s, n, "sender_mismatch")
	servers.AwaitSummary(t, db, "42", s.Show("42").Books.Failed)
	stop(responder)
	// Those that were looked up are in Redis besides.
	if inRedis, inSQL := tokensLeft(t, s, db, "mismatch"); inRedis < n/2 || inSQL != n {
		t.Errorf("%d tokens are left in Redis and %d in SQL, want no fewer than the %d and %d that there were", inRedis, inSQL, n/2, n)
	}
	for _, d := range servers.Deliveries(t, db, "42") {
		if d.TokenRemoved || d.Code != "SENDER_ID_MISMATCH" {
			t.Errorf("row %+v, want a mismatch, and no token removed", d)
		}
	}
}

// TestTokensComeBack has a campaign remove tokens, and takes that back.
func TestTokensComeBack(t *testing.T) {
	t.Parallel()
	const dead = 40
	s, db := newSystem(t, servers.SystemOptions{})
	s.Campaign("42", users(t, s, db, "dead", dead)+strings.TrimPrefix(users(t, s, db, "ok", 60), "userId\n"))
	responder := s.Start(nil, "responder")
	s.Job("42").ExpectExit(0)
	servers.AwaitSummary(t, db, "42", 100)
	stop(responder)
	if inRedis, inSQL := tokensLeft(t, s, db, "dead"); inRedis != 0 || inSQL != 0 {
		t.Fatalf("%d dead tokens are left in Redis and %d in SQL, want none", inRedis, inSQL)
	}
	s.Fanfare("tokens", "restore", "--campaign", "42")
	if inRedis, inSQL := tokensLeft(t, s, db, "dead"); inRedis != dead || inSQL != dead {
		t.Errorf("%d tokens are back in Redis and %d in SQL, want all of %d", inRedis, inSQL, dead)
	}
	if got := s.Redis.Get(t.Context(), "user:dead0001:token").Val(); got != "dead-dead0001" {
		t.Errorf("a user has the token %q back", got)
	}
}

// TestDeletionsHaveABudget lets a project lose ten tokens in an hour: the others are kept, and the
// rows tell which.
func TestDeletionsHaveABudget(t *testing.T) {
	t.Parallel()
	const dead, budget = 40, 10
	s, db := newSystem(t, servers.SystemOptions{Env: []string{
		fmt.Sprintf("FANFARE_BREAKER_DELETIONS_LEAST=%d", budget), "FANFARE_BREAKER_DELETIONS_PERCENT=0",
	}})
	s.Campaign("42", users(t, s, db, "dead", dead))
	servers.AvoidHourChange(t, s.Redis)
	responder := s.Start(nil, "responder")
	s.Job("42").ExpectExit(0)
	servers.AwaitSummary(t, db, "42", dead)
	stop(responder)
	removed := 0
	for _, d := range servers.Deliveries(t, db, "42") {
		if d.TokenRemoved {
			removed++
		}
		kept := s.Redis.Exists(t.Context(), "user:"+d.User+":token").Val() > 0
		if d.Status != "failed" || d.Code != "UNREGISTERED" || kept == d.TokenRemoved {
			t.Errorf("row %+v, and the token is in Redis: %v", d, kept)
		}
	}
	if _, inSQL := tokensLeft(t, s, db, "dead"); removed != budget || inSQL != dead-budget {
		t.Errorf("%d tokens are removed and %d left in SQL, want %d and %d", removed, inSQL, budget, dead-budget)
	}
}

// TestBrokenCredentialsResumeByThemselves breaks the credentials in mid-campaign, in both places
// where they can break. The project is halted and no one fails; once they are fixed, all are sent
// to, without anyone's doing.
func TestBrokenCredentialsResumeByThemselves(t *testing.T) {
	for name, c := range map[string]struct{ broken, googles string }{
		"permission denied":  {`{"latency":"20ms","outcomes":[{"code":"PERMISSION_DENIED","share":1}]}`, "Permission 'cloudmessaging.messages.create' denied"},
		"bearer refused":     {`{"latency":"20ms","outcomes":[{"code":"UNAUTHENTICATED","share":1}]}`, "Request had invalid authentication credentials"},
		"no bearer any more": {`{"latency":"20ms","token":{"fault":"INVALID_GRANT"}}`, "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 1000 // five seconds, in which a bearer ends that lasts two
			account := filepath.Join(t.TempDir(), "account.json")
			s := servers.NewSystem(t, programs, servers.SystemOptions{
				Simulator: []string{"--latency", "20ms", "--require-auth", "--project", "e2e", "--credentials-file", account, "--token-lifetime", "2s"},
				Env:       []string{"GOOGLE_APPLICATION_CREDENTIALS=" + account, "FANFARE_PACING_PER_MINUTE=12000"},
			})
			s.Campaign("42", audience(n))
			dispatchers := replicas(s)
			s.Sim.AwaitAccepted(150)
			s.Sim.Rules(c.broken)
			var reasons []string
			s.Eventually("the project is halted", func() bool {
				reasons = halts(s)
				return len(reasons) > 0
			})
			if !strings.HasPrefix(reasons[0], "credentials refused") || !strings.Contains(reasons[0], c.googles) {
				t.Errorf("the project is halted for %q, want Google's own words in it: %q", reasons, c.googles)
			}
			// A replica whose bearer is still valid ends the halt, until its own bearer ends.
			s.Eventually("quota show tells what Google said", func() bool {
				return strings.Contains(strings.Join(strings.Fields(string(s.Fanfare("quota", "show"))), " "), c.googles)
			})
			if !strings.Contains(dispatchers[0].Log()+dispatchers[1].Log(), c.googles) {
				t.Errorf("the log does not tell what Google said, %q", c.googles)
			}
			if view := s.Show("42"); view.State != "running" || view.Books.Ended() != view.Books.Sent {
				t.Errorf("the campaign is %+v, want it to run, and none to have failed", view)
			}
			s.Sim.Rules(`{"latency":"20ms"}`)
			checkCampaign(t, s, "42", "completed")
			if reasons := halts(s); len(reasons) > 0 {
				t.Errorf("the project is still halted for %q", reasons)
			}
			stop(dispatchers...)
			checkOnce(t, s, n)
		})
	}
}

// halts are the reasons for which the project is halted.
func halts(s *servers.System) (reasons []string) {
	for _, halt := range s.Quota().Halts {
		reasons = append(reasons, halt.Reason)
	}
	return reasons
}

// TestPlatformIsKeptBack has Apple refuse the project's key. The others are served; Apple's users
// follow when the key is renewed and the campaign resumed, although it runs.
func TestPlatformIsKeptBack(t *testing.T) {
	t.Parallel()
	const pairs = 200
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Simulator: []string{"--latency", "10ms"}, Env: []string{"FANFARE_RETRY_KEPT_BACK=1h"}, // a resume does not wait for it
	})
	s.Sim.Rules(`{"latency":"10ms","prefixes":{"ios-":{"code":"THIRD_PARTY_AUTH_ERROR"}}}`)
	lines := []string{"userId,fcmToken,platform"}
	for i := range pairs {
		lines = append(lines, fmt.Sprintf("a%d,ok-%d,android", i, i), fmt.Sprintf("i%d,ios-%d,ios", i, i))
	}
	s.Campaign("42", strings.Join(lines, "\n")+"\n")
	dispatchers := replicas(s)
	var view servers.View
	s.Eventually("all of android are sent to, and no one else is", func() bool {
		view = s.Show("42")
		return view.Books.Sent == pairs && view.Books.InFlight == 0
	})
	refused := view.Books.Failed
	if view.State != "running" || refused == 0 || refused > canary || view.Books.Codes["failed:THIRD_PARTY_AUTH_ERROR"] != refused {
		t.Errorf("the campaign is %+v, want it to run, with some of ios refused within the canary of %d", view, canary)
	}
	if requests := s.Sim.Counts().Requests; requests != pairs+refused {
		t.Errorf("%d requests, want one to each of android and %d of ios", requests, refused)
	}
	s.Sim.Rules(`{"latency":"10ms"}`)
	s.Fanfare("campaign", "resume", "42")
	checkCampaign(t, s, "42", "completed")
	stop(dispatchers...)
	checkOnce(t, s, 2*pairs-refused)
}
