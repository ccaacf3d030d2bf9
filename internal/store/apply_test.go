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

// outcome is a result with nothing but its key and status.
func outcome(campaign, user, id string, status notification.Status) notification.Result {
	return notification.Result{CampaignID: campaign, UserID: user, ResultID: id, Status: status, Attempts: 1, At: at}
}

func apply(t testing.TB, s *Store, results ...notification.Result) {
	t.Helper()
	if err := s.Apply(t.Context(), results); err != nil {
		t.Fatal(err)
	}
}

func TestARowHoldsAllOfAResult(t *testing.T) {
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		full := notification.Result{
			CampaignID: "42", UserID: `ü"\{},'`, ResultID: "c:1", Status: notification.StatusFailed, MessageID: "projects/p/messages/1",
			ErrorCode: "UNREGISTERED", Error: "not a\nknown “token”", Attempts: 3, TokenRemoved: true, At: at,
		}
		secret := full
		secret.Token = "the-removed-token"
		apply(t, s, secret)
		got, err := s.Deliveries(t.Context(), "42", full.UserID)
		if err != nil {
			t.Fatal(err)
		}
		if want := []notification.Result{full}; !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestAUserTwiceInAnAudienceHasTwoRows(t *testing.T) {
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		second := outcome("42", "u", "c:2", notification.StatusFailed)
		first := outcome("42", "u", "c:1", notification.StatusSent)
		apply(t, s, second, first, outcome("42", "v", "c:3", notification.StatusSent), outcome("43", "u", "d:1", notification.StatusSent))
		got, err := s.Deliveries(t.Context(), "42", "u")
		if err != nil {
			t.Fatal(err)
		}
		if want := []notification.Result{first, second}; !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestNothingIsAppliedOfNothing(t *testing.T) {
	onBoth(t, Options{}, func(t *testing.T, s *Store) { apply(t, s) })
}

// The law of Apply: whatever comes in whatever order, in whatever batches and however often, each key ends with the
// first result of its highest rank, and the summary counts the rows.
func TestResultsInAnyOrderEndInTheSameRows(t *testing.T) {
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			run++
			campaigns := []string{fmt.Sprintf("a%d", run), fmt.Sprintf("b%d", run)}
			one := rapid.Custom(func(rt *rapid.T) notification.Result {
				r := outcome(rapid.SampledFrom(campaigns).Draw(rt, "campaign"), rapid.SampledFrom([]string{"u", "v", "B"}).Draw(rt, "user"),
					rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "id"), rapid.SampledFrom(notification.Statuses).Draw(rt, "status"))
				r.Attempts = rapid.IntRange(0, 3).Draw(rt, "attempts")
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
				rows := slices.SortedFunc(maps.Values(want), func(a, b notification.Result) int { return byKey(&a, &b) })
				rows = slices.DeleteFunc(rows, func(r notification.Result) bool { return r.CampaignID != campaign })
				checkCampaign(t.Context(), rt, s, campaign, rows)
			}
		})
	})
}

// checkCampaign compares a campaign's rows and its summary with what they should be.
func checkCampaign(ctx context.Context, t rapid.TB, s *Store, campaign string, want []notification.Result) {
	t.Helper()
	got, err := s.results(ctx, s.selectDeliveries()+`ORDER BY campaign_id, user_id, result_id`, campaign)
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
	rows, err := s.results(ctx, s.selectDeliveries(), campaign)
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
}

func TestTheSummaryFollowsWhoeverWrites(t *testing.T) {
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		apply(t, s, outcome("42", "a", "1", notification.StatusUnknown), outcome("42", "b", "2", notification.StatusSent),
			outcome("42", "c", "3", notification.StatusSkipped), outcome("43", "a", "4", notification.StatusExpired))
		statements := []string{
			`UPDATE fanfare_deliveries SET status = 'failed', rank = 4 WHERE user_id = 'a'`,
			`UPDATE fanfare_deliveries SET error = 'by hand'`,
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

// Batches that overlap in rows and in campaigns, and mix inserts with updates, must neither fail (of a
// deadlock, say) nor miscount.
func TestBatchesAtTheSameTimeNeitherFailNorMiscount(t *testing.T) {
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

// randomBatch mixes outcomes that other batches have too with new ones.
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
