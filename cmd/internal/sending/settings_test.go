package sending

import (
	"testing"

	"fanfare/internal/config"
	"fanfare/internal/pacing"
)

func TestThePaceOfTheSettingsIsThatOfTheRoom(t *testing.T) {
	if got, want := pacingOptions(config.Defaults().Pacing), pacing.DefaultOptions(); got != want {
		t.Errorf("the settings' defaults are %+v, the room's own %+v", got, want)
	}
}
