package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestImportsFollowThePlan(t *testing.T) {
	openSources(t)
	rooms := listRooms(t)
	if len(rooms) < 10 {
		t.Fatalf("go list found only %d packages", len(rooms))
	}
	for _, violation := range loadPlan(t).findViolations(rooms) {
		t.Error(violation)
	}
}

// loadPlan reads the plan from its page.
func loadPlan(t *testing.T) plan {
	t.Helper()
	page, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	p, err := readPlan(string(page))
	if err != nil {
		t.Fatal(err)
	}
	if len(p) < 10 {
		t.Fatalf("only %d rooms are in the table of docs/architecture.md", len(p))
	}
	return p
}

func listRooms(t *testing.T) []room {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"...")
	var problems bytes.Buffer
	list.Stderr = &problems
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, &problems)
	}
	var rooms []room
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var r room
		switch err := decoder.Decode(&r); {
		case errors.Is(err, io.EOF):
			return rooms
		case err != nil:
			t.Fatal(err)
		}
		rooms = append(rooms, r)
	}
}

// The responder never sends, so it links nothing that does: its image stays small, and fewer
// libraries can have faults in it.
func TestTheResponderLinksNothingThatSends(t *testing.T) {
	openSources(t)
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", module+"cmd/responder")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := strings.Fields(string(out))
	if !slices.Contains(linked, module+"internal/responder") {
		t.Fatalf("go list names only %d packages", len(linked))
	}
	for _, name := range linked {
		for _, sends := range []string{module + "internal/fcm", "firebase.google.com/", "google.golang.org/grpc", "github.com/envoyproxy/"} {
			if strings.HasPrefix(name, sends) {
				t.Errorf("cmd/responder links %s", name)
			}
		}
	}
}

// openSources touches every source file, so that go test's cache knows of them. It does not see
// what go list reads.
func openSources(t *testing.T) {
	t.Helper()
	for _, top := range []string{"../../cmd", "../../internal", "../../fcmsim", "../../test"} {
		err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".go" {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Each rule has an import that it refuses or permits.
func TestEveryRuleRefuses(t *testing.T) {
	p := loadPlan(t)
	ours := func(names ...string) []string {
		for i := range names {
			names[i] = module + names[i]
		}
		return names
	}
	for name, c := range map[string]struct {
		room room
		want string // empty: allowed
	}{
		"downward":              {room{ImportPath: "internal/fcm", Imports: ours("internal/notification")}, ""},
		"upward":                {room{ImportPath: "internal/queue", Imports: ours("internal/campaign")}, "internal/queue (floor 1) imports internal/campaign (floor 2)"},
		"sideways":              {room{ImportPath: "internal/fcm", Imports: ours("internal/tokens")}, "internal/fcm (floor 2) imports internal/tokens (floor 2)"},
		"sideways on floor 1":   {room{ImportPath: "internal/queue", Imports: ours("internal/fleet")}, "floor 1"},
		"the simulator":         {room{ImportPath: "fcmsim", Imports: ours("internal/notification")}, "nothing of ours but fcmsim"},
		"cmd to sending":        {room{ImportPath: "cmd/fanfare", Imports: ours("cmd/internal/sending")}, ""},
		"cmd to cmd":            {room{ImportPath: "cmd/fanfare", Imports: ours("cmd/fcmsim")}, "cmd/fanfare (floor 7) imports cmd/fcmsim"},
		"config in a room":      {room{ImportPath: "internal/dispatcher", Imports: ours("internal/config")}, "for cmd/ alone"},
		"daemon in assembly":    {room{ImportPath: "cmd/internal/assembly", Imports: ours("internal/daemon")}, ""},
		"Firebase in fcm":       {room{ImportPath: "internal/fcm", Imports: []string{"firebase.google.com/go/v4/messaging"}}, ""},
		"Firebase elsewhere":    {room{ImportPath: "internal/dispatcher", Imports: []string{"firebase.google.com/go/v4/messaging"}}, "for internal/fcm alone"},
		"SQL elsewhere":         {room{ImportPath: "internal/tokens", Imports: []string{"database/sql"}}, "for internal/store alone"},
		"viper elsewhere":       {room{ImportPath: "cmd/fanfare", Imports: []string{"github.com/spf13/viper"}}, "for internal/config alone"},
		"library in the nouns":  {room{ImportPath: "internal/notification", Imports: []string{"github.com/google/uuid"}}, "standard library only"},
		"a room of no floor":    {room{ImportPath: "internal/utils"}, "internal/utils is not in the plan"},
		"its test, downward":    {room{ImportPath: "internal/fcm", XTestImports: ours("internal/fcm", "fcmsim", "test/servers")}, ""},
		"its test, sideways":    {room{ImportPath: "internal/responder", TestImports: ours("internal/dispatcher")}, "internal/dispatcher (floor 4)"},
		"servers alone":         {room{ImportPath: "test/servers", Imports: []string{"github.com/redis/go-redis/v9"}}, ""},
		"back ends on servers":  {room{ImportPath: "test/backends", Imports: ours("test/servers")}, ""},
		"back ends on a room":   {room{ImportPath: "test/backends", Imports: ours("internal/queue")}, "nothing of ours"},
		"servers on a room":     {room{ImportPath: "test/servers", Imports: ours("internal/queue")}, "nothing of ours"},
		"a suite of everything": {room{ImportPath: "test/e2e", XTestImports: ours("fcmsim", "cmd/internal/sending")}, ""},
	} {
		c.room.ImportPath = module + c.room.ImportPath
		got := strings.Join(p.checkRoom(c.room), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// A planned room is removed, and the rest is kept.
func TestPlannedRoomsExist(t *testing.T) {
	p := plan{"internal/queue": 1, "internal/planned": 2}
	got := p.findViolations([]room{{ImportPath: module + "internal/queue"}})
	if want := []string{"internal/planned (floor 2) is in the plan and does not exist"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlanIsRead(t *testing.T) {
	page := "| floor | room | what |\n|---|---|---|\n| 2 | `a` `b/c` | uses `d` |\n| – | `test/e` | tests |\n| 0 | `f` | |\n"
	got, err := readPlan(page)
	if want := (plan{"a": 2, "b/c": 2, "f": 0}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v and %v, want %v", got, err, want)
	}
	if _, err := readPlan(page + "| 3 | `a` | again |\n"); err == nil {
		t.Error("a room with two floors was accepted")
	}
}

// A rule for a room that no longer exists is an error.
func TestOnlyImportersAreRooms(t *testing.T) {
	names := slices.Collect(maps.Keys(loadPlan(t)))
	for kept, by := range onlyImporters {
		for _, keeper := range by {
			if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, keeper) }) {
				t.Errorf("%s is kept by %s, which is no room", kept, keeper)
			}
		}
	}
}
