package operator

import (
	"cmp"
	"context"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/schedule"
)

// zoneSample is how many elements are read for the zones of an audience. A larger audience is
// sampled. dueSample is that for those who wait already. Where only the pushes of a recipient
// matter, pushSample is enough.
const (
	zoneSample = 20_000
	dueSample  = 2_000
	pushSample = 200
)

// zoneCount are recipients, and the pushes that they get together.
type zoneCount struct {
	people int64
	pushes float64
}

// zoneCounts are the recipients of an audience by their time zones.
type zoneCounts struct {
	zones map[string]zoneCount
	exact bool  // the zones of all were read
	bad   int64 // those whose zone is unknown to us: they are in the campaign's
}

func (c zoneCounts) add(zone string, people int64, pushes float64) {
	sum := c.zones[zone]
	c.zones[zone] = zoneCount{sum.people + people, sum.pushes + pushes}
}

// pushesEach is how many pushes a recipient gets on average.
func (c zoneCounts) pushesEach() float64 {
	var all zoneCount
	for _, each := range c.zones {
		all.people, all.pushes = all.people+each.people, all.pushes+each.pushes
	}
	if all.people == 0 {
		return 1
	}
	return all.pushes / float64(all.people)
}

// PushesEach estimates from a sample how many pushes a recipient gets on average: one, or one for
// each device.
func (o *Operator) PushesEach(ctx context.Context, spec campaign.Spec) (float64, error) {
	if spec.Devices == campaign.LatestDevice {
		return 1, nil
	}
	sample, err := o.deps.Campaigns.SampleZones(ctx, spec.ID, pushSample)
	if err != nil {
		return 1, err
	}
	return o.zonesOf(ctx, spec, sample).pushesEach(), nil
}

// readZones estimates how many of so many recipients are in each zone, as a dispatcher finds it:
// from the stored devices of those without an address, from the elements, and then from profiles.
// So many of them wait in the due set. Unknown zones are the campaign's.
func (o *Operator) readZones(ctx context.Context, spec campaign.Spec, open, waiting int64) (zoneCounts, error) {
	rules := spec.Rules()
	counts := zoneCounts{zones: make(map[string]zoneCount), exact: true}
	if rules.IsZero() {
		each, err := o.PushesEach(ctx, spec)
		counts.add(rules.DefaultZone().String(), open, each*float64(open))
		return counts, err
	}
	sample, err := o.deps.Campaigns.SampleZones(ctx, spec.ID, zoneSample)
	if err != nil {
		return counts, err
	}
	counts.addAll(rules, o.zonesOf(ctx, spec, sample), open-waiting)
	if waiting == 0 {
		return counts, nil
	}
	if sample, err = o.deps.Campaigns.SampleDueZones(ctx, spec.ID, dueSample); err != nil {
		return counts, err
	}
	counts.addAll(rules, o.zonesOf(ctx, spec, sample), waiting)
	return counts, nil
}

// addAll adds so many recipients, in the shares of a sample.
func (c *zoneCounts) addAll(rules schedule.Rules, found zoneCounts, n int64) {
	if n <= 0 {
		return
	}
	c.exact = c.exact && found.exact
	var read int64
	for _, each := range found.zones {
		read += each.people
	}
	for name, each := range found.zones {
		part := scale(each.people, n, read)
		if _, err := schedule.ParseZone(name); err != nil {
			if name != "" {
				c.bad += part
			}
			name = rules.DefaultZone().String()
		}
		c.add(name, part, each.pushes*float64(part)/float64(each.people))
	}
	if read == 0 {
		c.add(rules.DefaultZone().String(), n, float64(n))
	}
}

// zonesOf counts a sample of the audience by zone, as elements, devices and profiles name it.
func (o *Operator) zonesOf(ctx context.Context, spec campaign.Spec, sample campaign.ZoneSample) zoneCounts {
	found := zoneCounts{zones: make(map[string]zoneCount)}
	add := func(zone string, people, pushes int64) {
		if spec.Devices == campaign.LatestDevice {
			pushes = people
		}
		found.add(zone, people, float64(pushes))
	}
	for zone, n := range sample.Zones {
		add(zone, n, sample.Pushes[zone])
	}
	found.exact = sample.IsExact() && int64(len(sample.Users)) == sample.Open
	if len(sample.Users) == 0 {
		return found
	}
	stored, known := o.findStoredZones(ctx, sample.Users)
	found.exact = found.exact && known
	before := int64(0)
	for i, user := range stored { // each stands for as many as the next
		upTo := sample.Open * int64(i+1) / int64(len(stored))
		add(user.zone, upTo-before, (upTo-before)*user.pushes)
		before = upTo
	}
	return found
}

// scale is a part of a sample as a part of the whole, rounded up.
func scale(n, whole, read int64) int64 {
	if read == 0 || n == 0 {
		return 0
	}
	return (n*whole + read - 1) / read
}

// storedZone is the zone of a user, and how many devices get a push.
type storedZone struct {
	zone   string
	pushes int64
}

// findStoredZones returns the zone of each user, and their devices. known is false if a look-up
// failed; what it did not find is as the elements have it.
func (o *Operator) findStoredZones(ctx context.Context, users []campaign.ZoneUser) (found []storedZone, known bool) {
	var addressless, unzoned []string
	for _, u := range users {
		if !u.HasAddress {
			addressless = append(addressless, u.ID)
		}
	}
	devices, err := o.deps.Tokens.Peek(ctx, addressless)
	known = err == nil
	found = make([]storedZone, len(users))
	for i, u := range users {
		found[i] = storedZone{u.Zone, u.Pushes}
		if !u.HasAddress {
			found[i].zone = cmp.Or(zoneOfDevices(devices[u.ID]), u.Zone)
			found[i].pushes = int64(max(1, notification.CountDevices(devices[u.ID])))
		}
		if found[i].zone == "" {
			unzoned = append(unzoned, u.ID)
		}
	}
	profiles, err := o.deps.Profiles.Peek(ctx, unzoned)
	for i, u := range users {
		if found[i].zone == "" {
			found[i].zone = profiles[u.ID].TimeZone()
		}
	}
	return found, known && err == nil
}

// zoneOfDevices is the zone of the first device that has one.
func zoneOfDevices(all []notification.Device) string {
	for _, d := range all {
		if d.TimeZone != "" {
			return d.TimeZone
		}
	}
	return ""
}
