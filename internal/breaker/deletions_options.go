package breaker

import (
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// DeletionsOptions say how many tokens a project may lose in an hour: the larger of the two budgets.
type DeletionsOptions struct {
	// Least is how many deletions are always allowed.
	Least int64
	// Share of the hour's answers, 0 to 1.
	Share float64
	// Logger is required.
	Logger *slog.Logger
	// Registerer takes the metrics; nil: none.
	Registerer prometheus.Registerer
}

func (o DeletionsOptions) validate() error {
	if o.Logger == nil {
		return errors.New("a logger is required")
	}
	if o.Least < 0 {
		return errors.New("least number of deletions is negative")
	}
	if !(o.Share >= 0 && o.Share <= 1) { // which NaN is not
		return errors.New("share of deletions is not between 0 and 1")
	}
	return nil
}
