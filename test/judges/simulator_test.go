package judges

import (
	"testing"
	"time"

	"fanfare/fcmsim"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// speed makes a minute of the limits so slow that none ends within a test.
const (
	speed  = 0.01
	minute = time.Minute * 100
)

// simulator demands a bearer, as Google does.
type simulator struct {
	*fcmsim.Simulator
	server  *fcmsim.Server
	account []byte
}

func newSimulator(t *testing.T, rules fcmsim.Rules) *simulator {
	t.Helper()
	return startSimulator(t, fcmsim.Options{RequireAuth: true, Project: "demo", Rules: rules, Speed: speed})
}

func startSimulator(t *testing.T, o fcmsim.Options) *simulator {
	t.Helper()
	sim, err := fcmsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server, err := sim.Start(t.Context(), fcmsim.Listen{HTTP: fcmsim.Off, Admin: fcmsim.Off})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	account, err := server.ServiceAccount("demo")
	if err != nil {
		t.Fatal(err)
	}
	return &simulator{sim, server, account}
}

// quota of a minute that has just begun.
func quota(perMinute int) fcmsim.Quota {
	return fcmsim.Quota{PerMinute: perMinute, Offset: fcmsim.Duration(time.Duration(time.Now().UnixNano()) % minute)}
}
