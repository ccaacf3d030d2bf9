package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// A late result of a lower rank does not change the row.
func ExampleStore() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "fanfare.db"), store.Options{})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	if err := s.Migrate(ctx); err != nil {
		panic(err)
	}
	result := notification.Result{
		CampaignID: "42", UserID: "u", ResultID: "1", Status: notification.StatusSent, Attempts: 1, At: time.Unix(0, 0),
	}
	late := result
	late.Status = notification.StatusUnknown
	if err := s.Apply(ctx, []notification.Result{result, late}); err != nil {
		panic(err)
	}
	summary, err := s.Summary(ctx, "42")
	fmt.Println(summary.Counts[notification.StatusSent], summary.Total(), err)
	// Output: 1 1 <nil>
}
