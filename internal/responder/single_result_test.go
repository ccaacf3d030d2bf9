package responder_test

import (
	"context"
	"fmt"
	"testing"

	"fanfare/internal/notification"
)

// A database that is too slow even for one result is tried again. The result is not refused.
func TestATimeoutRefusesNoSingleResult(t *testing.T) {
	db := &database{fails: func(_ context.Context, call int, _ []notification.Result) error {
		if call <= 3 {
			return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
		}
		return nil
	}}
	w := newWorld(t, db)
	elements, ids := sent(1)
	w.push(elements...)
	w.drain()
	db.wantRows(t, ids)
	if l := w.letters(); len(l) != 0 {
		t.Errorf("dead letters of a slow database: %+v", l)
	}
}
