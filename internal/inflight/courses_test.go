package inflight

import "time"

// course is a script for service and load, and the figures that its run shows.
type course struct {
	name    string
	begin   func(*service) // nil: with room for any number
	run     func(*load)
	figures func(*load) []figure
}

// figure is what is shown of a run, and how much it may be for ours.
type figure struct {
	name   string
	value  float64
	unit   string
	factor float64 // of the value, for print
	most   float64
}

func timeFigure(name string, d, most time.Duration) figure {
	return figure{name, d.Seconds(), " s", 1, most.Seconds()}
}

func shareFigure(name string, share, most float64) figure {
	return figure{name, share, "%", 100, most}
}

const (
	second = time.Second
	quick  = 50 * time.Millisecond
	slow   = 500 * time.Millisecond
)

// courses are made for a pace, of which quick needs a twentieth in flight.
func courses(pace float64) []course {
	need := int(pace / 20)
	atOnce := func(n int) func(*service) { return func(s *service) { s.atOnce = n } }
	// So many percent of what is needed, for half a minute.
	shortage := func(percent int) func(*load) {
		return func(l *load) {
			<-time.After(20 * second)
			l.service.change(atOnce(need * percent / 100))
			<-time.After(30 * second)
			l.service.change(atOnce(need * 2))
			<-time.After(30 * second)
		}
	}
	return []course{
		{
			name: "Latency steps from 50 ms to 500 ms for 40 s, and back; nothing queues",
			run: func(l *load) {
				<-time.After(20 * second)
				l.service.change(func(s *service) { s.latency = slow })
				<-time.After(40 * second)
				l.service.change(func(s *service) { s.latency = quick })
				<-time.After(40 * second)
			},
			figures: stepFigures(pace),
		},
		{
			name:    "Capacity falls to 40% of the pace for 30 s; the rest queues in the service",
			begin:   atOnce(need * 2),
			run:     shortage(40),
			figures: shortageFigures(0.4 * pace),
		},
		{
			name:    "Capacity falls to 25% of the pace for 30 s, with latencies that scatter widely",
			begin:   func(s *service) { s.atOnce, s.noise = need*2, 0.5 },
			run:     shortage(25),
			figures: shortageFigures(0.25 * pace),
		},
		{
			name:    "Capacity falls to 40% of the pace for 30 s, and the service turns away what does not fit into a short queue",
			begin:   func(s *service) { s.atOnce, s.queue = need*2, need/10 },
			run:     shortage(40),
			figures: shortageFigures(0.4 * pace),
		},
		{
			name: "10% are turned away from then on, whatever the load",
			run: func(l *load) {
				<-time.After(20 * second)
				l.service.change(func(s *service) { s.faulty = 0.1 })
				<-time.After(30 * second)
			},
			figures: func(l *load) []figure {
				faulty, accepted := l.between(20*second, 50*second), 0.9*pace
				return []figure{
					timeFigure("pace lost", faulty.lost(accepted), 3*second),
					timeFigure("full pace after", faulty.until(atPace(accepted)), 5*second),
				}
			},
		},
		{
			name: "A minute at a hundredth of the pace, then the whole pace at once",
			run: func(l *load) {
				<-time.After(20 * second)
				l.setRate(pace / 100)
				<-time.After(60 * second)
				l.setRate(pace)
				<-time.After(20 * second)
			},
			figures: func(l *load) []figure {
				idle, _, _ := l.between(79*second, 80*second).limit()
				return []figure{
					{"limit after the pause, of what was needed", idle / float64(need), "%", 100, 2},
					timeFigure("full pace after", l.between(80*second, 100*second).until(atPace(pace)), 2*second),
				}
			},
		},
	}
}

func atPace(pace float64) func(span) bool {
	return func(s span) bool { return s.rate() > 0.95*pace }
}

func stepFigures(pace float64) func(*load) []figure {
	return func(l *load) []figure {
		up, back := l.between(20*second, 60*second), l.between(60*second, 100*second)
		_, deviation, _ := up[len(up)/2:].limit()
		was, _, most := up.limit()
		halved := func(s span) bool { mean, _, _ := s.limit(); return mean < was/2 }
		return []figure{
			timeFigure("full pace after the step", up.until(atPace(pace)), 4*second),
			timeFigure("pace lost", l.between(10*second, 100*second).lost(pace), 2*second),
			{"highest limit, of what was needed", float64(most) / (pace * slow.Seconds()), "%", 100, 1.95},
			shareFigure("deviation of the limit", deviation, 0.02),
			timeFigure("limit halved after the step back", back.until(halved), 8*second),
		}
	}
}

func shortageFigures(capacity float64) func(*load) []figure {
	return func(l *load) []figure {
		pace := l.rate
		short, late := l.between(20*second, 50*second), l.between(35*second, 50*second)
		_, deviation, _ := late.limit()
		gone := func(s span) bool { return s.queued() < quick/2 }
		return []figure{
			timeFigure("queue below 25 ms after", second+short[10:].until(gone), 8*second),
			{"mean time in it later", late.queued().Seconds(), " ms", 1000, (quick / 2).Seconds()},
			shareFigure("turned away", short.refused(), 0.12),
			shareFigure("of capacity not used", 1-short.rate()/capacity, 0.05),
			shareFigure("deviation of the limit", deviation, 0.15), // 0.135 in 2 of 36 runs: goroutines run in any order
			timeFigure("full pace after the end", l.between(50*second, 80*second).until(atPace(pace)), 10*second),
		}
	}
}
