package notification_test

import (
	"testing"

	"fanfare/internal/notification"
)

// A stored status gives way to one of a higher rank. A text that is no status replaces none.
func TestRanksAscend(t *testing.T) {
	t.Parallel()
	below := notification.Status("lost").Rank()
	for _, status := range notification.Statuses {
		if rank := status.Rank(); rank <= below {
			t.Errorf("%s has rank %d, after %d", status, rank, below)
		} else {
			below = rank
		}
	}
}
