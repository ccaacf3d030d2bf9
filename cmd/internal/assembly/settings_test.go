package assembly

import (
	"testing"

	"fanfare/internal/config"
	"fanfare/internal/keys"
)

// The contract's names stand in the settings and in the room that builds the keys.
func TestDefaultKeyNamesFollowTheContract(t *testing.T) {
	if got, want := keyNames(config.Defaults().Names), keys.Default(); got != want {
		t.Errorf("the settings' defaults are %+v, the contract's %+v", got, want)
	}
}
