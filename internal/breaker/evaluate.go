package breaker

import (
	"maps"
	"slices"
)

// evaluate returns the first reason to trip. outage is what this replica reports now.
func (o Options) evaluate(p *snapshot, outage Outage) *Trip {
	s := sumAnswers(p.answers())
	for _, kind := range trippingKinds {
		limit, ok := o.threshold(kind, p)
		if !ok {
			continue
		}
		t := &Trip{Scope: Campaign, Kind: kind, Count: s.kinds[kind], Of: s.all, At: p.now}
		switch kind {
		case Credentials:
			t.Scope = Project
		case ThirdPartyAuth:
			if narrow := limit.platform(s); narrow != nil {
				narrow.At, t = p.now, narrow
			}
		}
		if limit.isReached(t.Count, t.Of) {
			t.Reason = t.explain(!p.passed, p.personal, p.said[kind])
			return t
		}
	}
	return o.judgeSilence(p, outage)
}

// threshold returns the current threshold of a kind. A full canary that is smaller than Least is
// enough, because otherwise nothing in it could trip.
func (o Options) threshold(kind Kind, p *snapshot) (Threshold, bool) {
	t, ok := o.Thresholds[kind]
	if ok && kind == BadMessage && !p.personal {
		t = o.Impersonal
	}
	if size := int64(o.Canary); !p.passed && size > 0 && p.proofs+p.spent >= size {
		t.Least = min(t.Least, size)
	}
	return t, ok
}

func (t Threshold) isReached(count, of int64) bool {
	return count >= t.Least && float64(count) >= t.Share*float64(of)
}

// platform returns a platform that is in trouble by itself. Its own answers and those of unknown
// platform count, since the latter may be its own. So a rare platform cannot hide behind the
// others.
func (t Threshold) platform(s sums) *Trip {
	for _, name := range slices.Sorted(maps.Keys(s.platforms)) {
		count, of := s.refused[name], s.platforms[name]+s.unknown
		if name != "" && t.isReached(count, of) {
			return &Trip{Scope: Platform, Platform: name, Kind: ThirdPartyAuth, Count: count, Of: of}
		}
	}
	return nil
}

// sums are totals of answers. Pushes without an answer and neutral answers are left out.
type sums struct {
	all       int64
	unknown   int64 // of no known platform
	kinds     map[Kind]int64
	platforms map[string]int64 // of all kinds
	refused   map[string]int64 // of ThirdPartyAuth
}

func sumAnswers(answers map[Answer]int64) sums {
	s := sums{kinds: map[Kind]int64{}, platforms: map[string]int64{}, refused: map[string]int64{}}
	for a, n := range answers {
		if a.Kind == Neutral || a.Kind.isUnanswered() {
			continue
		}
		s.all += n
		s.kinds[a.Kind] += n
		if a.Platform == "" {
			s.unknown += n
			continue
		}
		s.platforms[a.Platform] += n
		if a.Kind == ThirdPartyAuth {
			s.refused[a.Platform] += n
		}
	}
	return s
}
