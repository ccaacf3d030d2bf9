package bench

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// sender is one way to push to an audience.
type sender struct {
	name, label string
	slow        bool
	alone       bool                                      // leaves Redis alone
	load        func(w *world, n int)                     // puts the audience where the sender looks for it
	start       func(w *world, s setting, n int) *process // which ends by itself
}

func (s sender) recipients(in setting) int {
	n := in.Recipients
	if s.slow {
		n = in.Slow
	}
	return shortened(n)
}

// peerCampaign is the id of every campaign.
const peerCampaign = "peers"

// senders in the order of the table: ours, theirs, and the limit for both.
var senders = []sender{
	{name: "dispatcher", label: "Fanfare's dispatcher, complete", load: func(w *world, n int) { w.campaign(peerCampaign, n) }, start: startJob},
	{name: "lookup", label: "the dispatcher, with token look-ups", load: loadUsers, start: startJob},
	{name: "sdk", alone: true, label: "Go SDK's Send in a loop, nothing else", load: loadNothing, start: startPeer("sdkloop")},
	{name: "worker", label: "textbook worker: LPOP, GET, Send, RPUSH", load: loadList, start: startPeer("worker")},
	{name: "asynq", label: "asynq, the worker's work as its tasks", slow: true, load: enqueue, start: startPeer("asynq")},
	{name: "node", label: "Node SDK's sendEach, nothing else", slow: true, alone: true, load: loadNothing, start: startNode},
	{name: "floor", alone: true, label: "the floor: HTTP/2 frames, nothing else", load: loadNothing, start: startPeer("floor")},
}

func startJob(w *world, s setting, _ int) *process {
	return w.job(peerCampaign, "FANFARE_DISPATCHER_CONCURRENCY="+strconv.Itoa(s.InFlight))
}

func startPeer(name string) func(w *world, s setting, n int) *process {
	return func(w *world, s setting, n int) *process { return w.peer(name, s, n) }
}

// peer starts a sender of the module peers.
func (w *world) peer(name string, s setting, n int, more ...string) *process {
	w.b.Helper()
	return start(w.b, nil, peerProgram(w.b, name), append([]string{
		"-endpoint", w.sim.TLS, "-ca", w.sim.CAFile, "-redis", w.rdb.Options().Addr,
		"-count", strconv.Itoa(n), "-inflight", strconv.Itoa(s.InFlight),
	}, more...)...)
}

// nodeModules is where the Firebase Admin SDK for Node is installed.
const nodeModules = "../judges/node"

func startNode(w *world, s setting, n int) *process {
	w.b.Helper()
	return start(w.b, []string{"NODE_EXTRA_CA_CERTS=" + w.sim.CAFile}, "node", filepath.Join("peers", "node", "sendeach.mjs"),
		"--endpoint", w.sim.TLS, "--count", strconv.Itoa(n), "--inflight", strconv.Itoa(s.InFlight), "--sdk", nodeModules)
}

func loadNothing(*world, int) {}

// loadUsers fills a campaign with users without tokens, and stores these.
func loadUsers(w *world, n int) {
	w.b.Helper()
	storeTokens(w, n)
	w.campaignOf(peerCampaign, csvFile(w.b, "userId", n, userName))
}

// loadList fills the worker's list, and stores the tokens.
func loadList(w *world, n int) {
	w.b.Helper()
	storeTokens(w, n)
	w.pipeline(n, func(p redis.Pipeliner, i int) {
		p.RPush(w.b.Context(), "campaign:"+peerCampaign, fmt.Sprintf(`{"userId":%q}`, userName(i)))
	})
}

func enqueue(w *world, n int) {
	w.b.Helper()
	storeTokens(w, n)
	w.peer("asynq", setting{InFlight: 50}, n, "-enqueue").succeed()
}

func storeTokens(w *world, n int) {
	w.b.Helper()
	w.pipeline(n, func(p redis.Pipeliner, i int) {
		p.Set(w.b.Context(), "user:"+userName(i)+":token", tokenOf(i), 0)
	})
}

// pipeline makes n commands.
func (w *world) pipeline(n int, add func(p redis.Pipeliner, i int)) {
	w.b.Helper()
	const chunk = 2000
	for first := 0; first < n; first += chunk {
		_, err := w.rdb.Pipelined(w.b.Context(), func(p redis.Pipeliner) error {
			for i := first; i < min(first+chunk, n); i++ {
				add(p, i)
			}
			return nil
		})
		if err != nil {
			w.b.Fatalf("fill Redis: %v", err)
		}
	}
}

// newPeerWorld is a world whose Redis appends to its file, and rewrites that only when it is told
// to: a rewrite would take its CPU from whichever sender runs.
func newPeerWorld(b *testing.B, latency string) *world {
	b.Helper()
	return newWorldOn(b, servers.Redis(b, "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"), latency)
}

// reset empties Redis, its file, and the simulator's ledger.
func (w *world) reset() {
	w.b.Helper()
	for _, command := range []string{"flushall", "bgrewriteaof"} {
		if err := w.rdb.Do(w.b.Context(), command).Err(); err != nil {
			w.b.Fatalf("%s: %v", command, err)
		}
	}
	until(w.b, func() bool {
		info, err := w.rdb.Info(w.b.Context(), "persistence").Result()
		if err != nil {
			w.b.Fatal(err)
		}
		return strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0")
	})
	w.forget()
}

// try runs a sender once.
func (w *world) try(s sender, in setting, n int) figures {
	w.b.Helper()
	w.reset()
	s.load(w, n)
	w.forget()
	before, dialed := w.spent(), w.counts().Connections.TLS
	e := w.measure(s.start(w, in, n), int64(n))
	after := w.spent()
	took := after.host.at.Sub(before.host.at).Seconds()
	programs, _ := after.host.busy(before.host)
	store := (after.store - before.store) / float64(n)
	if s.alone {
		store = 0 // an idle Redis uses some CPU, too
	}
	return figures{
		CPU:       micros(e.cpu),
		Redis:     micros(store),
		Rate:      round(e.flow, 1),
		Peak:      mebibytes(e.usage.peak),
		Dialed:    w.counts().Connections.TLS - dialed,
		Others:    round(max(0, programs-(e.usage.cpu.Seconds()+after.all()-before.all())/took), 100),
		StartedAt: before.host.at.UTC().Truncate(time.Second),
	}
}

// spent is what all but the sender have used so far.
func (w *world) spent() load {
	w.b.Helper()
	return load{simulator: w.sim.cpu().Seconds(), store: redisCPU(w), self: selfCPU(w).Seconds(), host: readHost(w.b)}
}
