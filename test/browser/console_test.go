package browser

import "testing"

// TestConsole drives one system with a campaign in every state. Each part has a tab of its own.
func TestConsole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill()
	for name, test := range map[string]func(*testing.T, *world){
		"Screens": testScreens, "ReadOnly": testReadOnly, "Login": testLogin, "Prefix": testPrefix, "Theme": testTheme,
		"Palette": testPalette, "Keys": testKeys, "Focus": testFocus, "Live": testLive, "Hidden": testHidden, "PausedFilter": testPausedFilter, "Polling": testPolling, "Lost": testLost, "OneLetter": testOneLetter, "Reveal": testReveal,
		"Filters": testFilters, "Steering": testSteering, "Letters": testLetters, "Creating": testCreating, "Source": testSource, "Trying": testTrying, "SameFigures": testSameFigures,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
}
