package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"fanfare/test/servers"
)

// element is what an application pushed, and what must become of it.
type element struct {
	raw          string
	user         string // as SQL has it; elements that cannot be read have none
	status, code string
	token        string // to which FCM accepts the message; empty: none
}

// elements are all that an application may write, with some users' tokens stored: see storedTokens.
var elements = []element{
	{`{"userId":"plain","fcmToken":"ok-plain"}`, "plain", "sent", "", "ok-plain"},
	{`{"userId":9007199254740993,"fcmToken":"ok-big"}`, "9007199254740993", "sent", "", "ok-big"},
	{`{"userId":123456789012345678901234567890,"fcmToken":"ok-bigger"}`, "123456789012345678901234567890", "sent", "", "ok-bigger"},
	{"\xef\xbb\xbf" + `{"userId":"bom","fcmToken":"ok-bom"}`, "bom", "sent", "", "ok-bom"},
	{` { "segments" : [1, {"a": null}], "userId" : "extra", "fcmToken" : "ok-extra", "score": 1.5e9 } `, "extra", "sent", "", "ok-extra"},
	{`{"userId":"người dùng","fcmToken":"ok-unicode"}`, "người dùng", "sent", "", "ok-unicode"},
	{`{"userId":"missing"}`, "missing", "sent", "", "ok-stored-missing"},
	{`{"userId":"empty","fcmToken":""}`, "empty", "sent", "", "ok-stored-empty"},
	{`{"userId":7,"fcmToken":null}`, "7", "sent", "", "ok-stored-7"},
	{`{"userId":"nobody"}`, "nobody", "skipped", "NO_TOKEN", ""},

	{`{"userId":"torn","fcmToken":"ok-to`, "", "failed", "MALFORMED", ""},
	{`["plain"]`, "", "failed", "MALFORMED", ""},
	{`null`, "", "failed", "MALFORMED", ""},
	{``, "", "failed", "MALFORMED", ""},
	{"\x00\x01\x02", "", "failed", "MALFORMED", ""},
	{`{"fcmToken":"ok-of-nobody"}`, "", "failed", "MALFORMED", ""},
	{`{"userId":"number","fcmToken":12345}`, "", "failed", "MALFORMED", ""},
	{`{"userId":"nul\u0000id","fcmToken":"ok-nul"}`, "", "failed", "MALFORMED", ""},
	{"{\"userId\":\"\xff\xfe\",\"fcmToken\":\"ok-not-text\"}", "", "failed", "MALFORMED", ""},
	{`{"userId":"long","fcmToken":"ok-long","padding":"` + strings.Repeat("x", 64<<10) + `"}`, "", "failed", "OVERSIZE", ""},
}

var storedTokens = map[string]string{"missing": "ok-stored-missing", "empty": "ok-stored-empty", "7": "ok-stored-7"}

// TestApplicationsOwnWay pushes audiences as an application does that has never learned of our
// command line. The dispatcher and the responder run all the time.
func TestApplicationsOwnWay(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{})
	for user, token := range storedTokens {
		store(t, s, "user:"+user+":token", token)
	}

	push(t, s, "list-first", elements)
	dispatcher, responder := s.Start(nil, "dispatcher"), s.Start(nil, "responder")
	dispatcher.AwaitLog("list has no message")
	write(t, s, "{campaign:list-first}:spec")
	checkCampaign(t, s, "list-first", "completed")

	// This one is found by a look over the keys, because nothing else names it; its own {tag}
	// decides the slot of its keys.
	late := []element{{`{"userId":"late","fcmToken":"ok-late"}`, "late", "sent", "", "ok-late"}}
	write(t, s, "campaign:{eu}spec-first:spec")
	push(t, s, "{eu}spec-first", late)
	checkCampaign(t, s, "{eu}spec-first", "completed")

	// A campaign that was completed runs again when recipients come late.
	push(t, s, "list-first", late)
	servers.AwaitSummary(t, db, "list-first", int64(len(elements)+1))

	for _, p := range []*servers.Process{dispatcher, responder} {
		p.Signal(syscall.SIGTERM)
		p.ExpectExit(0)
	}
	checkElements(t, servers.Deliveries(t, db, "list-first"), slices.Concat(elements, late))
	checkElements(t, servers.Deliveries(t, db, "{eu}spec-first"), late)
	checkReached(t, s.Sim.Ledger(), elements)
	checkRaw(t, s)
}

// push writes a list in the application's way, with its expiry.
func push(t *testing.T, s *servers.System, id string, list []element) {
	t.Helper()
	raw := make([]any, len(list))
	for i, e := range list {
		raw[i] = e.raw
	}
	if err := s.Redis.RPush(t.Context(), "campaign:"+id, raw...).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Redis.Expire(t.Context(), "campaign:"+id, 24*time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
}

// write writes a campaign's spec with one HSET.
func write(t *testing.T, s *servers.System, key string) {
	t.Helper()
	if err := s.Redis.HSet(t.Context(), key, "message", servers.PlainMessage, "state", "running").Err(); err != nil {
		t.Fatal(err)
	}
}

// checkCampaign waits for a campaign's state.
func checkCampaign(t *testing.T, s *servers.System, id, state string) {
	t.Helper()
	s.Eventually("campaign "+id+" is "+state, func() bool { return s.Show(id).State == state })
}

// checkElements wants one row for each element. Those that could not be read have no user, and are
// told apart by code.
func checkElements(t *testing.T, deliveries []servers.Delivery, want []element) {
	t.Helper()
	outcomes := func(user, status, code string) string { return user + " " + status + " " + code }
	var got, wanted []string
	for _, d := range deliveries {
		got = append(got, outcomes(d.User, d.Status, d.Code))
	}
	for _, e := range want {
		wanted = append(wanted, outcomes(e.user, e.status, e.code))
	}
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		t.Errorf("SQL has\n%q, want\n%q", got, wanted)
	}
}

// checkReached wants each token that must be reached to have got one message. "late" is in two
// campaigns.
func checkReached(t *testing.T, ledger map[string][]servers.LedgerEntry, want []element) {
	t.Helper()
	tokens := 1
	for _, e := range want {
		if e.token == "" {
			continue
		}
		tokens++
		if entries := ledger[e.token]; len(entries) != 1 || entries[0].Accepted != 1 {
			t.Errorf("token %s got %d messages, %d times, want one once", e.token, len(entries), servers.CountAccepted(entries))
		}
	}
	if len(ledger) != tokens {
		t.Errorf("FCM saw %d tokens, want %d", len(ledger), tokens)
	}
}

// checkRaw wants the bytes of each element that could not be read among the dead letters.
func checkRaw(t *testing.T, s *servers.System) {
	t.Helper()
	var got, want []string
	for _, letter := range deadLetters(t, s, "--kind", "element", "--reveal") {
		got = append(got, string(letter.Raw))
		if letter.Reason == "" || letter.Result.Status != "failed" {
			t.Errorf("dead letter %+v has no reason or status", letter)
		}
	}
	for _, e := range elements {
		if e.status == "failed" {
			want = append(want, e.raw)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the dead letters hold the elements\n%.100q, want\n%.100q", got, want)
	}
}
