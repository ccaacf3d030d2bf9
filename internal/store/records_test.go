package store

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
)

// collect returns what an iteration yields.
func collect(t *testing.T, s *Store, campaign string, f Filter) (found []notification.Result) {
	t.Helper()
	for r, err := range s.CampaignDeliveries(t.Context(), campaign, f) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, r)
	}
	return found
}

// Each filter yields exactly its rows, in the order of users, beyond the size of a page.
func TestCampaignDeliveriesYieldWhatMatches(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		var all []notification.Result
		for i := range 2*deliveriesPage + 17 {
			r := outcome("42", fmt.Sprintf("u%05d", i/2), fmt.Sprintf("%05d", i), notification.Statuses[i%len(notification.Statuses)])
			r.ErrorCode = []string{"", "A", "B"}[i%3]
			all = append(all, r)
		}
		apply(t, s, all...)
		apply(t, s, outcome("43", "u", "1", notification.StatusFailed), outcome("", "u", "1", notification.StatusFailed))
		for _, status := range append([]notification.Status{""}, notification.Statuses...) {
			for _, code := range []string{"", "A", "none"} {
				f := Filter{Status: status, Code: code}
				var want []notification.Result
				for _, r := range all {
					if f.matches(r) {
						want = append(want, r)
					}
				}
				if got := collect(t, s, "42", f); !reflect.DeepEqual(got, want) {
					t.Errorf("%+v: %d deliveries, want %d", f, len(got), len(want))
				}
			}
		}
		if got := collect(t, s, "unknown", Filter{}); len(got) > 0 {
			t.Errorf("an unknown campaign has %v", got)
		}
	})
}

// A caller may stop early, and learns of an error.
func TestCampaignDeliveriesEnd(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		apply(t, s, outcome("42", "u", "1", notification.StatusSent), outcome("42", "v", "1", notification.StatusSent))
		for r, err := range s.CampaignDeliveries(t.Context(), "42", Filter{}) {
			if err != nil || r.UserID != "u" {
				t.Errorf("got %v, %v", r, err)
			}
			break
		}
		dropTables(t, s)
		errs := 0
		for _, err := range s.CampaignDeliveries(t.Context(), "42", Filter{}) {
			if _, missing := errors.AsType[*TablesError](err); missing {
				errs++
			}
		}
		if errs != 1 {
			t.Errorf("%d errors, want one", errs)
		}
	})
}

func TestUserDeliveriesAreTheNewestOfAllCampaigns(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		var all []notification.Result
		for i := range 5 {
			r := outcome(fmt.Sprint("c", i%2), "u", fmt.Sprint(i), notification.StatusSent)
			r.At = at.Add(time.Duration(i) * time.Hour)
			all = append(all, r)
			apply(t, s, r, outcome("c0", "v", fmt.Sprint(i), notification.StatusFailed))
		}
		slices.Reverse(all)
		for limit, want := range map[int]int{-1: 1, 0: 1, 1: 1, 3: 3, 5: 5, 100: 5} {
			got, err := s.UserDeliveries(t.Context(), "u", limit)
			if err != nil || !reflect.DeepEqual(got, all[:want]) {
				t.Errorf("limit %d: %+v (%v), want %+v", limit, got, err, all[:want])
			}
		}
	})
}

// The plan of a user's outcomes reads the index backwards, whatever the number of rows.
func TestUserDeliveriesUseTheIndex(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		var rows []notification.Result
		for i := range 2000 {
			rows = append(rows, outcome("42", fmt.Sprint("u", i), "1", notification.StatusSent))
		}
		apply(t, s, rows...)
		explain := "EXPLAIN QUERY PLAN "
		if onPostgres(s) {
			execute(t, s, `ANALYZE fanfare_deliveries`)
			explain = "EXPLAIN "
		}
		query := strings.NewReplacer("$1", "'u7'", "$2", "100").Replace(s.selectUserDeliveries())
		found, err := plain(t, s).QueryContext(t.Context(), explain+query)
		if err != nil {
			t.Fatal(err)
		}
		defer found.Close()
		var plan []string
		for found.Next() {
			columns := make([]any, 4)
			var line string
			names, err := found.Columns()
			if err != nil {
				t.Fatal(err)
			}
			for i := range names {
				columns[i] = new(any)
			}
			columns[len(names)-1] = &line
			if err := found.Scan(columns[:len(names)]...); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, line)
		}
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(plan, "\n"); !strings.Contains(text, "fanfare_deliveries_user") || strings.Contains(text, "Seq Scan") || strings.Contains(text, "SCAN fanfare_deliveries") {
			t.Errorf("the plan uses no index:\n%s", text)
		}
	})
}

// PostgreSQL reads a page through its index, although it expects few rows where there are many: all
// of one campaign failed.
func TestPagesAreReadInTheOrderOfTheIndex(t *testing.T) {
	t.Parallel()
	s := migrated(t, server.Database(t), Options{})
	execute(t, s, `INSERT INTO fanfare_deliveries (campaign_id, user_id, result_id, status, rank, at)
		SELECT 'c' || n % 20, 'u' || n % 9973, n::text, CASE WHEN n % 20 = 0 THEN 'failed' ELSE 'sent' END, 4, now() FROM generate_series(1, 200000) AS n`,
		`ANALYZE fanfare_deliveries`)
	query := strings.NewReplacer("$1", "'c0'", "$2", "''", "$3", "''", "$4", "1000", "$5", "'failed'", "$6", "''").
		Replace(s.selectPage(Filter{Status: notification.StatusFailed}))
	var plan strings.Builder
	err := s.backend.queryInOrder(t.Context(), "EXPLAIN "+query, nil, func(scan scanFunc) error {
		var line string
		err := scan(&line)
		plan.WriteString(line + "\n")
		return err
	})
	if err != nil || !strings.Contains(plan.String(), "Index Scan using fanfare_deliveries_not_sent") {
		t.Errorf("the plan is (%v)\n%s", err, plan.String())
	}
	if got := collect(t, s, "c0", Filter{Status: notification.StatusFailed}); len(got) != 10_000 {
		t.Errorf("%d deliveries", len(got))
	}
}

// Codes beyond the first 24 rare ones are counted as OTHER, also after an outcome has changed. The
// common codes keep their names.
func TestMinutesCountAtMost64Codes(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		var rows []notification.Result
		for i := range 100 {
			r := outcome("42", fmt.Sprintf("u%03d", i), "1", notification.StatusUnknown)
			r.ErrorCode = fmt.Sprintf("RARE_%03d", i)
			rows = append(rows, r)
		}
		for i := range rows {
			apply(t, s, rows[i], rows[i])
		}
		common := outcome("42", "v", "1", notification.StatusFailed)
		common.ErrorCode = "UNREGISTERED"
		apply(t, s, common)
		for i := range rows {
			rows[i].Status = notification.StatusFailed
		}
		apply(t, s, rows...)
		minutes, err := s.Minutes(t.Context(), "42")
		if err != nil {
			t.Fatal(err)
		}
		got, sum := map[string]int64{}, int64(0)
		for _, m := range minutes {
			if m.Status != notification.StatusFailed {
				t.Errorf("%+v is left of the outcomes that changed", m)
			}
			got[m.ErrorCode] += m.N
			sum += m.N
		}
		if len(got) != notification.MaxRareCodes+2 || got[notification.CodeOther] != 100-notification.MaxRareCodes || got["UNREGISTERED"] != 1 || sum != 101 {
			t.Errorf("got %v", got)
		}
	})
}

// SQL counts the same codes by name as Redis does.
func TestCommonCodesAreThoseOfNotification(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		rows, err := plain(t, s).QueryContext(t.Context(), `SELECT error_code FROM fanfare_codes WHERE campaign_id = ''`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		codes := map[string]bool{}
		for rows.Next() {
			var code string
			if err := rows.Scan(&code); err != nil {
				t.Fatal(err)
			}
			codes[code] = true
			if notification.IsRareCode(code) {
				t.Errorf("%s is rare", code)
			}
		}
		if err := rows.Err(); err != nil || len(codes)+notification.MaxRareCodes > notification.MaxCodes || !codes[notification.CodeOther] {
			t.Errorf("%d codes (%v): %v", len(codes), err, slices.Sorted(maps.Keys(codes)))
		}
	})
}
