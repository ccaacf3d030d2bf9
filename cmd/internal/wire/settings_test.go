package wire

import (
	"testing"

	"fanfare/internal/config"
	"fanfare/internal/keys"
	"fanfare/internal/pacing"
)

func TestThePaceOfTheSettingsIsThatOfTheRoom(t *testing.T) {
	if got, want := pacingOptions(config.Defaults().Pacing), pacing.DefaultOptions(); got != want {
		t.Errorf("the settings' defaults are %+v, the room's own %+v", got, want)
	}
}

// The contract's names stand in the settings and in the room that builds the keys.
func TestTheNamesOfTheSettingsAreThoseOfTheContract(t *testing.T) {
	if got, want := names(config.Defaults().Names), keys.Default(); got != want {
		t.Errorf("the settings' defaults are %+v, the contract's %+v", got, want)
	}
}
