package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fanfare/test/servers"
)

// TestExampleProducers runs the applications of examples/ against the whole system. Each sends a
// campaign to 2,500 users, each tenth without a token, and reads what became of them.
func TestExampleProducers(t *testing.T) {
	t.Parallel()
	redis, database := servers.Redis(t), postgres.Database(t)
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Redis: []string{redis}, Database: database, Env: []string{"FANFARE_STORE_TOKEN_QUERY=off", "FANFARE_STORE_TOKEN_CLEAR=off"},
	})
	s.Start(nil, "dispatcher")
	s.Start(nil, "responder")
	env := []string{"REDIS_URL=redis://" + redis, "DATABASE_URL=" + database}

	inGo := servers.StartProcess(t, env, buildGoProducer(t), "go", "2500").ExpectExit(0)
	if want := "2500 loaded, campaign.completed: 2250 sent, 250 skipped\n2250 sent \n250 skipped NO_TOKEN\n"; string(inGo) != want {
		t.Errorf("the producer in Go printed %s\nwant %s", inGo, want)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	inNest := servers.StartProcess(t, env, node, nestProducer(t), "nest", "2500").ExpectExit(0)
	want := `{"loaded":2500,"event":"campaign.completed","sent":2250,"skipped":250}` + "\n" + `{"sent":2250,"NO_TOKEN":250}`
	if strings.TrimSpace(string(inNest)) != want {
		t.Errorf("the producer in NestJS printed %s\nwant %s", inNest, want)
	}
	checkOnce(t, s, 4500)
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
