package inflight

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The table in docs/architecture.md comes from: go test ./internal/inflight -run TestCourses -v
// -pace 10000 -rivals
var (
	pace      = flag.Float64("pace", 1000, "pushes a second in the simulated courses")
	compareTo = flag.Bool("rivals", false, "run other limiters over the courses too, and print all figures")
)

// The limiter holds its bounds on each course; the others are only shown.
func TestCourses(t *testing.T) {
	fewest, most := int(*pace/200), int(*pace)
	for _, c := range courses(*pace) {
		var table strings.Builder
		run := func(ctx context.Context, name string, b bound) []figure {
			l := &load{bound: b, service: newService(), pool: most, rate: *pace}
			if c.begin != nil {
				c.begin(l.service)
			}
			l.run(ctx, c.run)
			figures := c.figures(l)
			if table.Len() == 0 {
				table.WriteString(heading(figures))
			}
			fmt.Fprintf(&table, "| %s |", name)
			for _, f := range figures {
				fmt.Fprintf(&table, " %.1f%s |", f.value*f.factor, f.unit)
			}
			table.WriteByte('\n')
			return figures
		}
		if *compareTo {
			for _, r := range rivals(fewest, most) {
				synctest.Test(t, func(t *testing.T) { run(t.Context(), r.name, r.make(t)) })
			}
		}
		synctest.Test(t, func(t *testing.T) {
			for _, f := range run(t.Context(), "ours", ours{limiter(t, Options{Min: fewest, Max: most})}) {
				if f.value > f.most {
					t.Errorf("%s: %s is %.3f, want at most %.3f", c.name, f.name, f.value, f.most)
				}
			}
		})
		t.Logf("%s, at %.0f/s:\n%s", c.name, *pace, table.String())
	}
}

func heading(figures []figure) string {
	var names []string
	for _, f := range figures {
		names = append(names, f.name)
	}
	return fmt.Sprintf("| limiter | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("--:|", len(names)))
}

// The laws of the service that the limiter is judged by: it serves no more at a time than it can.
func TestTheSimulatedServiceKeepsItsCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &load{bound: fixed(100), service: newService(), pool: 100, rate: 1000}
		l.service.atOnce = 20
		l.run(t.Context(), func(*load) { <-time.After(10 * second) })
		late := l.between(5*second, 10*second)
		if rate := late.rate(); rate < 390 || rate > 410 {
			t.Errorf("20 at once of 50 ms each make %.0f a second, want 400", rate)
		}
		if queued := late.queued(); queued < 190*time.Millisecond || queued > 210*time.Millisecond {
			t.Errorf("80 waiting wait for %s, want 200 ms", queued)
		}
	})
}
