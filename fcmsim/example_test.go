package fcmsim_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"fanfare/fcmsim"

	"golang.org/x/oauth2/google"
)

// send stands for the sender under test.
func send(client *http.Client, endpoint, token string) *http.Response {
	res, err := client.Post(endpoint+"/projects/demo/messages:send", "application/json",
		strings.NewReader(`{"message": {"token": "`+token+`", "notification": {"title": "Hello"}}}`))
	if err != nil {
		log.Fatal(err)
	}
	_ = res.Body.Close()
	return res
}

func TestSender(t *testing.T) {
	sim, err := fcmsim.New(fcmsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := sim.Start(t.Context(), fcmsim.Listen{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })

	send(http.DefaultClient, srv.URLs.HTTP, "phone-1")
	send(http.DefaultClient, srv.URLs.HTTP, "dead-phone")

	counts := sim.Counts()
	if counts.Accepted != 1 || counts.Codes["UNREGISTERED"] != 1 || counts.Duplicates != 0 {
		t.Errorf("counts %+v", counts)
	}
}

// A simulator on a free port, a client that sends to it, and what the simulator received.
func Example() {
	sim, err := fcmsim.New(fcmsim.Options{})
	if err != nil {
		log.Fatal(err)
	}
	srv, err := sim.Start(context.Background(), fcmsim.Listen{TLS: fcmsim.Off, Admin: fcmsim.Off})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	fmt.Println(send(http.DefaultClient, srv.URLs.HTTP, "phone-1").Status)
	fmt.Println(send(http.DefaultClient, srv.URLs.HTTP, "dead-phone").Status)
	fmt.Println(sim.Counts().Accepted, "accepted")
	// Output:
	// 200 OK
	// 404 Not Found
	// 1 accepted
}

// An outage with a Retry-After of 30 seconds, and its end.
func ExampleSimulator_SetRules() {
	sim, srv := start(fcmsim.Options{})
	defer srv.Close()

	outage := fcmsim.Rules{Outcomes: []fcmsim.Outcome{
		{Code: fcmsim.CodeUnavailable, Share: 1, RetryAfter: "30"},
	}}
	if err := sim.SetRules(outage); err != nil {
		log.Fatal(err)
	}
	res := send(http.DefaultClient, srv.URLs.HTTP, "phone-1")
	fmt.Println(res.StatusCode, res.Header.Get("Retry-After"))

	if err := sim.SetRules(fcmsim.Rules{}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(send(http.DefaultClient, srv.URLs.HTTP, "phone-1").StatusCode)
	// Output:
	// 503 30
	// 200
}

// A message that FCM accepted although it answered 503. The sender repeats it: a duplicate.
func ExampleSimulator_EntriesOf() {
	sim, srv := start(fcmsim.Options{})
	defer srv.Close()

	send(http.DefaultClient, srv.URLs.HTTP, "ghost1-phone") // the first attempt fails
	send(http.DefaultClient, srv.URLs.HTTP, "ghost1-phone")

	for _, entry := range sim.EntriesOf("ghost1-phone") {
		fmt.Println(entry.Attempts, "attempts,", entry.Accepted, "accepted")
	}
	fmt.Println(sim.Counts().Duplicates, "duplicate")
	// Output:
	// 2 attempts, 2 accepted
	// 1 duplicate
}

// A sender that signs in as it does at Google. Others are refused.
func ExampleServer_ServiceAccount() {
	_, srv := start(fcmsim.Options{RequireAuth: true, Project: "demo"})
	defer srv.Close()

	file, err := srv.ServiceAccount("demo") // what GOOGLE_APPLICATION_CREDENTIALS names
	if err != nil {
		log.Fatal(err)
	}
	config, err := google.JWTConfigFromJSON(file, "https://www.googleapis.com/auth/firebase.messaging")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(send(config.Client(context.Background()), srv.URLs.HTTP, "phone-1").StatusCode)
	fmt.Println(send(http.DefaultClient, srv.URLs.HTTP, "phone-1").StatusCode)
	// Output:
	// 200
	// 401
}

// A quota of two messages a minute. The rest wait for the refill.
func ExampleQuota() {
	sim, srv := start(fcmsim.Options{
		Speed: 0.01, // a minute that does not end during the example
		Rules: fcmsim.Rules{Quota: fcmsim.Quota{PerMinute: 2, RetryAfter: "60"}},
	})
	defer srv.Close()

	for i := range 3 {
		res := send(http.DefaultClient, srv.URLs.HTTP, fmt.Sprintf("phone-%d", i))
		fmt.Printf("%d %q\n", res.StatusCode, res.Header.Get("Retry-After"))
	}
	fmt.Println(sim.Counts().Codes["QUOTA_EXCEEDED"], "refused")
	// Output:
	// 200 ""
	// 200 ""
	// 429 "60"
	// 1 refused
}

func ExampleParseRules() {
	rules, err := fcmsim.ParseRules([]byte(`{"latency": "20ms..80ms", "handshake": "EXPIRED"}`))
	fmt.Println(rules.Latency, rules.Handshake, err)

	_, err = fcmsim.ParseRules([]byte(`{"outcomes": [{"code": "INTERNAL", "share": 2}]}`))
	fmt.Println(err)
	// Output:
	// 20ms..80ms EXPIRED <nil>
	// outcome 1: share 2 is not between 0 and 1
}

func ExampleLatency() {
	rules := fcmsim.Rules{Latency: fcmsim.LogNormal(50*time.Millisecond, 0.5)}
	fmt.Println(rules.Latency)
	// Output: lognormal(50ms, 0.5)
}

func start(o fcmsim.Options) (*fcmsim.Simulator, *fcmsim.Server) {
	sim, err := fcmsim.New(o)
	if err != nil {
		log.Fatal(err)
	}
	srv, err := sim.Start(context.Background(), fcmsim.Listen{TLS: fcmsim.Off, Admin: fcmsim.Off})
	if err != nil {
		log.Fatal(err)
	}
	return sim, srv
}

// TestPageShowsTheExamples compares the Go code of the simulator's page with this file.
func TestPageShowsTheExamples(t *testing.T) {
	page, err := os.ReadFile("../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```go\n")[1:]
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		if !strings.Contains(string(examples), code) {
			t.Errorf("example_test.go does not have:\n%s", code)
		}
	}
	if len(blocks) == 0 {
		t.Error("the page has no Go code")
	}
}
