// Package architecture checks all imports against the table of rooms in docs/architecture.md.
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

// plan maps each room to its floor in the table of docs/architecture.md. A room and its tests
// import from lower floors only, so rooms of one floor never import each other.
type plan map[string]int

var (
	planRow  = regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+) \|`)
	roomName = regexp.MustCompile("`([^`]+)`")
)

// readPlan reads the table of rooms from a page.
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

// onlyImporters maps a package, ours or a library, to the rooms that may import it.
var onlyImporters = map[string][]string{
	module + "internal/config":     {"cmd/"},
	module + "internal/daemon":     {"cmd/"},
	"firebase.google.com/go":       {"internal/fcm"},
	"database/sql":                 {"internal/store"},
	"github.com/jackc/pgx":         {"internal/store"},
	"modernc.org/sqlite":           {"internal/store"},
	"github.com/pressly/goose":     {"internal/store"},
	"github.com/spf13/viper":       {"internal/config"},
	"github.com/spf13/cobra":       {"cmd/"},
	"charm.land/bubbletea":         {"cmd/internal/live"},
	"github.com/coreos/go-systemd": {"internal/daemon"},
}

// standardOnly are the rooms that import no library.
var standardOnly = []string{"internal/notification"}

// public is the part of the module that others may import. It imports nothing else of ours.
const public = module + "fcmsim"

// testHelpers may be imported by the tests of every room, and so import nothing of ours but each
// other.
var testHelpers = []string{module + "test/servers", module + "test/backends", module + "test/refusals"}

// room is a package as "go list -json" prints it.
type room struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func (r room) name() string { return strings.TrimPrefix(r.ImportPath, module) }

// findViolations returns every forbidden import, every room without a floor, and every planned room
// that is missing.
func (p plan) findViolations(rooms []room) []string {
	found := p.findMissing(rooms)
	for _, r := range rooms {
		found = append(found, p.checkRoom(r)...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// findMissing returns the planned rooms that do not exist.
func (p plan) findMissing(rooms []room) []string {
	var found []string
	for name, floor := range p {
		if !slices.ContainsFunc(rooms, func(r room) bool { return r.name() == name }) {
			found = append(found, fmt.Sprintf("%s (floor %d) is in the plan and does not exist", name, floor))
		}
	}
	return found
}

// checkRoom returns the faults of one room.
func (p plan) checkRoom(r room) []string {
	if strings.HasPrefix(r.name(), "test/") {
		if slices.Contains(testHelpers, r.ImportPath) {
			return r.findOwnImports()
		}
		return nil
	}
	if _, planned := p[r.name()]; !planned {
		return []string{r.name() + " is not in the plan"}
	}
	var found []string
	for _, imported := range r.Imports {
		found = append(found, p.checkImport(r, imported)...)
	}
	for _, imported := range slices.Concat(r.TestImports, r.XTestImports) {
		if !slices.Contains(testHelpers, imported) && imported != r.ImportPath {
			found = append(found, p.checkDirection(r, imported)...)
		}
	}
	return found
}

// findOwnImports returns imports of rooms in a package that should have none.
func (r room) findOwnImports() []string {
	var found []string
	for _, imported := range r.Imports {
		if strings.HasPrefix(imported, module) && !slices.Contains(testHelpers, imported) {
			found = append(found, fmt.Sprintf("%s imports %s, and should import nothing of ours", r.name(), imported))
		}
	}
	return found
}

// checkImport returns the faults of one import.
func (p plan) checkImport(r room, imported string) []string {
	found := p.checkDirection(r, imported)
	for kept, by := range onlyImporters {
		if strings.HasPrefix(imported, kept) && !slices.ContainsFunc(by, func(keeper string) bool { return strings.HasPrefix(r.name(), keeper) }) {
			found = append(found, fmt.Sprintf("%s imports %s, which is for %s alone", r.name(), imported, strings.Join(by, ", ")))
		}
	}
	if strings.HasPrefix(r.ImportPath, public) && strings.HasPrefix(imported, module) && !strings.HasPrefix(imported, public) {
		found = append(found, fmt.Sprintf("%s imports %s, and should import nothing of ours but fcmsim", r.name(), imported))
	}
	if host, _, _ := strings.Cut(imported, "/"); slices.Contains(standardOnly, r.name()) && strings.Contains(host, ".") {
		found = append(found, fmt.Sprintf("%s imports %s, and should import the standard library only", r.name(), imported))
	}
	return found
}

// checkDirection returns an error if an import does not go to a lower floor.
func (p plan) checkDirection(r room, imported string) []string {
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
