package caps

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"fanfare/test/backends"
)

// clock is a hook of a client. It has scripts read a time that the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock(at time.Time) *clock { return &clock{at: at.Truncate(unit)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// before stands before a script. Redis protects its own table, so scripts get a copy.
const before = `local redis = (function(own)
  local function timed(call)
    return function(command, ...)
      if command == 'TIME' then
        return {'%d', '0'}
      end
      return call(command, ...)
    end
  end
  return setmetatable({call = timed(own.call), pcall = timed(own.pcall)}, {__index = own})
end)(redis)
`

type noScript string

func (e noScript) Error() string { return string(e) }
func (noScript) RedisError()     {}

func (c *clock) DialHook(next redis.DialHook) redis.DialHook { return next }
func (c *clock) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (c *clock) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		switch strings.ToLower(cmd.Name()) {
		case "evalsha":
			cmd.SetErr(noScript("NOSCRIPT No matching script"))
			return cmd.Err()
		case "eval":
			cmd.Args()[1] = fmt.Sprintf(before, c.now().Unix()) + cmd.Args()[1].(string)
		}
		return next(ctx, cmd)
	}
}

// course is one element in the model: reserved, and perhaps accepted.
type course struct {
	element  Element
	reserved int64 // in units; 0: no entry
	accepted time.Time
}

// model is what the shards should hold. Elements of a user are those of several campaigns.
type model struct {
	caps    []Cap
	courses map[string]*course
}

// mayReserve reports whether a user has room for an element, beside the entries of others.
func (m *model) mayReserve(c *course, now int64) bool {
	for _, limit := range m.caps {
		n := 0
		for _, other := range m.courses {
			if other != c && other.element.User == c.element.User && other.reserved > 0 && other.reserved >= now-unitsOf(limit.Window) {
				n++
			}
		}
		if n >= limit.Count {
			return false
		}
	}
	return true
}

// checkWindows checks the promise itself: no window has more accepted pushes than its cap.
func (m *model) checkWindows(r *rapid.T) {
	sent := make(map[string][]time.Time)
	for _, c := range m.courses {
		if !c.accepted.IsZero() {
			sent[c.element.User] = append(sent[c.element.User], c.accepted)
		}
	}
	for user, times := range sent {
		slices.SortFunc(times, time.Time.Compare)
		for _, limit := range m.caps {
			for i := limit.Count; i < len(times); i++ {
				if times[i].Sub(times[i-limit.Count]) < limit.Window {
					r.Errorf("user %s got %d pushes within %s: %v", user, limit.Count+1, limit, times)
				}
			}
		}
	}
}

// agrees plays random courses: campaigns that reserve for the same users in any order, accept,
// release, crash and are redelivered, while time passes. A redelivery is a reservation by the same
// element.
func agrees(t *testing.T, b *backends.Backend) {
	rapid.Check(t, func(r *rapid.T) {
		f := open(t, b, rapid.SampledFrom([]string{"1 in 1d", "2 in 3h, 3 in 1d", "2 in 1d, 4 in 7d, 5 in 30d"}).Draw(r, "caps"))
		m := &model{caps: f.Caps(), courses: make(map[string]*course)}
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			switch rapid.SampledFrom([]string{"reserve", "reserve", "reserve", "accept", "release", "wait"}).Draw(r, "step") {
			case "reserve":
				m.reserve(r, f)
			case "accept":
				if c := m.draw(r, func(c *course) bool {
					return c.reserved > 0 && c.accepted.IsZero() && timeOf(c.reserved).Equal(f.clock.now())
				}); c != nil {
					c.accepted = f.clock.now()
				}
			case "release":
				if c := m.draw(r, func(c *course) bool { return c.accepted.IsZero() }); c != nil {
					if err := f.Release(t.Context(), []Element{c.element}); err != nil {
						r.Fatal(err)
					}
					c.reserved = 0
				}
			case "wait":
				f.clock.advance(time.Duration(rapid.IntRange(1, 200).Draw(r, "units")) * unit)
			}
		}
		m.checkWindows(r)
	})
}

// draw picks a known course, if one fits.
func (m *model) draw(r *rapid.T, fits func(*course) bool) *course {
	var some []string
	for _, name := range slices.Sorted(maps.Keys(m.courses)) {
		if fits(m.courses[name]) {
			some = append(some, name)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return m.courses[rapid.SampledFrom(some).Draw(r, "course")]
}

// reserve reserves for some elements in one call, new ones and redelivered ones.
func (m *model) reserve(r *rapid.T, f fixture) {
	names := rapid.SliceOfN(rapid.StringMatching("[a-c]/[0-9] u[0-2]"), 1, 5).Draw(r, "elements")
	now := f.clock.now().Unix() / int64(unit.Seconds())
	some, want := make([]Element, 0, len(names)), make([]bool, 0, len(names))
	for _, name := range names {
		c := m.courses[name]
		if c == nil {
			c = &course{element: f.elementOf(name)}
			m.courses[name] = c
		}
		if !c.accepted.IsZero() {
			continue // it has ended
		}
		may := m.mayReserve(c, now)
		if may {
			c.reserved = now
		}
		some, want = append(some, c.element), append(want, may)
	}
	refused, err := f.Reserve(context.Background(), some)
	if err != nil {
		r.Fatal(err)
	}
	for i := range some {
		if refused[i].Capped == want[i] {
			r.Fatalf("%s of %s: refused %t, want %t", some[i].ID, some[i].User, !want[i], want[i])
		}
	}
}
