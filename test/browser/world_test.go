package browser

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"fanfare/test/servers"
)

// world is a system with a campaign in every state that does not change by itself, and its console.
type world struct {
	*servers.System

	t    *testing.T
	base string // the console with actions
}

// newWorld starts the system: Redis, SQLite, the simulator, both daemons and a console.
func newWorld(t *testing.T) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fanfare.db")
	w := &world{t: t, System: servers.NewSystem(t, programs, servers.SystemOptions{Database: "sqlite:" + path})}
	makeUsers(t, path)
	w.Start(nil, "dispatcher")
	w.Start(nil, "responder")
	w.base = w.console("--operate")
	return w
}

// makeUsers makes the application's table of users, in which the daemons look for tokens.
func makeUsers(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE users (id text PRIMARY KEY, fcm_token text, profile text)"); err != nil {
		t.Fatal(err)
	}
}

// console starts a console and returns its address without the last slash.
func (w *world) console(args ...string) string { return w.consoleWith(nil, args...) }

func (w *world) consoleWith(env []string, args ...string) string {
	p := w.Start(env, "fanfare", append([]string{"console", "--listen", "127.0.0.1:0"}, args...)...)
	w.Eventually("the console serves", func() bool { return strings.HasSuffix(string(p.Stdout()), "/\n") })
	_, address, _ := strings.Cut(strings.TrimSpace(string(p.Stdout())), "console: ")
	return strings.TrimSuffix(address, "/")
}

// people are users of an audience whose tokens begin alike, such as dead-.
func people(prefix string, n int) string {
	var rows strings.Builder
	for i := range n {
		fmt.Fprintf(&rows, "%su%d,%s%d\n", prefix, i, prefix, i)
	}
	return rows.String()
}

const header = "userId,fcmToken\n"

// draft creates and loads a campaign, with settings of "campaign create".
func (w *world) draft(id, rows string, settings ...string) {
	message := w.File("message.json", servers.PlainMessage)
	w.Fanfare(append([]string{"campaign", "create", id, "--message", message}, settings...)...)
	w.Fanfare("load", id, w.File("audience.csv", header+rows))
}

func (w *world) awaitState(id, state string) {
	w.Eventually(id+" is "+state, func() bool { return w.Redis.HGet(w.t.Context(), "{campaign:"+id+"}:spec", "state").Val() == state })
}

// fill puts a campaign in every state, and dead letters of several causes.
func (w *world) fill() {
	w.draft("sale", people("ok-", 50)+people("dead-", 6)+people("invalid-", 3), "--name", "Summer sale, Wednesday")
	w.draft("wrong", people("mismatch-", 200), "--name", "Orders of the other app")
	w.draft("slow", people("ok-", 12_000), "--name", "Price drops", "--rate", "20")
	w.draft("waits", people("ok-", 200), "--rate", "10")
	w.draft("gone", people("ok-", 30), "--rate", "5")
	w.draft("soon", people("ok-", 8))
	w.draft("late", people("ok-", 40), "--rate", "1")
	w.addHours()
	for _, id := range []string{"sale", "wrong", "slow", "waits", "gone", "late"} {
		w.Fanfare("campaign", "start", id)
	}
	w.Fanfare("campaign", "set", "late", "--deadline", time.Now().Add(5*time.Second).UTC().Format(time.RFC3339Nano))
	w.Fanfare("campaign", "pause", "waits", "--reason", "wrong link")
	w.Fanfare("campaign", "cancel", "gone", "--reason", "too early")
	for id, state := range map[string]string{"sale": "completed", "wrong": "paused", "late": "expired"} {
		w.awaitState(id, state)
	}
	w.awaitLetters("sale", 9)
	w.addFamily()
}

// addHours puts in a draft for two zones, at a local time that is too short for one of them.
func (w *world) addHours() {
	day := time.Now().AddDate(0, 0, 3).UTC().Format("2006-01-02")
	message := w.File("message.json", servers.PlainMessage)
	w.Fanfare("campaign", "create", "hours", "--message", message, "--local-time", day+"T09:00±1m")
	w.Fanfare("load", "hours", w.File("zones.csv", header[:len(header)-1]+",timeZone\n"+
		strings.ReplaceAll(people("hours-", 40), "\n", ",Asia/Saigon\n")+strings.ReplaceAll(people("west-", 20), "\n", ",America/New_York\n")))
}

// familyMessage has two variants, a hold-out group and two languages beside the base.
const familyMessage = `{"message":{"notification":{"title":"Hello {{name|there}}","body":"The new season is here"}},
	"locales":{"pt":{"notification":{"title":"Olá {{name|}}"}},"de":{"notification":{"title":"Hallo {{name|}}"}}},
	"variants":[{"name":"calm","weight":45},{"name":"loud","weight":45,"message":{"notification":{"body":"Only today: the new season"}}}],"holdout":10}`

// oldID is the installation ID of a user whose app moved away from its registration token.
const oldID = "cXyZ0123456789abcdMove"

// addFamily puts in a campaign of several devices and languages. Some devices are dead, one moved
// to an installation ID, some elements have an address that another one has, and some users are
// suppressed.
func (w *world) addFamily() {
	w.Sim.Rules(`{"fidReplacesToken": true}`)
	w.Fanfare("suppress", "add", "person3", "person9")
	redis, ctx := w.Redis, w.t.Context()
	for key, devices := range map[string]map[string]string{
		"user:mover:devices": {oldID: `{"kind":"fid","platform":"android","locale":"de","last_use":"2026-11-28T18:02:11Z"}`},
		"user:person1:devices": {
			"ok-person1-phone":  `{"kind":"token","platform":"android","locale":"pt-BR","last_use":"2026-11-29T20:15:00Z"}`,
			"fid-person1":       `{"kind":"fid","platform":"ios","locale":"pt","last_use":"2026-11-27T07:40:00Z"}`,
			"dead-person1-old":  `{"kind":"token","platform":"web","last_use":"2025-01-05T10:00:00Z"}`,
			"dead-person1-lost": `{"kind":"token","platform":"ios","locale":"en-GB","last_use":"2024-06-30T10:00:00Z"}`,
		},
	} {
		for address, known := range devices {
			if err := redis.HSet(ctx, key, address, known).Err(); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	if err := redis.Set(ctx, "profile:person1", `{"name":"Ana","locale":"pt-BR"}`, time.Hour).Err(); err != nil {
		w.t.Fatal(err)
	}
	elements := []any{
		`{"userId":"mover","fcmToken":"` + oldID + `:APA91b-of-the-old-app"}`, `{"userId":"person1"}`,
		`{"userId":"twin1","fcmToken":"ok-shared"}`, `{"userId":"twin2","fcmToken":"ok-shared"}`, `{"userId":"twin3","fcmToken":"ok-shared"}`,
	}
	for i := 2; i < 80; i++ {
		elements = append(elements, fmt.Sprintf(
			`{"userId":"person%[1]d","locale":"%[2]s","vars":{"name":"Sam"},"devices":[{"token":"ok-person%[1]d-phone","platform":"android"},{"fid":"fid-person%[1]d","platform":"ios"},{"token":"dead-person%[1]d","platform":"web"}]}`,
			i, []string{"en", "pt-BR", "de-AT"}[i%3]))
	}
	w.Fanfare("campaign", "create", "family", "--name", "New season, all devices", "--message", w.File("family.json", familyMessage))
	if err := redis.RPush(ctx, "campaign:family", elements...).Err(); err != nil {
		w.t.Fatal(err)
	}
	w.Fanfare("campaign", "test", "family", "--fid", oldID) // from now on the token of that app is dead
	w.Fanfare("campaign", "start", "family")
	w.awaitState("family", "completed")
}

// awaitLetters waits for a campaign's dead letters. A page that asks earlier shows what it found
// for ten seconds.
func (w *world) awaitLetters(campaign string, n int) {
	w.Eventually("the dead letters are in", func() bool {
		letters := w.Redis.LRange(w.t.Context(), "{notification:responses}:dead", 0, -1).Val()
		return strings.Count(strings.Join(letters, " "), `"campaignId":"`+campaign+`"`) >= n
	})
}
