// Package campaign is a campaign as a whole: its spec and states, how campaigns are found, how recipients come into
// the queue and are read out of it, how running campaigns share a dispatcher, what the books say, and how all of it is
// cleaned up. Every change of state is one script, and server time decides.
package campaign

import (
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// Campaigns are all campaigns of one Redis. It is safe for concurrent use.
type Campaigns struct {
	rdb   redis.UniversalClient
	names keys.Names
	o     Options
	scan  scanner
}

// New makes the campaigns of a Redis; it does not talk to it.
func New(rdb redis.UniversalClient, names keys.Names, o Options) (*Campaigns, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("campaigns: %w", err)
	}
	if err := names.Validate(); err != nil {
		return nil, fmt.Errorf("campaigns: %w", err)
	}
	return &Campaigns{rdb: rdb, names: names, o: o}, nil
}

// Queue is the campaign's leased list. Results go to the list of responses, or to the campaign's outbox where Redis is a cluster:
// that list may be in another slot. Nothing is claimed unless the campaign runs: a pause or a cancellation takes effect at the
// next claim of every process.
func (c *Campaigns) Queue(id string) (*queue.Queue, error) { return c.gated(id, queue.GuardTTL) }

// QueueOf is Queue for a process that sends what the spec says: nothing is claimed either once Change has written another message,
// or another project than that of this process.
func (c *Campaigns) QueueOf(s Spec) (*queue.Queue, error) {
	besides := []queue.Field{{Name: fieldEdition, Value: s.Edition}}
	if c.o.Project != "" {
		besides = append(besides, queue.Field{Name: fieldProject, Value: c.o.Project})
	}
	return c.gated(s.ID, queue.GuardTTL, besides...)
}

func (c *Campaigns) gated(id string, linger time.Duration, besides ...queue.Field) (*queue.Queue, error) {
	k, err := c.keys(id)
	if err != nil {
		return nil, err
	}
	o := c.o.Queue
	o.Emit = k.outbox
	if _, cluster := c.rdb.(*redis.ClusterClient); !cluster {
		o.Direct = c.names.ResponsesList().Plain()
	}
	o.GateKey, o.Linger = k.spec, linger
	o.Gate = append([]queue.Field{{Name: fieldState, Value: string(Running)}}, besides...)
	return queue.New(c.rdb, k.list, o)
}

// campaignKeys are the names of one campaign's keys.
type campaignKeys struct {
	list                                      keys.List
	spec, counts, back, retry, leases, outbox string
	pace, breaker                             string // other rooms keep them; they end with the campaign
}

// inOrder are the keys as the scripts take them that bring a campaign into a state or forget it; see prelude.lua.
func (k campaignKeys) inOrder() []string {
	return []string{k.spec, k.counts, k.list.Plain(), k.back, k.retry, k.leases, k.outbox}
}

func (c *Campaigns) keys(id string) (campaignKeys, error) {
	list, err := c.names.Campaign(id)
	if err != nil {
		return campaignKeys{}, err
	}
	return campaignKeys{
		list:   list,
		spec:   list.Key(keys.SuffixSpec),
		counts: list.Key(keys.SuffixCounts),
		back:   list.Key(keys.SuffixBack),
		retry:  list.Key(keys.SuffixRetry),
		leases: list.Key(keys.SuffixLeases),
		outbox: list.Key(keys.SuffixOutbox),

		pace:    list.Key(keys.SuffixPace),
		breaker: list.Key(keys.SuffixBreaker),
	}, nil
}
