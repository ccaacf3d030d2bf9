package e2e

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"fanfare/internal/notification"
	"fanfare/test/servers"
)

// placeholdersEverywhere has placeholders beside the texts: in Apple's own payload, as a channel,
// and as a number.
const placeholdersEverywhere = `{"notification":{"title":"Your order"},"data":{"screen":"order"},
	"apns":{"payload":{"aps":{"sound":"default","badge":"{{unread}}"},"deeplink":"shop://order/{{order}}"}},
	"android":{"notification":{"channel_id":"{{channel}}"}}}`

// Every string of a message is filled in, whichever client sends it. A value that does not fit ends
// its recipient, and no other.
func TestPlaceholdersInEveryString(t *testing.T) {
	for _, client := range []string{"own", "sdk"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			s, db := newSystem(t, servers.SystemOptions{Env: []string{"FANFARE_FCM_CLIENT=" + client}})
			list := []element{
				{`{"userId":"u1","fcmToken":"ok-u1","vars":{"order":"A-17","channel":"orders","unread":3}}`, "u1", "sent", "", "ok-u1"},
				{`{"userId":"u2","fcmToken":"ok-u2","vars":{"order":"\"\n","channel":"orders","unread":"12"}}`, "u2", "sent", "", "ok-u2"},
				{`{"userId":"u3","fcmToken":"ok-u3","vars":{"order":"A-19","channel":"orders","unread":"many"}}`, "u3", "failed", notification.CodeInvalidValue, ""},
				{`{"userId":"u4","fcmToken":"ok-u4","vars":{"order":"A-20","unread":3}}`, "u4", "skipped", notification.CodeUnfilled, ""},
			}
			push(t, s, "42", list)
			if err := s.Redis.HSet(t.Context(), "{campaign:42}:spec", "message", placeholdersEverywhere, "state", "running").Err(); err != nil {
				t.Fatal(err)
			}
			s.Job("42").ExpectExit(0)
			responder := s.Start(nil, "responder")
			servers.AwaitSummary(t, db, "42", int64(len(list)))
			responder.Signal(syscall.SIGTERM)
			responder.ExpectExit(0)
			checkElements(t, servers.Deliveries(t, db, "42"), list)
			for token, want := range map[string]string{
				"ok-u1": `"orders" 3 "shop://order/A-17"`, "ok-u2": `"orders" 12 "shop://order/\"\n"`,
			} {
				var sent struct {
					Android struct{ Notification map[string]json.RawMessage }
					APNS    struct {
						Payload struct {
							APS      map[string]json.RawMessage
							Deeplink json.RawMessage
						}
					}
				}
				entries := s.Sim.Ledger()[token]
				if len(entries) != 1 || json.Unmarshal(entries[0].Message, &sent) != nil {
					t.Fatalf("%s: FCM was sent %+v", token, entries)
				}
				got := string(sent.Android.Notification["channel_id"]) + " " + string(sent.APNS.Payload.APS["badge"]) + " " + string(sent.APNS.Payload.Deeplink)
				if got != want {
					t.Errorf("%s: FCM was sent %s, want %s", token, got, want)
				}
			}
		})
	}
}

// Each user gets the language of their element, and the same variant after a restart. Users who are
// held out get nothing, and SQL says why.
func TestLanguagesAndVariants(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{})
	const message = `{"message":{"notification":{"title":"Hello"}},"locales":{"pt":{"notification":{"title":"Olá"}}},
		"variants":[{"name":"a","weight":40},{"name":"b","weight":40,"message":{"data":{"v":"b"}}}],"holdout":20}`
	if err := s.Redis.HSet(t.Context(), "{campaign:42}:spec", "message", message, "state", "running").Err(); err != nil {
		t.Fatal(err)
	}
	var list []element
	const users = 60
	for i := range users {
		user := fmt.Sprintf("u%d", i)
		list = append(list, element{raw: `{"userId":"` + user + `","fcmToken":"ok-` + user + `","locale":"` + []string{"de", "pt-BR"}[i%2] + `"}`})
	}
	push(t, s, "42", list)
	s.Job("42").ExpectExit(0)
	responder := s.Start(nil, "responder")
	servers.AwaitSummary(t, db, "42", users)
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)

	var heldOut int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM fanfare_deliveries WHERE status = 'skipped' AND error_code = 'HOLDOUT'").Scan(&heldOut); err != nil {
		t.Fatal(err)
	}
	sent := map[string]int{}
	for token, entries := range s.Sim.Ledger() {
		title, variant := "Hello", "a"
		if strings.Contains(string(entries[0].Message), `"v":"b"`) {
			variant = "b"
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(token, "ok-u")); err == nil && n%2 == 1 {
			title = "Olá"
		}
		if sent[variant]++; !strings.Contains(string(entries[0].Message), `"title":"`+title+`"`) {
			t.Errorf("%s: FCM was sent %s, want %s", token, entries[0].Message, title)
		}
	}
	shown := string(s.Fanfare("campaign", "show", "42"))
	for variant, n := range sent {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%s +40%% +%d +%[2]d +0 +0$`, variant, n)).MatchString(shown) {
			t.Errorf("variant %s was sent %d times, and show says\n%s", variant, n, shown)
		}
	}
	if !regexp.MustCompile(fmt.Sprintf(`(?m)^\(hold-out\) +20%% +%d +0 +0 +%[1]d$`, heldOut)).MatchString(shown) || regexp.MustCompile(`(?m)^\(none\) +– `).MatchString(shown) {
		t.Errorf("%d are held out and no one is without a variant, and show says\n%s", heldOut, shown)
	}
	checkLanguagesInSQL(t, s, db)
	if len(sent) != 2 || heldOut == 0 || sent["a"]+sent["b"]+heldOut != users {
		t.Errorf("sent %v, held out %d, of %d", sent, heldOut, users)
	}
}

// checkLanguagesInSQL expects the languages of the ledger in SQL, in the export, and in show.
func checkLanguagesInSQL(t *testing.T, s *servers.System, db *sql.DB) {
	t.Helper()
	sent := map[string]int{}
	for token := range s.Sim.Ledger() {
		n, err := strconv.Atoi(strings.TrimPrefix(token, "ok-u"))
		if err != nil {
			t.Fatal(err)
		}
		sent[[]string{"", "pt"}[n%2]]++
	}
	for locale, want := range sent {
		var n int
		err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM fanfare_deliveries WHERE status = 'sent' AND locale = $1", locale).Scan(&n)
		if err != nil || n != want {
			t.Errorf("SQL has %d sent in %q (%v), FCM got %d", n, locale, err, want)
		}
	}
	if n := strings.Count(string(s.Fanfare("campaign", "export", "42")), ",pt\n"); n != sent["pt"] {
		t.Errorf("the export has %d in pt, FCM got %d", n, sent["pt"])
	}
	if shown := string(s.Fanfare("campaign", "show", "42")); !regexp.MustCompile(fmt.Sprintf(`(?m)^pt +%d +%[1]d +0 +0$`, sent["pt"])).MatchString(shown) {
		t.Errorf("%d were sent in pt, and show says\n%s", sent["pt"], shown)
	}
}
