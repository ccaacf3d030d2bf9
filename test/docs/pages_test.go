// Package docs runs the commands of the pages as a newcomer types them: from top to bottom, in one
// shell, over a real Redis and the simulator.
package docs

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"fanfare/test/servers"
)

const root = "../../"

var programs *servers.Programs

func TestMain(m *testing.M) {
	var err error
	if programs, err = servers.BuildPrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	programs.Remove()
	os.Exit(code)
}

// TestPagesRun runs each page in a folder and with servers of its own.
func TestPagesRun(t *testing.T) {
	pages, err := filepath.Glob(root + "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	programs.OpenSources(t)
	ran := 0
	for _, page := range append(pages, root+"README.md") {
		text := read(t, page)
		commands := strings.Join(blocks(text, "sh"), "\n")
		if commands == "" {
			continue
		}
		ran++
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			g := newGround(t)
			g.run(commands)
			g.query(blocks(text, "sql"))
		})
	}
	if ran < 8 {
		t.Errorf("only %d pages have commands", ran)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks returns the blocks of a language.
func blocks(page, language string) (found []string) {
	for _, match := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		found = append(found, match[1])
	}
	return found
}

// ground is the folder and the servers that a page expects, with ports of its own in place of those
// on the page.
type ground struct {
	t     *testing.T
	dir   string
	ports *strings.Replacer
	admin string
}

func newGround(t *testing.T) *ground {
	t.Helper()
	redis, fcm, admin, console := servers.Redis(t), freeAddress(t), freeAddress(t), freeAddress(t)
	g := &ground{
		t: t, dir: t.TempDir(), admin: admin,
		ports: strings.NewReplacer("localhost:6379", redis, "127.0.0.1:9080", fcm, "127.0.0.1:9081", admin, "127.0.0.1:8025", console),
	}
	if err := os.Symlink(programs.Dir(), filepath.Join(g.dir, "bin")); err != nil {
		t.Fatal(err)
	}
	copyExamples(t, filepath.Join(g.dir, "examples"))
	settings := g.ports.Replace(read(t, root+"examples/local.sh"))
	if err := os.WriteFile(filepath.Join(g.dir, "examples/local.sh"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return g
}

// copyExamples copies the files of examples/, without the applications in its folders.
func copyExamples(t *testing.T, to string) {
	t.Helper()
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(root + "examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		if err := os.WriteFile(filepath.Join(to, entry.Name()), []byte(read(t, root+"examples/"+entry.Name())), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

var (
	simulator = regexp.MustCompile(`(?m)^fcmsim .*$`)
	watch     = regexp.MustCompile(`(?m)^fanfare watch (\S+)`)
	stop      = regexp.MustCompile(`(?m)^kill .*%responder.*$`)
)

// settled waits until the responder has written all results. One process asks ten times a second,
// since a loop of processes would take the CPU from the responder.
const settled = `grep -qm1 '^0$' < <(redis-cli -u $REDIS_URL -r -1 -i 0.1 EXISTS notification:responses {notification:responses}:leases)`

// run types the commands into one shell. It waits where a person takes longer, and presses Ctrl-C
// where a person would.
func (g *ground) run(commands string) {
	g.t.Helper()
	commands = g.ports.Replace(commands)
	commands = simulator.ReplaceAllString(commands, "$0\ncurl -sf --retry 100 --retry-delay 1 --retry-connrefused http://"+g.admin+"/admin/counts >/dev/null")
	commands = watch.ReplaceAllString(commands, "timeout --signal INT 2 fanfare watch $1 || true")
	commands = stop.ReplaceAllStringFunc(commands, func(kill string) string { return settled + "\n" + kill })
	if strings.Contains(commands, "\nresponder ") {
		commands += "\n" + settled
	}
	script := "set -emo pipefail\ntrap 'echo \"failed: $BASH_COMMAND\" >&2' ERR\ntrap 'jobs -p | xargs -r kill 2>/dev/null || true' EXIT\nmake() { :; }\n" +
		"cd " + g.dir + "\n" + commands
	env := []string{"FANFARE_HTTP_DISPATCHER=off", "FANFARE_HTTP_RESPONDER=off", "LOG_FORMAT=text"}
	servers.StartProcess(g.t, env, "bash", "-c", script).ExpectExit(0)
}

// query runs the page's queries on the database that its commands have left; each finds rows.
func (g *ground) query(queries []string) {
	g.t.Helper()
	for _, query := range queries {
		if !strings.HasPrefix(query, "SELECT") {
			continue
		}
		g.findRows(query)
	}
}

func (g *ground) findRows(query string) {
	g.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(g.dir, "fanfare.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		g.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(g.t.Context(), query)
	if err != nil {
		g.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	if !rows.Next() {
		g.t.Errorf("%s finds no rows: %v", query, rows.Err())
	}
}
