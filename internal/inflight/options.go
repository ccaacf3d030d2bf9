package inflight

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Options are the bounds between which the limit is looked for.
type Options struct {
	// Min is what is always allowed in flight, however overloaded the service seems. Capped at Max.
	Min int
	// Max is what is never exceeded, in requests in flight; the pool's size.
	Max int
	// Registerer takes the metrics; nil: none.
	Registerer prometheus.Registerer
}

// DefaultOptions look between 50 and 500.
func DefaultOptions() Options { return Options{Min: 50, Max: 500} }

// withDefaults fills what is not said.
func (o Options) withDefaults() Options {
	d := DefaultOptions()
	if o.Max == 0 {
		o.Max = d.Max
	}
	if o.Min == 0 {
		o.Min = d.Min
	}
	o.Min = min(o.Min, o.Max)
	return o
}

func (o Options) validate() error {
	if o.Min < 0 || o.Max < 0 {
		return fmt.Errorf("at least %d and at most %d in flight: both must be above zero", o.Min, o.Max)
	}
	return nil
}
