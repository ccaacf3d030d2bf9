package campaign

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
)

// ZoneSample counts the recipients in a campaign's list, or in its due set, by the time zone in
// their elements. Pushes are one for each of their devices.
type ZoneSample struct {
	Listed int64            // elements in the list or the set
	Read   int64            // elements that were read; all of them, or a sample
	Zones  map[string]int64 // by name, as the producer wrote it, of those whose element decides
	Pushes map[string]int64 // of those in Zones
	// Open counts the others: what is stored of the user decides. Users are some of them, from
	// places all over the sample.
	Open  int64
	Users []ZoneUser
}

// ZoneUser is a user whose element has no zone, or no address. A stored device may have a zone of
// its own, which goes before that of the element.
type ZoneUser struct {
	ID         string
	Zone       string // of the element
	HasAddress bool   // so no stored device is looked up
	Pushes     int64  // to the devices in the element
}

// zonePieces is how many parts of the list a sample has. Audiences are often sorted, so that a few
// long parts would be of a few zones.
const zonePieces = 100

// maxZoneUsers limits the users that a sample names: each of them is looked up.
const maxZoneUsers = 1000

// SampleZones reads up to n elements, from places all over the list, without claiming them.
// Elements that are no recipients have no zone.
func (c *Campaigns) SampleZones(ctx context.Context, id string, n int64) (ZoneSample, error) {
	k, err := c.keys(id)
	if err != nil {
		return ZoneSample{}, wrap("sample", id, err)
	}
	list := k.list.Plain()
	s := ZoneSample{Zones: make(map[string]int64), Pushes: make(map[string]int64)}
	if s.Listed, err = c.rdb.LLen(ctx, list).Result(); err != nil {
		return s, wrap("sample", id, c.typeError(ctx, err, list, "list"))
	}
	pipe := c.rdb.Pipeline()
	var pieces []*redis.StringSliceCmd
	length := max(1, n/zonePieces)
	for i := range int64(zonePieces) {
		from := i * length
		if s.Listed > n {
			from = (s.Listed - length) * i / (zonePieces - 1)
		}
		if from < s.Listed {
			pieces = append(pieces, pipe.LRange(ctx, list, from, from+length-1))
		}
	}
	if len(pieces) == 0 {
		return s, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return s, wrap("sample", id, c.typeError(ctx, err, list, "list"))
	}
	for _, piece := range pieces {
		for _, element := range piece.Val() {
			s.add([]byte(element))
		}
	}
	s.spread()
	return s, nil
}

// SampleDueZones is SampleZones for those who wait in the due set.
func (c *Campaigns) SampleDueZones(ctx context.Context, id string, n int64) (ZoneSample, error) {
	s := ZoneSample{Zones: make(map[string]int64), Pushes: make(map[string]int64)}
	q, err := c.Queue(id)
	if err != nil {
		return s, wrap("sample", id, err)
	}
	if s.Listed, err = q.SampleRetries(ctx, n, func(raw []byte, _ time.Time) { s.add(raw) }); err != nil {
		return s, wrap("sample", id, err)
	}
	s.spread()
	return s, nil
}

// spread keeps some of the users to look up.
func (s *ZoneSample) spread() { s.Open, s.Users = int64(len(s.Users)), spread(s.Users, maxZoneUsers) }

// spread returns at most so many of all, at even distances: audiences are often sorted.
func spread[T any](all []T, most int) []T {
	if len(all) <= most {
		return all
	}
	some := make([]T, most)
	for i := range some {
		some[i] = all[i*len(all)/most]
	}
	return some
}

func (s *ZoneSample) add(element []byte) {
	s.Read++
	r, _ := DecodeRecipient(element) // one that is malformed gets no push
	zone, hasAddress := zoneOf(r), r.HasAddress() || len(r.Devices) > 0
	pushes := int64(max(1, notification.CountDevices(r.Devices)))
	if r.UserID == "" || zone != "" && hasAddress {
		s.Zones[zone]++
		s.Pushes[zone] += pushes
		return
	}
	s.Users = append(s.Users, ZoneUser{r.UserID, zone, hasAddress, pushes})
}

// zoneOf is the zone of the recipient's first device that has one, or else the recipient's.
func zoneOf(r notification.Recipient) string {
	for _, d := range r.Devices {
		if d.TimeZone != "" {
			return d.TimeZone
		}
	}
	return r.TimeZone
}

// IsExact reports whether all of the list was read.
func (s ZoneSample) IsExact() bool { return s.Read >= s.Listed }
