package dispatcher

import (
	"context"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/traffic"
)

// noted takes the batches of a reporter.
type noted struct{ batches []traffic.Batch }

func (n *noted) Add(_ context.Context, batches []traffic.Batch) []error {
	n.batches = append(n.batches, batches...)
	return make([]error, len(batches))
}

// A dispatcher records each request, by what became of it. The last ones are recorded at its end.
func TestTrafficIsRecorded(t *testing.T) {
	w := newWorld(t)
	store := &noted{}
	w.deps.Traffic = store
	w.campaign(campaign.Spec{ID: "1"}, `{"userId":"a","fcmToken":"a"}`, `{"userId":"b","fcmToken":"b"}`, `{"userId":"c","fcmToken":"c"}`)
	if err := w.job("1"); err != nil {
		t.Fatal(err)
	}
	var all traffic.Counts
	for _, b := range store.batches {
		all.Add(&b.Counts)
		if b.List.Plain() != "campaign:1" || b.Process == "" || b.Number == 0 {
			t.Errorf("batch %+v, want one of the campaign and of a process", b)
		}
	}
	if all.Answers != 3 || all.Limited+all.Unavailable != 0 || all.Latency.Quantile(1) == 0 {
		t.Errorf("counts %+v, want three accepted pushes", all)
	}
}

func TestTrafficTellsAnswersApart(t *testing.T) {
	r := &trafficReporter{store: &noted{}, pending: make(map[*activeCampaign]*traffic.Batch)}
	camp := &activeCampaign{}
	for _, class := range []fcm.Class{fcm.Sent, fcm.Sent, fcm.Quota, fcm.Unavailable, fcm.Ambiguous, fcm.Unregistered} {
		r.count(camp, fcm.Answer{Class: class}, 100*time.Millisecond)
	}
	c := r.pending[camp].Counts
	if p := c.Latency.Quantile(0.5); c.Answers != 6 || c.Limited != 1 || c.Unavailable != 2 || p < 75*time.Millisecond || p > 125*time.Millisecond {
		t.Errorf("counts %+v, half within %s; want 6 answers, 1 and 2 of them bad, about 100ms", c, p)
	}
}

// BenchmarkTrafficCount is what the record costs a push.
func BenchmarkTrafficCount(b *testing.B) {
	r := &trafficReporter{store: &noted{}, pending: make(map[*activeCampaign]*traffic.Batch)}
	camp := &activeCampaign{}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.count(camp, fcm.Answer{Class: fcm.Sent}, 100*time.Millisecond)
		}
	})
}
