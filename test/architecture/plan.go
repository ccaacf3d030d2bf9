// Package architecture checks the imports of all packages against the table of rooms in docs/architecture.md.
package architecture

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const module = "fanfare/"

// plan is the floor of each room, as the table in docs/architecture.md has it. A room imports only from lower floors,
// and so do its tests. Rooms of one floor do not know each other.
type plan map[string]int

var (
	planRow  = regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+) \|`)
	roomName = regexp.MustCompile("`([^`]+)`")
)

// readPlan reads the table of rooms of a page.
func readPlan(page string) (plan, error) {
	p := make(plan)
	for _, row := range planRow.FindAllStringSubmatch(page, -1) {
		floor, err := strconv.Atoi(row[1])
		if err != nil {
			return nil, err
		}
		for _, name := range roomName.FindAllStringSubmatch(row[2], -1) {
			if _, twice := p[name[1]]; twice {
				return nil, fmt.Errorf("%s has two floors", name[1])
			}
			p[name[1]] = floor
		}
	}
	return p, nil
}

// keepers are the rooms that alone may import something: ours or a library's.
var keepers = map[string][]string{
	module + "internal/config":     {"cmd/"},
	module + "internal/daemon":     {"cmd/"},
	"firebase.google.com/go":       {"internal/fcm"},
	"database/sql":                 {"internal/store"},
	"github.com/jackc/pgx":         {"internal/store"},
	"modernc.org/sqlite":           {"internal/store"},
	"github.com/pressly/goose":     {"internal/store"},
	"github.com/spf13/viper":       {"internal/config"},
	"github.com/spf13/cobra":       {"cmd/"},
	"github.com/coreos/go-systemd": {"internal/daemon"},
}

// standardOnly are the rooms that import no library at all.
var standardOnly = []string{"internal/notification"}

// testServers may be imported by the tests of every room.
const testServers = module + "test/servers"

// room is a package as "go list -json" prints it.
type room struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func (r room) name() string { return strings.TrimPrefix(r.ImportPath, module) }

// violations lists every import that the plan forbids, every room without a floor, and every planned room that is missing.
func (p plan) violations(rooms []room) []string {
	found := p.missing(rooms)
	for _, r := range rooms {
		found = append(found, p.judgeRoom(r)...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// missing lists the planned rooms that do not exist.
func (p plan) missing(rooms []room) []string {
	var found []string
	for name, floor := range p {
		if !slices.ContainsFunc(rooms, func(r room) bool { return r.name() == name }) {
			found = append(found, fmt.Sprintf("%s (floor %d) is in the plan and does not exist", name, floor))
		}
	}
	return found
}

// judgeRoom lists what is wrong with one room.
func (p plan) judgeRoom(r room) []string {
	if strings.HasPrefix(r.name(), "test/") {
		if r.ImportPath == testServers {
			return r.strangers()
		}
		return nil
	}
	if _, planned := p[r.name()]; !planned {
		return []string{r.name() + " is not in the plan"}
	}
	var found []string
	for _, imported := range r.Imports {
		found = append(found, p.judge(r, imported)...)
	}
	for _, imported := range slices.Concat(r.TestImports, r.XTestImports) {
		if imported != testServers && imported != r.ImportPath {
			found = append(found, p.descends(r, imported)...)
		}
	}
	return found
}

// strangers lists imports of this module in a package that should have none.
func (r room) strangers() []string {
	var found []string
	for _, imported := range r.Imports {
		if strings.HasPrefix(imported, module) {
			found = append(found, fmt.Sprintf("%s imports %s, and should import nothing of ours", r.name(), imported))
		}
	}
	return found
}

// judge checks one import of a room.
func (p plan) judge(r room, imported string) []string {
	found := p.descends(r, imported)
	for kept, by := range keepers {
		if strings.HasPrefix(imported, kept) && !slices.ContainsFunc(by, func(keeper string) bool { return strings.HasPrefix(r.name(), keeper) }) {
			found = append(found, fmt.Sprintf("%s imports %s, which is for %s alone", r.name(), imported, strings.Join(by, ", ")))
		}
	}
	if host, _, _ := strings.Cut(imported, "/"); slices.Contains(standardOnly, r.name()) && strings.Contains(host, ".") {
		found = append(found, fmt.Sprintf("%s imports %s, and should import the standard library only", r.name(), imported))
	}
	return found
}

// descends checks the direction of one import.
func (p plan) descends(r room, imported string) []string {
	below, ours := strings.CutPrefix(imported, module)
	if !ours {
		return nil
	}
	to, planned := p[below]
	from := p[r.name()]
	switch {
	case !planned:
		return []string{fmt.Sprintf("%s imports %s, which is not in the plan", r.name(), below)}
	case cmp.Compare(to, from) >= 0:
		return []string{fmt.Sprintf("%s (floor %d) imports %s (floor %d)", r.name(), from, below, to)}
	}
	return nil
}
