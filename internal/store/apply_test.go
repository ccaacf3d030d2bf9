package store

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/notification"
)

var at = time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC)

// outcome returns a result with a key and a status only.
func outcome(campaign, user, id string, status notification.Status) notification.Result {
	return notification.Result{CampaignID: campaign, UserID: user, ResultID: id, Status: status, Attempts: 1, At: at}
}

func apply(t testing.TB, s *Store, results ...notification.Result) {
	t.Helper()
	if err := s.Apply(t.Context(), results); err != nil {
		t.Fatal(err)
	}
}

func TestApplyTakesEmptyBatch(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) { apply(t, s) })
}

// Results may come in any order, in any batches and any number of times. Each key ends with the
// first result of its highest rank, and the summary counts the rows.
func TestResultsInAnyOrderEndInTheSameRows(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			run++
			campaigns := []string{fmt.Sprintf("a%d", run), fmt.Sprintf("b%d", run)}
			one := rapid.Custom(func(rt *rapid.T) notification.Result {
				r := outcome(rapid.SampledFrom(campaigns).Draw(rt, "campaign"), rapid.SampledFrom([]string{"u", "v", "B"}).Draw(rt, "user"),
					rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "id"), rapid.SampledFrom(notification.Statuses).Draw(rt, "status"))
				r.Attempts = rapid.IntRange(0, 3).Draw(rt, "attempts")
				r.ErrorCode = rapid.SampledFrom([]string{"", "UNREGISTERED", "NEW_CODE"}).Draw(rt, "code")
				r.At = at.Add(time.Duration(rapid.IntRange(0, 3).Draw(rt, "half minutes")) * 30 * time.Second)
				return r
			})
			batches := rapid.SliceOfN(rapid.SliceOfN(one, 1, 8), 1, 5).Draw(rt, "batches")
			want := map[[3]string]notification.Result{}
			for _, batch := range batches {
				for _, r := range batch {
					key := [3]string{r.CampaignID, r.UserID, r.ResultID}
					if r.Status.Rank() > want[key].Status.Rank() {
						want[key] = r
					}
				}
				if err := s.Apply(t.Context(), batch); err != nil {
					rt.Fatal(err)
				}
			}
			for _, campaign := range campaigns {
				rows := slices.SortedFunc(maps.Values(want), func(a, b notification.Result) int { return compareKeys(&a, &b) })
				rows = slices.DeleteFunc(rows, func(r notification.Result) bool { return r.CampaignID != campaign })
				checkCampaign(t.Context(), rt, s, campaign, rows)
			}
		})
	})
}

// checkCampaign compares a campaign's rows with want, and its summary with the rows.
func checkCampaign(ctx context.Context, t rapid.TB, s *Store, campaign string, want []notification.Result) {
	t.Helper()
	got, err := s.queryResults(ctx, s.selectDeliveries()+`ORDER BY campaign_id, user_id, result_id`, campaign)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, func(a, b notification.Result) bool { return reflect.DeepEqual(a, b) }) {
		t.Errorf("campaign %s has\n%+v, want\n%+v", campaign, got, want)
	}
	checkSummary(ctx, t, s, campaign)
}

// checkSummary compares the summary with the rows.
func checkSummary(ctx context.Context, t rapid.TB, s *Store, campaign string) {
	t.Helper()
	rows, err := s.queryResults(ctx, s.selectDeliveries(), campaign)
	if err != nil {
		t.Fatal(err)
	}
	want := map[notification.Status]int64{}
	for _, status := range notification.Statuses {
		want[status] = 0
	}
	for _, r := range rows {
		want[r.Status]++
	}
	summary, err := s.Summary(ctx, campaign)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(summary.Counts, want) || summary.Total() != int64(len(rows)) || summary.CampaignID != campaign {
		t.Errorf("summary %+v, total %d, but the rows have %v", summary, summary.Total(), want)
	}
	checkMinutes(ctx, t, s, campaign, rows)
}

// checkMinutes compares the minutes with the rows, as long as all codes are counted by name.
func checkMinutes(ctx context.Context, t rapid.TB, s *Store, campaign string, rows []notification.Result) {
	t.Helper()
	want := map[Minute]int64{}
	for _, r := range rows {
		want[Minute{Start: r.At.Truncate(time.Minute), Status: r.Status, ErrorCode: r.ErrorCode}]++
	}
	minutes, err := s.Minutes(ctx, campaign)
	if err != nil {
		t.Fatal(err)
	}
	got := map[Minute]int64{}
	for _, m := range minutes {
		got[Minute{Start: m.Start, Status: m.Status, ErrorCode: m.ErrorCode}] = m.N
	}
	if !maps.Equal(got, want) || len(minutes) != len(want) {
		t.Errorf("minutes %v, but the rows have %v", minutes, want)
	}
}

func TestSummaryFollowsEveryWriter(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		apply(t, s, outcome("42", "a", "1", notification.StatusUnknown), outcome("42", "b", "2", notification.StatusSent),
			outcome("42", "c", "3", notification.StatusSkipped), outcome("43", "a", "4", notification.StatusExpired))
		late := outcome("44", "late", "5", notification.StatusSent)
		late.At = at.Add(time.Hour)
		apply(t, s, late)
		statements := []string{
			`UPDATE fanfare_deliveries SET status = 'failed', rank = 4 WHERE user_id = 'a'`,
			`UPDATE fanfare_deliveries SET error = 'by hand'`,
			`UPDATE fanfare_deliveries SET error_code = 'BY_HAND' WHERE user_id = 'b'`,
			`UPDATE fanfare_deliveries SET at = (SELECT max(at) FROM fanfare_deliveries WHERE user_id = 'late') WHERE user_id = 'b'`,
			`UPDATE fanfare_deliveries SET campaign_id = '43' WHERE user_id = 'c'`,
			`DELETE FROM fanfare_deliveries WHERE user_id = 'a'`,
			`INSERT INTO fanfare_deliveries (campaign_id, user_id, result_id, status, rank, at)
			 SELECT '42', 'z', '9', 'sent', 5, at FROM fanfare_deliveries WHERE user_id = 'b'`,
			`DELETE FROM fanfare_deliveries WHERE user_id = 'nobody'`,
		}
		if onPostgres(s) {
			statements = append(statements, `TRUNCATE fanfare_deliveries`)
		}
		for _, statement := range statements {
			execute(t, s, statement)
			checkSummary(t.Context(), t, s, "42")
			checkSummary(t.Context(), t, s, "43")
			if t.Failed() {
				t.Fatalf("after %s", statement)
			}
		}
	})
}

// Batches that overlap in rows and campaigns and mix inserts with updates must neither deadlock nor
// miscount.
func TestConcurrentBatchesNeitherFailNorMiscount(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		const workers, batches, size = 4, 25, 60
		var working sync.WaitGroup
		for worker := range workers {
			working.Go(func() {
				random := rand.New(rand.NewPCG(uint64(worker), 1))
				for range batches {
					if err := s.Apply(t.Context(), randomBatch(random, size)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		working.Wait()
		for campaign := range 3 {
			checkSummary(t.Context(), t, s, fmt.Sprint(campaign))
		}
	})
}

// randomBatch mixes outcomes that other batches contain with new ones.
func randomBatch(random *rand.Rand, size int) []notification.Result {
	results := make([]notification.Result, size)
	for i := range results {
		user := fmt.Sprint(random.IntN(200))
		if random.IntN(2) == 0 {
			user = fmt.Sprint("new ", random.Uint64())
		}
		status := notification.Statuses[random.IntN(len(notification.Statuses))]
		results[i] = outcome(fmt.Sprint(random.IntN(3)), user, "1", status)
	}
	return results
}
