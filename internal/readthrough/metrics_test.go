package readthrough_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/readthrough"
	"fanfare/test/backends"
)

func TestLookUpsAreCounted(t *testing.T) {
	b := newRig(t, backends.ConnectOnce(t, miniredis.RunT(t).Addr()))
	registry := prometheus.NewRegistry()
	caches := make(map[string]*readthrough.Cache[string])
	for _, kind := range []string{"token", "profile"} { // both kinds share one metric
		c, err := readthrough.New(b.rdb, b.keys, decode, b.table.ask, readthrough.Options{
			Kind: kind, TTL: ttl, NegativeTTL: negativeTTL, Registerer: registry,
		})
		if err != nil {
			t.Fatal(err)
		}
		caches[kind] = c
	}
	b.store(b.keys.Value("held"), "here")
	b.table.rows["stored"] = "there"
	for range 2 { // the second time, "stored" is a hit and "stranger" is marked as absent
		b.found(caches["token"], "held", "held", "stored", "stranger")
	}
	b.table.during = func() error { return errors.New("down") }
	if _, err := caches["profile"].Lookup(t.Context(), []string{"held", "another"}); !readthrough.IsUndecided(err, "another") {
		t.Errorf("got %v", err)
	}
	want := map[string]float64{
		"token hit": 3, "token miss": 1, "token absent": 2, "token undecided": 0,
		"profile hit": 1, "profile miss": 0, "profile absent": 0, "profile undecided": 1,
	}
	if got := counted(t, registry, "lookups_total"); !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

// A key of another type is counted even if the source knows the answer. An unknown user is not
// counted.
func TestKeysOfAnotherTypeAreCounted(t *testing.T) {
	b := newRig(t, backends.ConnectOnce(t, miniredis.RunT(t).Addr()))
	registry := prometheus.NewRegistry()
	c, err := readthrough.New(b.rdb, b.keys, decode, b.table.ask, readthrough.Options{
		Kind: "token", TTL: ttl, NegativeTTL: negativeTTL, Registerer: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.table.rows["stored"] = "there"
	for _, id := range []string{"stored", "mistyped"} {
		b.rdb.HSet(t.Context(), b.keys.Value(id), "token", "t")
	}
	b.store(b.keys.Value("held"), "here")
	b.store(b.keys.Value("emptied"), "")
	b.found(c, "held", "stored", "mistyped", "stranger", "emptied")
	if got := counted(t, registry, "mistyped_total")["token"]; got != 2 {
		t.Errorf("counted %v, want the 2 whose key is a hash", got)
	}
}

// counted returns the values of a fanfare_cache_* metric by its labels, sorted by name: kind,
// result.
func counted(t *testing.T, registry *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, family := range families {
		if family.GetName() != "fanfare_cache_"+name {
			continue
		}
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetValue())
			}
			got[strings.Join(labels, " ")] = metric.GetCounter().GetValue()
		}
	}
	return got
}

func TestAMetricOfAnotherKindIsInTheWay(t *testing.T) {
	b := newRig(t, backends.ConnectOnce(t, miniredis.RunT(t).Addr()))
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "fanfare_cache_lookups_total", Help: "Another."}))
	_, err := readthrough.New(b.rdb, b.keys, decode, nil, readthrough.Options{TTL: ttl, NegativeTTL: negativeTTL, Registerer: registry})
	if err == nil {
		t.Error("accepted")
	}
}
