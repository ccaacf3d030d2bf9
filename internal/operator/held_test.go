package operator

import (
	"reflect"
	"testing"
	"time"

	"fanfare/internal/pacing"
)

func TestWhyHeld(t *testing.T) {
	noon := time.Date(2030, 1, 1, 12, 3, 0, 0, time.UTC)
	gate := pacing.Gate{Until: noon.Add(time.Minute), Reason: "429"}
	avoid := pacing.Settings{AvoidQuarterHours: true}
	for name, c := range map[string]struct {
		state pacing.State
		want  *Held
	}{
		"free":                   {pacing.State{Now: noon, Settings: avoid}, nil},
		"a gate that was closed": {pacing.State{Now: noon.Add(time.Minute), Gate: gate}, nil},
		"a gate":                 {pacing.State{Now: noon, Gate: gate}, &Held{By: HeldByGate, Until: gate.Until, Reason: "429"}},
		"a quarter hour": {
			pacing.State{Now: noon.Add(-4 * time.Minute), Settings: avoid}, &Held{By: HeldByQuarterHour, Until: noon.Add(-time.Minute)},
		},
		"a quarter hour that is not avoided": {pacing.State{Now: noon.Add(-4 * time.Minute)}, nil},
		"halts go before a gate": {
			pacing.State{Now: noon, Gate: gate, Halts: []pacing.Halt{{Reason: "a", Since: noon}, {Reason: "b", Since: gate.Until}}},
			&Held{By: HeldByHalt, Since: noon, Reason: "a; b"},
		},
	} {
		if got := WhyHeld(c.state); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
