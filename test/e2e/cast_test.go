package e2e

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"testing"

	"fanfare/test/servers"
)

// part is a kind of users, and what must become of each of them. Tokens are given as the stem that
// the user's id follows, which is what the simulator answers by; an empty stem is no token.
type part struct {
	users int

	element, redis, sql string // where the application has which token before the campaign
	city                source // where the user's city is known, which the message names

	status, code string
	reached      string // the token to which FCM accepts the message, exactly once; empty: no one is reached
	attempts     int
	removed      bool // a token was proven dead

	redisAfter, sqlAfter string
}

// source is where something is known of a user.
type source int

const (
	inAudience source = iota
	inRedis
	inSQL
	nowhere
)

// cast are all kinds of users that a campaign meets.
var cast = map[string]part{
	"plain":    {users: 200, element: "ok-", status: "sent", reached: "ok-", attempts: 1},
	"cached":   {users: 30, redis: "ok-", status: "sent", reached: "ok-", attempts: 1, redisAfter: "ok-"},
	"indb":     {users: 30, sql: "ok-", status: "sent", reached: "ok-", attempts: 1, redisAfter: "ok-", sqlAfter: "ok-"},
	"nobody":   {users: 20, status: "skipped", code: "NO_TOKEN"},
	"shaky":    {users: 10, element: "unavailable2-", status: "sent", reached: "unavailable2-", attempts: 3},
	"quota":    {users: 10, element: "quota1-", status: "sent", reached: "quota1-", attempts: 1},
	"mismatch": {users: 10, element: "mismatch-", redis: "mismatch-", status: "failed", code: "SENDER_ID_MISMATCH", attempts: 1, redisAfter: "mismatch-"},
	"missing":  {users: 10, element: "missing-", redis: "missing-", status: "failed", code: "NOT_FOUND", attempts: 1, redisAfter: "missing-"},
	"apns":     {users: 10, element: "apns-auth-", status: "failed", code: "THIRD_PARTY_AUTH_ERROR", attempts: 1},

	"profiled":  {users: 10, city: inRedis, element: "ok-", status: "sent", reached: "ok-", attempts: 1},
	"described": {users: 10, city: inSQL, element: "ok-", sql: "ok-", status: "sent", reached: "ok-", attempts: 1, sqlAfter: "ok-"},
	"faceless":  {users: 10, city: nowhere, element: "ok-", status: "sent", reached: "ok-", attempts: 1},

	// Proven dead: gone everywhere.
	"dead":       {users: 20, element: "dead-", redis: "dead-", sql: "dead-", status: "failed", code: "UNREGISTERED", attempts: 1, removed: true},
	"deadindb":   {users: 10, sql: "dead-", status: "failed", code: "UNREGISTERED", attempts: 1, removed: true},
	"deadunseen": {users: 10, element: "dead-", status: "failed", code: "UNREGISTERED", attempts: 1, removed: true},
	// The element's token is dead, and the stored one is another: that one is tried, and stays.
	"stale": {users: 10, element: "dead-", redis: "fresh-", sql: "fresh-", status: "sent", reached: "fresh-", attempts: 2, removed: true, redisAfter: "fresh-", sqlAfter: "fresh-"},
	"moved": {users: 10, redis: "dead-", sql: "fresh-", status: "sent", reached: "fresh-", attempts: 2, removed: true, sqlAfter: "fresh-"},
	// The user registers again after the push and before its result is applied: see refresh.
	"refreshed": {users: 10, element: "dead-", redis: "dead-", sql: "dead-", status: "failed", code: "UNREGISTERED", attempts: 1, removed: true, sqlAfter: "fresh-"},
}

// everyone yields the users of the cast with their kind.
func everybody() iter.Seq2[string, part] {
	return func(yield func(string, part) bool) {
		for kind, p := range cast {
			for i := range p.users {
				if !yield(fmt.Sprintf("%s-%d", kind, i), p) {
					return
				}
			}
		}
	}
}

func castSize() (users int) {
	for _, p := range cast {
		users += p.users
	}
	return users
}

// token is the stem's token of a user.
func token(stem, user string) string {
	if stem == "" {
		return ""
	}
	return stem + user
}

// populate stores the tokens and profiles that the application has, and returns the audience as a
// CSV file with two lines that are no recipients.
func populate(t *testing.T, s *servers.System, db *sql.DB) (audience string) {
	t.Helper()
	rows := []string{"userId,fcmToken,city"}
	for user, p := range everybody() {
		city := "City of " + user
		profile := fmt.Sprintf(`{"name":"somebody","city":%q}`, city)
		if p.city != inAudience {
			city = ""
		}
		if p.redis != "" {
			store(t, s, "user:"+user+":token", p.redis+user)
		}
		if p.city == inRedis {
			store(t, s, "profile:"+user, profile)
		}
		if p.city != inSQL {
			profile = ""
		}
		if p.sql != "" {
			execute(t, db, `INSERT INTO users (id, fcm_token, profile) VALUES ($1, $2, $3)`, user, p.sql+user, profile)
		}
		rows = append(rows, fmt.Sprintf("%s,%s,%s", user, token(p.element, user), city))
	}
	rows = append(rows, ",ok-without-a-user,Lagos", "too,few")
	return strings.Join(rows, "\n") + "\n"
}

func store(t *testing.T, s *servers.System, key, value string) {
	t.Helper()
	if err := s.Redis.Set(t.Context(), key, value, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

// refresh gives some users a new token in SQL, as the application does when their app starts.
func refresh(t *testing.T, db *sql.DB) {
	t.Helper()
	execute(t, db, `UPDATE users SET fcm_token = 'fresh-' || id WHERE id LIKE 'refreshed-%'`)
}

// checkDeliveries holds SQL against the cast: one row each, and the right one.
func checkDeliveries(t *testing.T, deliveries []servers.Delivery) {
	t.Helper()
	rows := make(map[string]servers.Delivery)
	for _, d := range deliveries {
		if _, twice := rows[d.User]; twice {
			t.Errorf("user %s has more than one row", d.User)
		}
		rows[d.User] = d
	}
	for user, p := range everybody() {
		got, want := rows[user], servers.Delivery{User: user, Status: p.status, Code: p.code, Attempts: p.attempts, TokenRemoved: p.removed}
		if named := got.MessageID != ""; named != (p.status == "sent") {
			t.Errorf("user %s: status %q with message id %q", user, got.Status, got.MessageID)
		}
		if p.status == "failed" && got.Error == "" || strings.Contains(got.Error, user) {
			t.Errorf("user %s: the error %q is missing, or holds the token", user, got.Error)
		}
		if got.MessageID, got.Error = "", ""; got != want {
			t.Errorf("user %s has the row %+v, want %+v", user, got, want)
		}
	}
	if len(rows) != castSize() {
		t.Errorf("%d users have rows, want %d", len(rows), castSize())
	}
}

// checkLedger holds what FCM accepted against the cast: each message once, with the user's own
// text.
func checkLedger(t *testing.T, ledger map[string][]servers.LedgerEntry) {
	t.Helper()
	reached := 0
	for user, p := range everybody() {
		if p.reached == "" {
			continue
		}
		reached++
		entries := ledger[p.reached+user]
		if len(entries) != 1 || entries[0].Accepted != 1 {
			t.Errorf("user %s: FCM accepted %d messages, %d times, want one once", user, len(entries), servers.CountAccepted(entries))
			continue
		}
		var message struct{ Notification struct{ Title string } }
		if err := json.Unmarshal(entries[0].Message, &message); err != nil {
			t.Fatal(err)
		}
		want := "Doors open in City of " + user
		if p.city == nowhere {
			want = "Doors open in your city"
		}
		if message.Notification.Title != want {
			t.Errorf("user %s got the title %q, want %q", user, message.Notification.Title, want)
		}
	}
	accepted := 0
	for _, entries := range ledger {
		accepted += servers.CountAccepted(entries)
	}
	if accepted != reached {
		t.Errorf("FCM accepted %d messages, want %d", accepted, reached)
	}
}

// checkTokens holds Redis and the table of users against the cast.
func checkTokens(t *testing.T, s *servers.System, db *sql.DB) {
	t.Helper()
	for user, p := range everybody() {
		stored, err := s.Redis.Exists(t.Context(), "user:"+user+":token").Result()
		if err != nil {
			t.Fatal(err)
		}
		want := token(p.redisAfter, user)
		if stored > 0 != (want != "") || stored > 0 && s.Redis.Get(t.Context(), "user:"+user+":token").Val() != want {
			t.Errorf("user %s has the token %q in Redis, want %q", user, s.Redis.Get(t.Context(), "user:"+user+":token").Val(), want)
		}
		if p.sql == "" {
			continue
		}
		var got sql.NullString
		if err := db.QueryRowContext(t.Context(), `SELECT fcm_token FROM users WHERE id = $1`, user).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want := token(p.sqlAfter, user); got.String != want || got.Valid != (want != "") {
			t.Errorf("user %s has the token %+v in SQL, want %q", user, got, want)
		}
	}
}

// checkLog wants no token of anyone's in a program's log.
func checkLog(t *testing.T, p *servers.Process) {
	t.Helper()
	log := p.Log()
	for user, p := range everybody() {
		for _, stem := range []string{p.element, p.redis, p.sql} {
			if full := token(stem, user); full != "" && strings.Contains(log, full) {
				t.Errorf("the token %s is in the log in full", full)
			}
		}
	}
}
