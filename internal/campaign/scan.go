package campaign

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// scanCount is how many keys Redis visits in one SCAN, which takes some tenths of a millisecond.
const scanCount = 1000

// scanner walks the keyspace in pieces, to find lists that an application wrote on its own.
type scanner struct {
	mu      sync.Mutex
	cursors map[string]*cursor // by master; nil between passes
	next    time.Time          // when the next pass begins
	took    time.Duration      // duration of the current pass so far

	unsettled     atomic.Bool // a pass began since the last search for unsettled campaigns
	nextUnsettled time.Time
}

// cursor is the position of a pass on one master.
type cursor struct {
	at   uint64
	done bool
}

// scanLists continues the current pass, or begins one when it is due. It returns the ids that it
// found. It does nothing while another goroutine scans.
func (c *Campaigns) scanLists(ctx context.Context) (ids []string, err error) {
	s := &c.scan
	if !s.mu.TryLock() {
		return nil, nil
	}
	defer s.mu.Unlock()
	if s.cursors == nil {
		if time.Now().Before(s.next) {
			return nil, nil
		}
		s.begin(c.o.longestScanPause())
	}
	began := time.Now()
	until := began.Add(c.o.ScanBudget)
	var (
		mu   sync.Mutex // the masters of a cluster are scanned concurrently
		over = true
	)
	err = c.forEachMaster(ctx, func(ctx context.Context, master redis.Cmdable, name string) error {
		mu.Lock()
		at := s.cursors[name]
		if at == nil {
			at = new(cursor)
			s.cursors[name] = at
		}
		mu.Unlock()
		found, err := c.scanMaster(ctx, master, at, until)
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, found...)
		over = over && at.done
		return err
	})
	s.took += time.Since(began)
	if err == nil && over {
		s.cursors, s.next = nil, time.Now().Add(c.o.scanPause(s.took))
	}
	return ids, err
}

// begin starts a pass. It requests a search for unsettled campaigns at most once per interval.
func (s *scanner) begin(interval time.Duration) {
	s.cursors, s.took = make(map[string]*cursor), 0
	if now := time.Now(); !now.Before(s.nextUnsettled) {
		s.nextUnsettled = now.Add(interval)
		s.unsettled.Store(true)
	}
}

// scanShare limits the load on Redis: the pause after a pass is this many times as long as the
// pass.
const scanShare = 100

// scanPause is the pause after a pass. With few keys it is short, so that a list with a short
// expiry is guarded in time.
func (o Options) scanPause(took time.Duration) time.Duration {
	if o.ScanEvery > 0 {
		return o.ScanEvery
	}
	return min(scanShare*took, DefaultScanEvery)
}

func (o Options) longestScanPause() time.Duration {
	if o.ScanEvery > 0 {
		return o.ScanEvery
	}
	return DefaultScanEvery
}

// scanMaster scans one master until its end, or until time is up.
func (c *Campaigns) scanMaster(ctx context.Context, master redis.Cmdable, at *cursor, until time.Time) (ids []string, err error) {
	for !at.done {
		found, next, err := master.ScanType(ctx, at.at, c.names.CampaignPattern(), scanCount, "list").Result()
		if err != nil {
			return ids, fmt.Errorf("scan for lists: %w", err)
		}
		for _, key := range found {
			if id, ok := c.names.ParseCampaign(key); ok {
				ids = append(ids, id)
			}
		}
		at.at, at.done = next, next == 0
		if time.Now().After(until) {
			break
		}
	}
	return ids, nil
}

func (c *Campaigns) forEachMaster(ctx context.Context, visit func(ctx context.Context, master redis.Cmdable, name string) error) error {
	cluster, ok := c.rdb.(*redis.ClusterClient)
	if !ok {
		return visit(ctx, c.rdb, "")
	}
	return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		return visit(ctx, master, master.Options().Addr)
	})
}
