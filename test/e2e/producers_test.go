package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/test/servers"
)

// TestExampleProducers runs the applications of examples/ against the whole system. Each sends a
// campaign to 2,500 users, each tenth without a token, and reads what became of them.
func TestExampleProducers(t *testing.T) {
	t.Parallel()
	s, env := newProducerSystem(t)
	s.Start(nil, "dispatcher")
	s.Start(nil, "responder")
	commands := producers(t)

	inGo := servers.StartProcess(t, env, commands["go"][0], "go", "2500").ExpectExit(0)
	if want := "2500 loaded, campaign.completed: 2250 sent, 250 skipped\n2250 sent \n250 skipped NO_TOKEN\n"; string(inGo) != want {
		t.Errorf("the producer in Go printed %s\nwant %s", inGo, want)
	}
	inNest := servers.StartProcess(t, env, commands["nest"][0], commands["nest"][1], "nest", "2500").ExpectExit(0)
	want := `{"loaded":2500,"event":"campaign.completed","sent":2250,"skipped":250}` + "\n" + `{"sent":2250,"NO_TOKEN":250}`
	if strings.TrimSpace(string(inNest)) != want {
		t.Errorf("the producer in NestJS printed %s\nwant %s", inNest, want)
	}
	checkOnce(t, s, 4500)
}

// TestExampleProducersSchedule gives both applications a start, windows, a local time and a zone.
// The campaign starts by itself, and no one is sent to before.
func TestExampleProducersSchedule(t *testing.T) {
	t.Parallel()
	s, env := newProducerSystem(t)
	s.Start(nil, "dispatcher")
	s.Start(nil, "responder")
	for name, command := range producers(t) {
		now := time.Now().UTC()
		start := now.Add(5 * time.Second).Truncate(time.Second)
		window := now.Add(-10*time.Hour).Format("15:04") + "-" + now.Add(10*time.Hour).Format("15:04") // also open in Saigon, 7 hours ahead
		local := now.Format("2006-01-02T15:04") + "±12h"
		schedule := fmt.Sprintf(`{"startAt":%q,"windows":[%q,"mon 00:00-00:01"],"localTime":%q,"timeZone":"Etc/UTC"}`, start.Format(time.RFC3339), window, local)
		printed := servers.StartProcess(t, env, command[0], append(command[1:], name, "200", schedule)...).ExpectExit(0)
		if !strings.Contains(string(printed), "campaign.completed") {
			t.Errorf("the producer in %s printed %s", name, printed)
		}
		var view struct {
			Windows             []string
			LocalTime, TimeZone string
			StartedAt           time.Time
			History             []struct{ What, Detail string }
			Books               servers.Books
		}
		shown := s.Fanfare("campaign", "show", name, "--json")
		if err := json.Unmarshal(shown, &view); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(view.Windows) != "["+window+" mon 00:00-00:01]" || view.LocalTime != local || view.TimeZone != "Etc/UTC" {
			t.Errorf("the campaign of %s has other times: %s", name, shown)
		}
		scheduled := slices.ContainsFunc(view.History, func(e struct{ What, Detail string }) bool {
			return e.What == "started" && e.Detail == "scheduled for "+start.Format(time.RFC3339)
		})
		if !scheduled || view.StartedAt.Before(start) || view.Books.Sent != 180 || view.Books.Skipped != 20 {
			t.Errorf("the campaign of %s started otherwise than planned: %s", name, shown)
		}
	}
}

// A command that fails inside a transaction fails the application: nothing starts.
func TestExampleProducersCheckEachCommand(t *testing.T) {
	t.Parallel()
	s, env := newProducerSystem(t)
	for name, command := range producers(t) {
		if err := s.Redis.Set(t.Context(), "campaign:"+name, "not a list", 0).Err(); err != nil {
			t.Fatal(err)
		}
		p := servers.StartProcess(t, env, command[0], append(command[1:], name, "10")...)
		p.ExpectExit(1)
		if !strings.Contains(p.Log(), "WRONGTYPE") {
			t.Errorf("the producer in %s says %s", name, p.Log())
		}
		if state := s.Redis.HGet(t.Context(), "{campaign:"+name+"}:spec", "state").Val(); state != "draft" {
			t.Errorf("the campaign of the producer in %s is %s", name, state)
		}
	}
}

// newProducerSystem returns a system without its programs, and the environment of an application.
func newProducerSystem(t *testing.T) (s *servers.System, env []string) {
	t.Helper()
	redis, database := servers.Redis(t), postgres.Database(t)
	s = servers.NewSystem(t, programs, servers.SystemOptions{
		Redis: []string{redis}, Database: database, Env: []string{"FANFARE_STORE_TOKEN_QUERY=off", "FANFARE_STORE_TOKEN_CLEAR=off"},
	})
	return s, []string{"REDIS_URL=redis://" + redis, "DATABASE_URL=" + database}
}

// producers are the commands of both applications.
func producers(t *testing.T) map[string][]string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]string{"go": {buildGoProducer(t)}, "nest": {node, nestProducer(t)}}
}

func buildGoProducer(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "go-producer")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path)
	build.Dir = "../../examples/go-producer" // a module of its own, as an application is
	if printed, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the producer: %v\n%s", err, printed)
	}
	return path
}

// nestProducer returns the compiled application, which make test builds.
func nestProducer(t *testing.T) (path string) {
	t.Helper()
	path, err := filepath.Abs("../../examples/nestjs-producer/dist/main.js")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal("the NestJS producer is not built; type: make examples/nestjs-producer/dist/main.js")
	}
	return path
}
