package e2e

import (
	"strings"
	"testing"

	"fanfare/test/servers"
)

// TestRefusedMessages wants "campaign create" to refuse what FCM would refuse, naming the field,
// and to create nothing.
func TestRefusedMessages(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	for name, test := range map[string]struct{ message, names string }{
		"unknown field":         {`{"notification":{"title":"Hi","subtitle":"there"}}`, "message.notification.subtitle"},
		"data that is a number": {`{"data":{"count":3}}`, "message.data.count"},
		"data that is reserved": {`{"data":{"google.x":"3"}}`, "message.data.google.x"},
		"too large":             {`{"data":{"text":"` + strings.Repeat("x", 4097) + `"}}`, "4096"},
		"TTL over 28 days":      {`{"notification":{"title":"Hi"},"android":{"ttl":"2419201s"}}`, "message.android.ttl"},
		"analytics label":       {`{"notification":{"title":"Hi"},"fcm_options":{"analytics_label":"what a day!"}}`, "message.fcm_options.analytics_label"},
		"collapse id":           {`{"apns":{"headers":{"apns-collapse-id":"` + strings.Repeat("x", 65) + `"}}}`, "apns-collapse-id"},
		"a target":              {`{"token":"ok-somebody","notification":{"title":"Hi"}}`, "message.token"},
		"a topic":               {`{"topic":"news","notification":{"title":"Hi"}}`, "message.topic"},
		"broken placeholder":    {`{"notification":{"title":"Hi {{name"}}`, "notification.title"},
		"no object":             {`["Hi"]`, "message"},
		"no JSON":               {`{"notification":`, "message"},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.Start(nil, "fanfare", "campaign", "create", "refused", "--message", s.File("message.json", test.message))
			if code := p.Wait(); code == 0 || !strings.Contains(p.Log(), test.names) {
				t.Errorf("exited %d saying %q, want a refusal that names %s", code, p.Log(), test.names)
			}
		})
	}
	s.Start(nil, "fanfare", "campaign", "show", "refused").ExpectExit(5)
}

func TestLoadTwice(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage))
	file := s.File("audience.csv", audience(10))
	s.Fanfare("load", "42", file)

	again := s.Start(nil, "fanfare", "load", "42", file)
	if code := again.Wait(); code == 0 || !strings.Contains(again.Log(), "append") {
		t.Errorf("a second load exited %d saying %q, want a refusal that names --append", code, again.Log())
	}
	if books := s.Show("42").Books; books.Loaded != 10 {
		t.Errorf("books %+v after a refused load, want 10 loaded", books)
	}
	s.Fanfare("load", "42", s.File("more.ndjson", `{"userId":"more","fcmToken":"ok-more"}`+"\n"), "--append")
	s.Fanfare("campaign", "start", "42")
	s.Job("42").ExpectExit(0)
	checkOnce(t, s, 11)

	cancelled := []string{"campaign", "create", "43", "--message", s.File("message.json", servers.PlainMessage)}
	s.Fanfare(cancelled...)
	s.Fanfare("campaign", "cancel", "43")
	if code := s.Start(nil, "fanfare", "load", "43", file).Wait(); code == 0 {
		t.Error("a cancelled campaign was loaded")
	}
}

// A key of another type in the place of the list: one clear error for anyone who touches it,
// nothing is moved, and other campaigns continue.
func TestKeyOfWrongType(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	s.Fanfare("campaign", "create", "wrong", "--message", s.File("message.json", servers.PlainMessage))
	s.Fanfare("campaign", "start", "wrong")
	if err := s.Redis.Set(t.Context(), "campaign:wrong", "somebody's", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.Campaign("right", audience(10))

	load := s.Start(nil, "fanfare", "load", "wrong", s.File("audience.csv", audience(10)))
	if code := load.Wait(); code == 0 || !namesWrongKey(load.Log()) {
		t.Errorf("load exited %d saying %q, want the key and its type", code, load.Log())
	}
	dispatcher := s.Start(nil, "dispatcher")
	checkCampaign(t, s, "right", "completed")
	servers.Eventually(t, "the dispatcher names the key", func() bool { return namesWrongKey(dispatcher.Log()) })
	checkOnce(t, s, 10)

	job := s.Job("wrong")
	if code := job.Wait(); code == 0 || !namesWrongKey(job.Log()) {
		t.Errorf("a Job exited %d saying %q, want the key and its type", code, job.Log())
	}
	if got := s.Redis.Get(t.Context(), "campaign:wrong").Val(); got != "somebody's" {
		t.Errorf("the key holds %q, want what it held", got)
	}
}

func namesWrongKey(log string) bool {
	return strings.Contains(log, "campaign:wrong") && strings.Contains(log, "string") && strings.Contains(log, "list")
}
