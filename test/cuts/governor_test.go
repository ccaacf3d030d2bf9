package cuts

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

// moments are numbers so large that they are times, which no two calls have in common: in minutes,
// or in smaller units.
var moments = regexp.MustCompile(`\d{8,}`)

// still is a hash or a stream without its times.
func still(t *testing.T, rdb *redis.Client, key string) string {
	t.Helper()
	if rdb.Type(t.Context(), key).Val() == "stream" {
		var all []string
		for _, entry := range rdb.XRange(t.Context(), key, "-", "+").Val() {
			all = append(all, fmt.Sprint(entry.Values))
		}
		return strings.Join(all, "; ")
	}
	fields, err := rdb.HGetAll(t.Context(), key).Result()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if fields[field] == "" { // a breaker's field that is gone, and not yet removed
			continue
		}
		all = append(all, moments.ReplaceAllString(field+"="+fields[field], "T"))
	}
	return strings.Join(all, "; ")
}

// text is a whole script of a room, behind its preludes: names of pieces of the same room, or of
// another one with the room before a slash.
func text(t *testing.T, script, preludes string) string {
	t.Helper()
	room, _, _ := strings.Cut(script, "/")
	var before strings.Builder
	for _, piece := range strings.Fields(preludes) {
		from, name, other := strings.Cut(piece, "/")
		if !other {
			from, name = room, piece
		}
		text, err := os.ReadFile("../../internal/" + from + "/lua/" + name + ".lua")
		if err != nil {
			t.Fatal(err)
		}
		before.Write(text)
	}
	return redisx.Join(before.String(), scripts()[script])
}

// recorded are the preludes of scripts that add to the history of a project.
const recorded = "prelude history/prelude record_prelude"

// governing are calls whose hashes come to the same, whether or not they were cut and repeated.
var governing = map[string]struct {
	script  string
	prelude string
	keys    map[string][]any // hashes by their key, and what they hold
	args    []any
	same    string // the call's keys in order, by spaces
}{
	"close":         {"pacing/close", "prelude", map[string][]any{"p": {"quota", 5, "cursor", 1}}, []any{"s", 1e6, 1e9, "429", "FCM"}, "p"},
	"halt":          {"pacing/halt", recorded, map[string][]any{"p": {"era", 7}}, []any{"s", "bad key", "me"}, "p h e"},
	"halt again":    {"pacing/halt", recorded, map[string][]any{"p": {"era", 7}, "h": {"other", "1 me"}}, []any{"s", "bad key", "me"}, "p h e"},
	"resume":        {"pacing/resume", recorded, map[string][]any{"p": {"era", 7, "warm", 1}, "h": {"a", "1 me"}}, []any{"s", "a", "me"}, "p h e"},
	"resume one":    {"pacing/resume", recorded, map[string][]any{"p": {"era", 7, "warm", 1}, "h": {"a", "1 me", "b", "1 me"}}, []any{"s", "a", "me"}, "p h e"},
	"resume all":    {"pacing/resume", recorded, map[string][]any{"p": {"era", 7, "warm", 1}, "h": {"a", "1 me", "b", "1 me"}}, []any{"s", "", "me"}, "p h e"},
	"set":           {"pacing/set", recorded, map[string][]any{"p": {"era", 7, "interval", "1000", "cursor", 1}}, []any{"s", 1000, 2000, "me", "five", 5, 0, 0, "0"}, "p e"},
	"note":          {"pacing/note", recorded, map[string][]any{"e2": {"a", 1}}, []any{"seen", "me", "u1"}, "e"},
	"forget set":    {"pacing/set", recorded, map[string][]any{"p": {"era", 7, "interval", "1000", "quota", 9}}, []any{"s", 1000, 2000, "me", ""}, "p e"},
	"lease a share": {"pacing/lease", "prelude", nil, []any{1, 1000, 0, "0", 1e6, 2e4, 1e6, 1e9, "ask", 0, 0}, "p h"},
	"pacing state":  {"pacing/state", "prelude", nil, nil, "p h"},

	"admit":            {"breaker/admit", "prelude", map[string][]any{"b": {"round", 5}}, []any{"c1", 3, 100, 60000, 60000, 0}, "b"},
	"admit first":      {"breaker/admit", "prelude", nil, []any{"c1", 3, 100, 60000, 60000, 0}, "b"},
	"admissions again": {"breaker/extend", "prelude", map[string][]any{"b": {"round", 5, "lease:c1", "3 99999999999999"}}, []any{60000, "c1"}, "b"},
	"look":             {"breaker/look", "prelude", map[string][]any{"b": {"round", 5}}, nil, "b"},
	"pass":             {"breaker/pass", "prelude", map[string][]any{"b": {"round", 5, "proofs", 9, "canary:ok:", 9}}, []any{5, 9, 60000}, "b"},
	"reset":            {"breaker/reset", "prelude", map[string][]any{"b": {"round", 5, "passed", 1, "platform:ios", "x y"}}, []any{"id", 1000, 60000}, "b"},
	"confirm":          {"breaker/confirm", "prelude", map[string][]any{"b": {"round", 5, "trip", "id", "trip_until", 1}}, []any{"id"}, "b"},
	"take":             {"breaker/take", "prelude", map[string][]any{"b": {"round", 5, "trip", "old", "trip_until", 1}}, []any{"old", "id", 1000}, "b"},
	"trip":             {"breaker/trip", "prelude", map[string][]any{"b": {"round", 5, "passed", 1, "canary:ok:", 4}}, []any{5, "id", "{}", 1000, 1000, 60000}, "b"},
	"pause": {"breaker/pause", "prelude", map[string][]any{"b": {"round", 5, "proofs", 4, "canary:bad:ios", 3, "window:99999999999:bad:ios", 3}},
		[]any{"ios", "reason", "id", "bad", 60000, 5, "{}"}, "b"},
	"hold":    {"breaker/hold", "prelude", map[string][]any{"b": {"round", 5, "passed", 1}}, []any{5, "id", "{}", "unanswered", "none", "", 1000, 60000, 1000, 60000}, "b"},
	"release": {"breaker/release", "prelude", map[string][]any{"b": {"round", 5, "hold", "id 1 1 2 unanswered none"}}, []any{60000}, "b"},
	"conclude": {"breaker/conclude", "prelude", map[string][]any{"b": {"round", 5, "lease:c1", "3 99999999999999"}},
		[]any{"me", 1, 5, "0", "neutral", "excused", 60000, 1, 1, "c1", 2, "unanswered", "HTTP 503", "ok", "ios", 4, "bad", "web", 1}, "b"},
	"lease deletions":   {"breaker/deletions_lease", "deletions_prelude", nil, []any{"me", 1, 100, 0.5, 10, 0, 2}, "d"},
	"look at deletions": {"breaker/deletions_look", "deletions_prelude", nil, []any{100, 0.5}, "d"},

	"beat":           {"fleet/beat", "prelude", map[string][]any{"f": {"dead", "1 2 {}", "me", "1 9000000000000 {}"}}, []any{"me", "{}", 6000}, "f"},
	"record traffic": {"traffic/add", "", map[string][]any{"t": {"s1", "5", "m1", "5", "by:me", "1 29000000"}}, []any{"me", 2, 60000, "3,1"}, "t"},
	"list processes": {"fleet/list", "prelude", nil, nil, "f"},
}

func TestGovernor(t *testing.T) {
	sound, cutting, k := open(t)
	for name, g := range governing {
		t.Run(name, func(t *testing.T) {
			keys := strings.Fields(g.same)
			prepare := func(t *testing.T) struct{} {
				if err := sound.FlushAll(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
				for key, fields := range g.keys {
					if err := sound.HSet(t.Context(), key, fields...).Err(); err != nil {
						t.Fatal(err)
					}
				}
				return struct{}{}
			}
			whole := text(t, g.script, g.prelude)
			act := func(t *testing.T, _ struct{}) error { return cutting.Eval(t.Context(), whole, keys, g.args...).Err() }
			hashes := func(t *testing.T) string {
				var all []string
				for _, key := range keys {
					all = append(all, still(t, sound, key))
				}
				return strings.Join(all, " | ")
			}
			prepare(t)
			if err := act(t, struct{}{}); err != nil {
				t.Fatal(err)
			}
			want := hashes(t)
			each(t, k, g.script, prepare, act, func(t *testing.T, w struct{}) {
				fields := sound.HGetAll(t.Context(), "p").Val()
				halted := sound.Exists(t.Context(), "h").Val() > 0
				if g.script == "pacing/halt" && sound.HExists(t.Context(), "h", "bad key").Val() && fields["era"] == "7" {
					t.Error("halted in the era of permits that are leased")
				}
				if g.script == "pacing/resume" && !halted && fields["warm"] != "0" {
					t.Error("resumed without a ramp")
				}
				if err := act(t, w); err != nil {
					t.Fatal(err)
				}
				if got := hashes(t); got != want {
					t.Errorf("after a cut and a repetition\n%s, want\n%s", got, want)
				}
			})
		})
	}
}
