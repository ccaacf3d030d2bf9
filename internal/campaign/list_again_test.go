package campaign_test

import (
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/test/backends"
)

// A listing remembers the books of ended campaigns alone, and not across a change of state.
func TestListAgainRemembersEndedCampaigns(t *testing.T) {
	f := open(t, backends.OpenMiniredis(t))
	for id, state := range map[string]campaign.State{"ended": campaign.Cancelled, "runs": campaign.Running} {
		f.into(id, state)
		f.push(id, 1)
	}
	var memory campaign.ListMemory
	waiting := func() map[string]int64 {
		all, err := f.ListAgain(t.Context(), &memory)
		f.ok(err)
		found := make(map[string]int64)
		for _, s := range all {
			found[s.Spec.ID] = s.Books.Waiting
		}
		return found
	}
	waiting()
	for _, id := range []string{"ended", "runs"} {
		f.push(id, 1)
	}
	if got := waiting(); got["ended"] != 1 || got["runs"] != 2 {
		t.Errorf("%v wait, want the remembered one of the ended campaign and two of the other", got)
	}
	f.hset(f.key("ended", keys.SuffixSpec), "state", string(campaign.Running))
	if got := waiting(); got["ended"] != 2 {
		t.Errorf("%v wait, want two of the campaign that runs again", got)
	}
}
