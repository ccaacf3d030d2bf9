package campaign_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"fanfare/internal/campaign"
)

func contenders(t *rapid.T) []campaign.Contender {
	n := rapid.IntRange(0, 12).Draw(t, "contenders")
	all := make([]campaign.Contender, n)
	for i := range all {
		all[i] = campaign.Contender{
			ID:       fmt.Sprint("c", i),
			Weight:   rapid.IntRange(0, 9).Draw(t, "weight"),
			Priority: rapid.IntRange(0, 2).Draw(t, "priority"),
			InFlight: rapid.IntRange(0, 60).Draw(t, "in flight"),
			MaxSlots: rapid.SampledFrom([]int{0, 0, 1, 20, 80}).Draw(t, "most"),
			Idle:     rapid.IntRange(0, 3).Draw(t, "idle") == 0,
			Turn:     rapid.Uint64Range(0, 3).Draw(t, "turn"),
		}
	}
	return all
}

func TestShareKeepsItsLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		among, free := contenders(t), rapid.IntRange(0, 100).Draw(t, "free")
		granted, total := map[string]int{}, 0
		for _, g := range campaign.Share(free, among) {
			if g.N < 1 || granted[g.ID] > 0 {
				t.Fatalf("grant %+v, twice or of nothing", g)
			}
			granted[g.ID] = g.N
			total += g.N
		}
		wanted := 0
		for _, c := range among {
			if granted[c.ID] > appetite(c) {
				t.Errorf("%+v was granted %d", c, granted[c.ID])
			}
			wanted += appetite(c)
		}
		if want := min(wanted, free); total != want {
			t.Errorf("%d slots were granted, want %d", total, want)
		}
		wantFairest(t, among, granted)
	})
}

// appetite returns how many more slots a contender wants.
func appetite(c campaign.Contender) int {
	switch {
	case c.Idle:
		return 0
	case c.MaxSlots > 0:
		return max(0, c.MaxSlots-c.InFlight)
	}
	return 1000 // more than there ever are
}

// wantFairest checks that no slot should have gone to another contender. A contender that wants
// more must not have a higher priority than one that got some. Within a priority, taking a slot
// from its holder must leave it with no more by weight.
func wantFairest(t *rapid.T, among []campaign.Contender, granted map[string]int) {
	for _, rich := range among {
		for _, poor := range among {
			if granted[rich.ID] == 0 || granted[poor.ID] == appetite(poor) || poor.Priority < rich.Priority {
				continue
			}
			if poor.Priority > rich.Priority {
				t.Errorf("%+v was granted %d while %+v wants more", rich, granted[rich.ID], poor)
			}
			before := rich.InFlight + granted[rich.ID] - 1
			holds := poor.InFlight + granted[poor.ID]
			if before*max(1, poor.Weight) > holds*max(1, rich.Weight) {
				t.Errorf("%+v was granted %d while %+v was granted %d", rich, granted[rich.ID], poor, granted[poor.ID])
			}
		}
	}
}

// A small campaign that starts beside big ones gets every free slot until it has its share.
func TestSmallNeverWaitsBehindBig(t *testing.T) {
	among := []campaign.Contender{{ID: "big", Weight: 1, InFlight: 480}, {ID: "small", Weight: 1, InFlight: 0}}
	wantList(t, "grants", campaign.Share(20, among), campaign.Grant{ID: "small", N: 20})
	among[1].InFlight = 470
	wantList(t, "grants when nearly even", campaign.Share(20, among),
		campaign.Grant{ID: "small", N: 15}, campaign.Grant{ID: "big", N: 5})
	among[1].Idle = true
	wantList(t, "grants beside an idle one", campaign.Share(20, among), campaign.Grant{ID: "big", N: 20})
}

func TestWeightCounts(t *testing.T) {
	got := map[string]int{}
	for _, g := range campaign.Share(400, []campaign.Contender{{ID: "a", Weight: 3}, {ID: "b", Weight: 1}}) {
		got[g.ID] = g.N
	}
	wantEqual(t, "slots of weight 3", got["a"], 300)
	wantEqual(t, "slots of weight 1", got["b"], 100)
}

func TestAHigherPriorityIsServedFirst(t *testing.T) {
	among := []campaign.Contender{{ID: "newsletter", Weight: 1000}, {ID: "alert", Priority: 5}, {ID: "digest", Priority: 1, InFlight: 3}}
	wantList(t, "grants", campaign.Share(20, among), campaign.Grant{ID: "alert", N: 20})
	among[1].MaxSlots = 12
	wantList(t, "grants beside a capped one", campaign.Share(20, among),
		campaign.Grant{ID: "alert", N: 12}, campaign.Grant{ID: "digest", N: 8})
	among[1].InFlight = 15 // its cap has been lowered
	wantList(t, "grants beside one with more than its cap", campaign.Share(20, among), campaign.Grant{ID: "digest", N: 20})
	among[1].Idle, among[2].Idle = true, true
	wantList(t, "grants beside idle ones", campaign.Share(20, among), campaign.Grant{ID: "newsletter", N: 20})
}

// With more campaigns than slots, each has its turn.
func TestEverybodyHasATurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, free := rapid.IntRange(1, 40).Draw(t, "campaigns"), rapid.IntRange(1, 5).Draw(t, "slots")
		among := make([]campaign.Contender, n)
		served := map[string]bool{}
		for i := range among {
			among[i] = campaign.Contender{ID: fmt.Sprint("c", i), Weight: rapid.IntRange(1, 9).Draw(t, "weight")}
		}
		for turn := 1; turn <= (n+free-1)/free; turn++ { // all slots come free again before each turn
			for _, g := range campaign.Share(free, among) {
				served[g.ID] = true
				for i := range among {
					if among[i].ID == g.ID {
						among[i].Turn = uint64(turn)
					}
				}
			}
		}
		if len(served) != n {
			t.Errorf("%d of %d campaigns had a turn", len(served), n)
		}
	})
}
