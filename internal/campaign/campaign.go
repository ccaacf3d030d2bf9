// Package campaign keeps campaigns in Redis: their specs and states, their recipients and their
// figures. It also finds campaigns, loads recipients, shares a dispatcher's slots between
// campaigns and removes what is left. Every change of state is one script, and the clock of the
// Redis server decides.
package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/dedupe"
	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// Campaigns gives access to all campaigns of one Redis. It is safe for concurrent use.
type Campaigns struct {
	rdb   redis.UniversalClient
	names keys.Names
	o     Options
	scan  scanner
	// refusals are those of Options.CheckStart. Discover and Adopt use them, one call at a time.
	refusals map[string]refusal
	noted    map[string]string // refusals that are in the history, by campaign; used as refusals are
}

// New validates the options; it does not talk to Redis.
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

// Queue returns the leased list of a campaign. Results go to the list of responses. On Redis
// Cluster they go to the campaign's outbox, because that list may be in another slot. Recipients
// are claimed only while the campaign runs, so a pause or a cancellation stops the next claim of
// every process.
func (c *Campaigns) Queue(id string) (*queue.Queue, error) { return c.openQueue(id, queue.GuardTTL) }

// QueueOf returns the queue for a process that sends the message of the spec. After Change wrote
// another message or another project, this queue claims nothing more.
func (c *Campaigns) QueueOf(s Spec) (*queue.Queue, error) {
	besides := []queue.Field{{Name: fieldEdition, Value: s.Edition}}
	if c.o.Project != "" {
		besides = append(besides, queue.Field{Name: fieldProject, Value: c.o.Project})
	}
	return c.openQueue(s.ID, queue.GuardTTL, besides...)
}

func (c *Campaigns) openQueue(id string, linger time.Duration, besides ...queue.Field) (*queue.Queue, error) {
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

// AddressesOf returns the record of the addresses that a campaign has sent to. Its size is that of
// the audience at the first use.
func (c *Campaigns) AddressesOf(id string) (*dedupe.Record, error) {
	k, err := c.keys(id)
	if err != nil {
		return nil, err
	}
	return dedupe.New(c.rdb, k.list, func(ctx context.Context) (int64, error) {
		books, err := c.Books(ctx, id)
		return books.Loaded, err
	}), nil
}

// campaignKeys are the names of one campaign's keys.
type campaignKeys struct {
	list                                      keys.List
	spec, counts, back, retry, leases, outbox string
	history                                   string
	pace, breaker, traffic                    string // written by the rooms of these names; removed with the campaign
	addresses                                 string // written by dedupe; removed with the campaign
}

// scriptKeys lists the keys in the order that prelude.lua documents.
func (k campaignKeys) scriptKeys() []string {
	return []string{k.spec, k.counts, k.list.Plain(), k.back, k.retry, k.leases, k.outbox, k.history}
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

		history: list.Key(keys.SuffixHistory),
		pace:    list.Key(keys.SuffixPace),
		breaker: list.Key(keys.SuffixBreaker),
		traffic: list.Key(keys.SuffixTraffic),

		addresses: list.Key(keys.SuffixAddresses),
	}, nil
}

// Errors that callers check with errors.Is.
var (
	ErrNotFound = errors.New("no such campaign")
	ErrExists   = errors.New("campaign exists already")
)

// The defaults of Options.
const (
	DefaultRetention  = 7 * 24 * time.Hour
	DefaultTTL        = 24 * time.Hour
	DefaultScanEvery  = 10 * time.Second
	DefaultScanBudget = 200 * time.Millisecond
)

// Options of Campaigns; a zero field takes its default.
type Options struct {
	// Queue holds the limits of every campaign's queue. This package sets its Emit, Direct and
	// Gate fields. Linger is how long a list without a campaign is kept after its deadline.
	Queue queue.Options
	// Project is the Firebase project that this process sends for. A process that only inspects
	// campaigns leaves it empty.
	Project string
	// Projects are all Firebase projects of this process' settings, if they have several. A
	// campaign that names none waits then, whichever of them this process sends for.
	Projects []string
	// Served are all projects that this process sends for, each with Campaigns of its own. Discover
	// does not list their campaigns as elsewhere.
	Served []string
	// CheckStart says why a scheduled campaign must not start, once its time has come; "" if it
	// may. nil: each may.
	CheckStart func(ctx context.Context, id string) (refusal string, err error)
	// Actor is who acts, for the histories. history.WithActor goes before it.
	Actor string
	// Retention is how long the keys of an ended campaign are kept.
	Retention time.Duration
	// DefaultTTL sets the deadline of a loaded audience, counted from its last batch. A deadline
	// in the campaign's spec goes before it.
	DefaultTTL time.Duration
	// ScanEvery is the pause between two passes over the keyspace, which find lists that an
	// application wrote on its own. Zero means a hundred times the duration of the last pass, at
	// most DefaultScanEvery.
	ScanEvery time.Duration
	// ScanBudget limits the time that one Discover spends on such a pass; the next one continues
	// it. A keyspace of a hundred million tokens must neither delay known campaigns nor keep
	// Redis busy.
	ScanBudget time.Duration
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&o.Retention, DefaultRetention}, {&o.DefaultTTL, DefaultTTL},
		{&o.ScanBudget, DefaultScanBudget}, {&o.Queue.Linger, queue.DefaultLinger},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.Retention < time.Second:
		return fmt.Errorf("retention of %s is shorter than a second", o.Retention)
	case o.DefaultTTL < time.Second:
		return fmt.Errorf("default TTL of %s is shorter than a second", o.DefaultTTL)
	case o.ScanEvery < 0:
		return fmt.Errorf("scan interval of %s is negative", o.ScanEvery)
	case o.ScanBudget < 0:
		return fmt.Errorf("scan budget of %s is negative", o.ScanBudget)
	}
	return nil
}
