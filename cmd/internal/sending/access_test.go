package sending

import (
	"os"
	"slices"
	"strings"
	"testing"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/access"
	"fanfare/internal/keys"
)

// The users of deploy/README.md may do all that is checked at the start of the programs.
func TestRecommendedUsersMayDoWhatIsChecked(t *testing.T) {
	page, err := os.ReadFile("../../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	r := &Rooms{&assembly.Rooms{Names: keys.Default()}}
	r.Settings.Pacing.Enabled = true
	for user, needed := range map[string][]access.Keys{
		"dispatcher": r.senderAccess("p"), "responder": r.ResultAccess(), "operator": r.senderAccess("p"),
	} {
		_, line, found := strings.Cut(string(page), "ACL SETUSER "+user+" ")
		line, _, _ = strings.Cut(line, "\n")
		words := strings.Fields(line)
		if !found {
			t.Errorf("no user %s is recommended", user)
		}
		for _, a := range needed {
			if pattern := strings.Replace("~"+a.Pattern, "{fanfare:p}:*", "{fanfare:*", 1); a.Pattern != "" && !slices.Contains(words, pattern) {
				t.Errorf("%s has no %s", user, pattern)
			}
			for _, command := range a.Commands() {
				if !slices.Contains(words, "+"+strings.ToLower(command)) {
					t.Errorf("%s has no +%s", user, strings.ToLower(command))
				}
			}
		}
	}
}
