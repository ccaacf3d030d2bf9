package readthrough

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// lookups counts ids by what became of their look-up.
type lookups struct{ hit, miss, absent, undecided prometheus.Counter }

// newLookups registers the counters, which all caches share; a nil registerer leaves them unregistered.
func newLookups(reg prometheus.Registerer, kind string) (lookups, error) {
	all := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "fanfare", Subsystem: "cache", Name: "lookups_total",
		Help: "Users looked up, by what was looked for and what came of it: hit (in Redis), miss (found in SQL), absent, undecided (nobody could be asked).",
	}, []string{"kind", "result"})
	if reg != nil {
		if err := reg.Register(all); err != nil {
			earlier, ok := errors.AsType[prometheus.AlreadyRegisteredError](err)
			if !ok {
				return lookups{}, err
			}
			if all, ok = earlier.ExistingCollector.(*prometheus.CounterVec); !ok {
				return lookups{}, err
			}
		}
	}
	return lookups{
		hit: all.WithLabelValues(kind, "hit"), miss: all.WithLabelValues(kind, "miss"),
		absent: all.WithLabelValues(kind, "absent"), undecided: all.WithLabelValues(kind, "undecided"),
	}, nil
}

// count takes a look-up's ids: how many there were, and of them those found in Redis, found at all, and undecided.
func (l lookups) count(ids, hits, found, undecided int) {
	l.hit.Add(float64(hits))
	l.miss.Add(float64(found - hits))
	l.undecided.Add(float64(undecided))
	l.absent.Add(float64(ids - found - undecided))
}
