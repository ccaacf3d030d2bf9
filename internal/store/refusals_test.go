package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
)

// twoDevices are why a recipient has rows in the table of devices.
var twoDevices = []notification.DeviceResult{{Address: "a…", Kind: "token", Status: notification.StatusFailed}, {Address: "b…", Kind: "token", Status: notification.StatusFailed}}

// readsAndWrites are the calls of a store, and the tables that each needs. Reads do without the
// devices, which an earlier version does not have.
var readsAndWrites = map[string]struct {
	tables []string
	call   func(ctx context.Context, s *Store) error
}{
	"apply": {[]string{"fanfare_deliveries", "fanfare_delivery_devices", "fanfare_minutes", "users"}, func(ctx context.Context, s *Store) error {
		r := outcome("42", "u9", "9", notification.StatusFailed)
		r.TokenRemoved, r.Token, r.At = true, "tok-1", time.Now().UTC()
		r.Devices = twoDevices
		return s.Apply(ctx, []notification.Result{r})
	}},
	"choices":         {[]string{"fanfare_deliveries"}, func(ctx context.Context, s *Store) error { _, err := s.Choices(ctx, "42"); return err }},
	"summary":         {[]string{"fanfare_minutes"}, func(ctx context.Context, s *Store) error { _, err := s.Summary(ctx, "42"); return err }},
	"deliveries":      {[]string{"fanfare_deliveries"}, func(ctx context.Context, s *Store) error { _, err := s.Deliveries(ctx, "42", "u1"); return err }},
	"user deliveries": {[]string{"fanfare_deliveries"}, func(ctx context.Context, s *Store) error { _, err := s.UserDeliveries(ctx, "u1", 5); return err }},
	"all deliveries": {[]string{"fanfare_deliveries"}, func(ctx context.Context, s *Store) error {
		for _, err := range s.CampaignDeliveries(ctx, "42", Filter{}) {
			if err != nil {
				return err
			}
		}
		return nil
	}},
	"minutes": {[]string{"fanfare_minutes"}, func(ctx context.Context, s *Store) error { _, err := s.Minutes(ctx, "42"); return err }},
	"removed": {[]string{"fanfare_deliveries"}, func(ctx context.Context, s *Store) error { _, err := s.RemovedTokens(ctx, "42"); return err }},
	"history": {[]string{"fanfare_history"}, func(ctx context.Context, s *Store) error { _, err := s.History(ctx, "42"); return err }},
	"add history": {[]string{"fanfare_history"}, func(ctx context.Context, s *Store) error {
		return s.AddHistory(ctx, "42", []notification.HistoryEntry{{ID: "1-1", What: "started", At: time.Now()}})
	}},
	"tokens":     {[]string{"users"}, func(ctx context.Context, s *Store) error { _, err := s.Tokens(ctx, []string{"u1"}); return err }},
	"profiles":   {[]string{"users"}, func(ctx context.Context, s *Store) error { _, err := s.Profiles(ctx, []string{"u1"}); return err }},
	"devices":    {[]string{"users"}, func(ctx context.Context, s *Store) error { _, err := s.Devices(ctx, []string{"u1"}); return err }},
	"suppressed": {[]string{"users"}, func(ctx context.Context, s *Store) error { _, err := s.Suppressed(ctx, []string{"u1"}); return err }},
	"restore tokens": {[]string{"users"}, func(ctx context.Context, s *Store) error {
		return s.RestoreTokens(ctx, map[string][]string{"u1": {"tok-1"}})
	}},
	"query": {[]string{"users"}, func(ctx context.Context, s *Store) error {
		_, err := s.OpenQuery(ctx, "SELECT id AS user_id FROM users", "user_id")
		return err
	}},
	"check the queries": {[]string{"users"}, func(ctx context.Context, s *Store) error { return s.CheckQueries(ctx) }},
	"check the writes":  {[]string{"fanfare_deliveries", "fanfare_history"}, func(ctx context.Context, s *Store) error { return s.CheckWrites(ctx) }},
}

// A missing table is an error of every call that needs it, whichever of its statements it is. So is
// a context that has ended.
func TestCallsReportWhatTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range readsAndWrites {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			o := DefaultOptions()
			o.ProfileQuery = "SELECT id, profile FROM users WHERE id IN (SELECT value FROM json_each($1))"
			o.SuppressionQuery = "SELECT id FROM users WHERE id IN (SELECT value FROM json_each($1))"
			for _, missing := range append([]string{""}, c.tables...) {
				s := migrated(t, sqliteURL(t), o)
				execute(t, s, "CREATE TABLE users (id TEXT PRIMARY KEY, fcm_token TEXT, profile TEXT)", "INSERT INTO users VALUES ('u1', 'tok-1', NULL)")
				before := outcome("42", "u1", "1", notification.StatusFailed)
				before.Devices = twoDevices
				apply(t, s, before)
				if missing == "" {
					if err := c.call(t.Context(), s); err != nil {
						t.Errorf("with all tables: %v", err)
					}
					ended, end := context.WithCancel(t.Context())
					end()
					if err := c.call(ended, s); err == nil {
						t.Error("a context that has ended is no error")
					}
					continue
				}
				execute(t, s, "DROP TABLE "+missing)
				if err := c.call(t.Context(), s); err == nil {
					t.Errorf("without the table %s there is no error", missing)
				}
			}
		})
	}
}
