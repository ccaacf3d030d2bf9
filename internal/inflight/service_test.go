package inflight

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// service answers so many requests at a time, each after its latency; those above wait in a queue,
// and above that are turned away.
type service struct {
	mu      sync.Mutex
	latency time.Duration
	noise   float64 // sigma of the latency's logarithm
	atOnce  int
	queue   int     // room for waiting requests
	faulty  float64 // share that is turned away whatever the load
	random  *rand.Rand
	busy    int
	waiting []chan struct{}
}

// turnedAway is how long a refusal takes.
const turnedAway = 5 * time.Millisecond

func newService() *service {
	return &service{latency: quick, noise: 0.2, atOnce: math.MaxInt, queue: math.MaxInt, random: rand.New(rand.NewPCG(1, 2))}
}

// change sets another behaviour, for requests that come from now on.
func (s *service) change(f func(*service)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// answer returns how the request ended, and how long the service itself took for it, without its
// queue.
func (s *service) answer() (Outcome, time.Duration) {
	start := time.Now()
	s.mu.Lock()
	took := time.Duration(float64(s.latency) * math.Exp(s.noise*s.random.NormFloat64()-s.noise*s.noise/2))
	if full := s.busy >= s.atOnce; s.random.Float64() < s.faulty || full && len(s.waiting) >= s.queue {
		s.mu.Unlock()
		<-time.After(turnedAway)
		return Outcome{Signal: Overload}, 0
	} else if full {
		turn := make(chan struct{})
		s.waiting = append(s.waiting, turn)
		s.mu.Unlock()
		<-turn
	} else {
		s.busy++
		s.mu.Unlock()
	}
	<-time.After(took)
	s.leave()
	return Outcome{Signal: Good, Latency: time.Since(start)}, took
}

func (s *service) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	for s.busy < s.atOnce && len(s.waiting) > 0 {
		s.busy++
		close(s.waiting[0])
		s.waiting = s.waiting[1:]
	}
}
