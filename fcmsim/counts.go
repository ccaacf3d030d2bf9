package fcmsim

import (
	"sync/atomic"
)

// Counts are totals since the simulator was made or its ledger was cleared.
type Counts struct {
	// Requests to messages:send, whatever their outcome.
	Requests int64 `json:"requests"`
	// Accepted messages = Distinct pairs of target and message + Duplicates.
	Accepted   int64 `json:"accepted"`
	Distinct   int64 `json:"distinct"`
	Duplicates int64 `json:"duplicates"`
	// Devices counts the distinct pairs of device and message accepted, and DevicesTwice those
	// accepted more than once. A token <FID>:… and its FID are one device.
	Devices      int64 `json:"devices"`
	DevicesTwice int64 `json:"devicesTwice"`
	// Validated counts valid requests with validate_only, which FCM does not accept.
	Validated int64 `json:"validated"`
	// Abandoned counts the requests whose sender left before the response.
	Abandoned int64 `json:"abandoned"`
	// Codes counts all requests by the name of their Code; codes that did not occur are absent.
	Codes map[string]int64 `json:"codes"`
	// InFlight is the number of requests now, MaxInFlight its maximum.
	InFlight    int64 `json:"inFlight"`
	MaxInFlight int64 `json:"maxInFlight"`
	// Connections to the FCM listeners, without the admin API.
	Connections Connections `json:"connections"`
	// AccessTokens counts the access tokens issued, Exchanges the requests for one.
	AccessTokens int64 `json:"accessTokens"`
	Exchanges    int64 `json:"exchanges"`
}

// Connections counts connections; Open is the number now and MaxOpen its maximum.
type Connections struct {
	TLS     int64 `json:"tls"`   // accepted by the TLS listener
	Plain   int64 `json:"plain"` // accepted by the listener without TLS
	Open    int64 `json:"open"`
	MaxOpen int64 `json:"maxOpen"`
}

// gauge is a number that goes up and down, and its maximum.
type gauge struct{ now, max atomic.Int64 }

func (g *gauge) increase() {
	now := g.now.Add(1)
	for {
		highest := g.max.Load()
		if now <= highest || g.max.CompareAndSwap(highest, now) {
			return
		}
	}
}

func (g *gauge) decrease() { g.now.Add(-1) }

// reset restarts the maximum at the present number.
func (g *gauge) reset() { g.max.Store(g.now.Load()) }

type counters struct {
	requests, accepted, distinct, validated, abandoned atomic.Int64
	devices, devicesTwice                              atomic.Int64
	codes                                              [numCodes]atomic.Int64
	inFlight                                           gauge
	tls, plain, accessTokens, exchanges                atomic.Int64
	open                                               gauge
}

// addAccepted counts an accepted message. Topics and conditions are no devices.
func (t *counters) addAccepted(a acceptance, toDevice bool) {
	t.accepted.Add(1)
	if a.firstOfTarget {
		t.distinct.Add(1)
	}
	switch {
	case !toDevice:
	case a.firstOfDevice:
		t.devices.Add(1)
	case a.secondOfDevice:
		t.devicesTwice.Add(1)
	}
}

func (t *counters) snapshot() Counts {
	twice := t.devicesTwice.Load()
	devices := t.devices.Load()
	distinct := t.distinct.Load() // these first, because none exceeds the next one
	accepted := t.accepted.Load()
	c := Counts{
		Requests: t.requests.Load(),
		Accepted: accepted, Distinct: distinct, Duplicates: accepted - distinct,
		Devices: devices, DevicesTwice: twice,
		Validated: t.validated.Load(), Abandoned: t.abandoned.Load(),
		Codes:    make(map[string]int64),
		InFlight: t.inFlight.now.Load(), MaxInFlight: t.inFlight.max.Load(),
		Connections: Connections{
			TLS: t.tls.Load(), Plain: t.plain.Load(),
			Open: t.open.now.Load(), MaxOpen: t.open.max.Load(),
		},
		AccessTokens: t.accessTokens.Load(), Exchanges: t.exchanges.Load(),
	}
	for code := range t.codes {
		if n := t.codes[code].Load(); n > 0 {
			c.Codes[Code(code).String()] = n
		}
	}
	return c
}

func (t *counters) reset() {
	for _, n := range []*atomic.Int64{
		&t.requests, &t.accepted, &t.distinct, &t.devices, &t.devicesTwice, &t.validated, &t.abandoned, &t.tls, &t.plain, &t.accessTokens, &t.exchanges,
	} {
		n.Store(0)
	}
	for i := range t.codes {
		t.codes[i].Store(0)
	}
	t.inFlight.reset()
	t.open.reset()
}
