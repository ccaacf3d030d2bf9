package preflight

import (
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/caps"
	"fanfare/internal/checks"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
)

// Capped recipients of the sample are a warning, unless the campaign is exempt. Redis must answer.
func TestCappedRecipientsAreCounted(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	defer rdb.Close()
	limiter := caps.New(rdb, keys.Default(), []caps.Cap{{Count: 1, Window: 24 * time.Hour}})
	if _, err := limiter.Reserve(t.Context(), []caps.Element{{User: "capped", Campaign: "1", ID: "1", Since: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	sample := campaign.Sample{Recipients: []notification.Recipient{{UserID: "free"}, {UserID: "capped"}, {UserID: "other"}}}
	find := func(c Checker, kind campaign.Kind, sample campaign.Sample) ([]checks.Finding, error) {
		report := Report{Recipients: 300}
		err := c.checkCaps(t.Context(), campaign.Spec{Kind: kind}, sample, &report)
		return report.Findings, err
	}
	c := Checker{deps: Deps{Caps: limiter}}
	found, err := find(c, "", sample)
	if err != nil || len(found) != 1 || found[0].Name != "caps" || found[0].Grade != checks.Warning ||
		!strings.HasPrefix(found[0].Detail, "1 of 3 ") || !strings.HasSuffix(found[0].Detail, "of 300 recipients") {
		t.Errorf("found %+v, %v, want one of three capped", found, err)
	}
	server.SetError("ERR away")
	if found, err := find(c, "", sample); err == nil || len(found) > 0 {
		t.Errorf("without Redis: %+v, %v", found, err)
	}
	for name, got := range map[string]func() ([]checks.Finding, error){
		"a transactional campaign": func() ([]checks.Finding, error) { return find(c, campaign.Transactional, sample) },
		"no caps":                  func() ([]checks.Finding, error) { return find(Checker{}, "", sample) },
		"an empty sample":          func() ([]checks.Finding, error) { return find(c, "", campaign.Sample{}) },
	} {
		if found, err := got(); err != nil || len(found) > 0 {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

// A sample without anyone says why.
func TestFindingOfAnEmptyAudience(t *testing.T) {
	for name, c := range map[string]struct {
		books  campaign.Books
		sample campaign.Sample
		want   checks.Grade
	}{
		"no one is left": {campaign.Books{Sent: 3}, campaign.Sample{}, checks.Failure},
		"all in flight":  {campaign.Books{InFlight: 3}, campaign.Sample{}, checks.Warning},
		"one was read":   {campaign.Books{Waiting: 3}, campaign.Sample{Recipients: make([]notification.Recipient, 1)}, checks.Good},
	} {
		if got := audienceFinding(c.books, c.sample); got.Grade != c.want || (got.Advice == "") != (c.want == checks.Good) {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
}
