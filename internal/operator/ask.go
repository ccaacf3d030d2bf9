package operator

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// sqlTimeout limits the wait for SQL, which may be what is away.
const sqlTimeout = 2 * time.Second

// askTogether asks several sources at once, which take sqlTimeout together at most. SQL may have to
// answer any of them. The errors are in the order of the questions.
func (o *Operator) askTogether(ctx context.Context, questions ...func(ctx context.Context) error) []error {
	limited, cancel := context.WithTimeout(ctx, o.sqlTimeout)
	defer cancel()
	errs := make([]error, len(questions))
	var all sync.WaitGroup
	for i, ask := range questions {
		all.Go(func() {
			err := ask(limited)
			if err != nil && limited.Err() != nil && ctx.Err() == nil {
				err = fmt.Errorf("no answer within %s", o.sqlTimeout)
			}
			errs[i] = err
		})
	}
	all.Wait()
	return errs
}
