package dispatcher

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// Broken campaigns are in the metrics with the field at fault, and leave them once they are fixed.
func TestMetricsOfBrokenCampaigns(t *testing.T) {
	w := newWorld(t)
	registry := prometheus.NewRegistry()
	w.deps.Registerer = registry
	for id, message := range map[string]string{"text": "[object Object]", "numbers": `{"data":{"n":1}}`, "good": plainMessage} {
		w.redis.HSet("{campaign:"+id+"}:spec", "state", "running", "message", message)
		must(w.redis.RPush("campaign:"+id, audience(1)...))(t)
	}
	w.redis.HSet("{campaign:odd}:spec", "state", "walking", "message", plainMessage)
	must(w.redis.RPush("campaign:odd", audience(1)...))(t)
	must(w.redis.RPush("campaign:lonely", audience(1)...))(t)
	finder := w.dispatcher().discoverer
	look := func(want string) {
		t.Helper()
		if err := finder.discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := gauges(t, registry, "fanfare_dispatcher_campaigns", "fanfare_dispatcher_broken_campaign"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	look("numbers,message=1 odd,state=1 text,message=1 broken=3 elsewhere=0 served=1 waiting=1")
	w.redis.HSet("{campaign:text}:spec", "message", plainMessage)
	w.redis.HSet("{campaign:numbers}:spec", "message", `{"message":`+plainMessage+`}`)
	look("odd,state=1 broken=1 elsewhere=0 served=3 waiting=1")
}

// gauges are the series of some metrics with the values of their labels, in order.
func gauges(t *testing.T, registry *prometheus.Registry, names ...string) string {
	t.Helper()
	var series []string
	for _, family := range must(registry.Gather())(t) {
		if !slices.Contains(names, family.GetName()) {
			continue
		}
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetValue())
			}
			series = append(series, fmt.Sprintf("%s=%v", strings.Join(labels, ","), metric.GetGauge().GetValue()))
		}
	}
	return strings.Join(series, " ")
}
