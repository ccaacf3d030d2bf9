package campaign_test

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/dedupe"
	"fanfare/internal/keys"
	"fanfare/test/backends"
)

// take has an element take an address of a campaign, and returns whether it owns it.
func (f fixture) take(id, element, address string) bool {
	f.Helper()
	record, err := f.AddressesOf(id)
	f.ok(err)
	owned, err := record.Take(f.Context(), []dedupe.Address{{Element: element, Text: address}})
	f.ok(err)
	return owned[0]
}

// keepsAddressesWithTheCampaign checks the expiry of the addresses that a campaign has sent to. A
// campaign that runs again knows them.
func keepsAddressesWithTheCampaign(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Redis, b.Redis, campaign.Options{Retention: time.Hour, ScanEvery: time.Nanosecond})
	kept := func(id string, limit time.Duration) {
		t.Helper()
		found := 0
		for _, key := range f.everyKey(b) {
			if strings.Contains(key, id) && strings.Contains(key, ":"+keys.SuffixAddresses) {
				found++
				if left := f.expiry(key); left <= 0 || left > limit {
					t.Errorf("%s expires in %s, want %s at most", key, left, limit)
				}
			}
		}
		wantEqual(t, id+": keys", found, 2)
	}
	for _, end := range []campaign.State{campaign.Completed, campaign.Cancelled} {
		id := string(end)
		f.into(id, campaign.Running)
		f.push(id, 1)
		wantEqual(t, "owned", f.take(id, "e1", "phone"), true)
		f.drain(id)
		f.discover()
		kept(id, dedupe.TTL)
		f.move(id, end)
		f.discover()
		kept(id, time.Hour)
	}
	f.move("completed", campaign.Running)
	wantEqual(t, "owned by another", f.take("completed", "e2", "phone"), false)
	wantEqual(t, "owned again", f.take("completed", "e1", "phone"), true)
	wantEqual(t, "owned in another campaign", f.take("cancelled", "e2", "tablet"), true)
}
