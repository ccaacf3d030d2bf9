// Package architecture holds the plan of the house, docs/architecture.md, against what the rooms import.
package architecture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const module = "fanfare/"

// floors are the rooms and where they stand. A room imports only from floors below its own, and the tests in it do the
// same; rooms of one floor do not know each other.
var floors = map[string]int{
	"cmd/dispatcher":        7,
	"cmd/responder":         7,
	"cmd/fanfare":           7,
	"cmd/fcmsim":            7,
	"cmd/internal/wire":     6,
	"internal/console":      5,
	"internal/dispatcher":   4,
	"internal/responder":    4,
	"internal/operator":     4,
	"internal/content":      3,
	"internal/campaign":     2,
	"internal/tokens":       2,
	"internal/profiles":     2,
	"internal/pacing":       2,
	"internal/inflight":     2,
	"internal/breaker":      2,
	"internal/fcm":          2,
	"internal/responses":    2,
	"internal/store":        2,
	"internal/queue":        1,
	"internal/readthrough":  1,
	"internal/notification": 1,
	"internal/daemon":       1,
	"internal/config":       1,
	"internal/fcmsim":       1,
	"internal/fcmsim/h2":    0,
	"internal/redisinfo":    0,
	"internal/redact":       0,
	"internal/bounds":       0,
	"internal/terminal":     0,
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

// Servers are of use to the tests of every room.
const testServers = module + "test/servers"

// room is a package as "go list -json" tells of it.
type room struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func (r room) name() string { return strings.TrimPrefix(r.ImportPath, module) }

// violations lists every arrow that the plan does not have, and every room that is not in it.
func violations(rooms []room) []string {
	var found []string
	for _, r := range rooms {
		if strings.HasPrefix(r.name(), "test/") {
			if r.ImportPath == testServers {
				found = append(found, r.strangers()...)
			}
			continue
		}
		if _, planned := floors[r.name()]; !planned {
			found = append(found, r.name()+" is not in the plan")
			continue
		}
		for _, imported := range r.Imports {
			found = append(found, r.judge(imported)...)
		}
		for _, imported := range slices.Concat(r.TestImports, r.XTestImports) {
			if imported != testServers && imported != r.ImportPath {
				found = append(found, r.descends(imported)...)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// strangers finds what a package imports of ours that is to import nothing of ours.
func (r room) strangers() []string {
	var found []string
	for _, imported := range r.Imports {
		if strings.HasPrefix(imported, module) {
			found = append(found, fmt.Sprintf("%s imports %s, and should import nothing of ours", r.name(), imported))
		}
	}
	return found
}

func (r room) judge(imported string) []string {
	found := r.descends(imported)
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

// descends checks the direction of one arrow.
func (r room) descends(imported string) []string {
	below, ours := strings.CutPrefix(imported, module)
	if !ours {
		return nil
	}
	to, planned := floors[below]
	from := floors[r.name()]
	switch {
	case !planned:
		return []string{fmt.Sprintf("%s imports %s, which is not in the plan", r.name(), below)}
	case cmp.Compare(to, from) >= 0:
		return []string{fmt.Sprintf("%s (floor %d) imports %s (floor %d)", r.name(), from, below, to)}
	}
	return nil
}
