package readthrough

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// lookups counts ids by what became of their look-up, and those whose key holds another type, whatever became of them.
type lookups struct{ hit, miss, absent, undecided, mistyped prometheus.Counter }

// newLookups registers the counters, which all caches share; a nil registerer leaves them unregistered.
func newLookups(reg prometheus.Registerer, kind string) (lookups, error) {
	all, err := shared(reg, "lookups_total",
		"Users looked up, by what was looked for and what came of it: hit (in Redis), miss (found in SQL), absent, undecided (nobody could be asked).",
		"kind", "result")
	if err != nil {
		return lookups{}, err
	}
	mistyped, err := shared(reg, "mistyped_total",
		"Users looked up whose key in Redis holds another type than a string, by what was looked for; the log names such a key.", "kind")
	if err != nil {
		return lookups{}, err
	}
	return lookups{
		hit: all.WithLabelValues(kind, "hit"), miss: all.WithLabelValues(kind, "miss"),
		absent: all.WithLabelValues(kind, "absent"), undecided: all.WithLabelValues(kind, "undecided"),
		mistyped: mistyped.WithLabelValues(kind),
	}, nil
}

// shared registers a counter, or finds the one that another cache registered.
func shared(reg prometheus.Registerer, name, help string, labels ...string) (*prometheus.CounterVec, error) {
	made := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "fanfare", Subsystem: "cache", Name: name, Help: help}, labels)
	if reg == nil {
		return made, nil
	}
	err := reg.Register(made)
	if earlier, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if found, ok := earlier.ExistingCollector.(*prometheus.CounterVec); ok {
			return found, nil
		}
	}
	return made, err
}

// count takes a look-up's ids: how many there were, and of them those found in Redis, found at all, and undecided.
func (l lookups) count(ids, hits, found, undecided int) {
	l.hit.Add(float64(hits))
	l.miss.Add(float64(found - hits))
	l.undecided.Add(float64(undecided))
	l.absent.Add(float64(ids - found - undecided))
}
