package keys_test

import (
	"testing"

	"fanfare/internal/keys"
)

func TestProjectKeys(t *testing.T) {
	n := keys.Default()
	wantEqual(t, "pace", n.Project("my-project").Key(keys.SuffixPace), "{fanfare:my-project}:pace")
	wantEqual(t, "halt", n.Project("example.com:app").Key(keys.SuffixHalt), "{fanfare:example.com:app}:halt")
	for _, suffix := range []string{keys.SuffixPace, keys.SuffixHalt, keys.SuffixSignal, keys.SuffixDeletions} {
		if id, ok := n.ParseCampaign(n.Project("campaign:1").Key(suffix)); ok {
			t.Errorf("a project's %s was taken for campaign %q", suffix, id)
		}
	}
}

// A tagged campaign cannot be called as the key is that paces another one.
func TestPaceOfACampaignIsReserved(t *testing.T) {
	if _, err := keys.Default().Campaign("{x}:pace"); err == nil {
		t.Error("{x}:pace names a campaign, and is the key of campaign {x}")
	}
}
