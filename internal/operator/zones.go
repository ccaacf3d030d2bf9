package operator

import (
	"context"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/schedule"
)

// zoneSample is how many elements are read for the zones of an audience. A larger audience is
// sampled.
const zoneSample = 20_000

// zoneCounts are the recipients of an audience by their time zones.
type zoneCounts struct {
	people map[string]int64
	exact  bool  // the zones of all were read
	bad    int64 // those whose zone is unknown to us: they are in the campaign's
}

// readZones estimates how many of so many recipients are in each zone, as a dispatcher finds it:
// from the stored devices of those without an address, from the elements, and then from profiles.
// Unknown zones are the campaign's.
func (o *Operator) readZones(ctx context.Context, spec campaign.Spec, open int64) (zoneCounts, error) {
	rules := spec.Rules()
	counts := zoneCounts{people: make(map[string]int64), exact: true}
	if rules.IsZero() {
		counts.people[rules.DefaultZone().String()] = open
		return counts, nil
	}
	sample, err := o.deps.Campaigns.SampleZones(ctx, spec.ID, zoneSample)
	if err != nil {
		return counts, err
	}
	found := sample.Zones
	counts.exact = sample.IsExact() && int64(len(sample.Users)) == sample.Open
	if len(sample.Users) > 0 {
		zones, known := o.findStoredZones(ctx, sample.Users)
		counts.exact = counts.exact && known
		before := int64(0)
		for i, zone := range zones { // each stands for as many as the next
			upTo := sample.Open * int64(i+1) / int64(len(zones))
			found[zone] += upTo - before
			before = upTo
		}
	}
	for name, n := range found {
		n = scale(n, open, sample.Read)
		if _, err := schedule.ParseZone(name); err != nil {
			if name != "" {
				counts.bad += n
			}
			name = rules.DefaultZone().String()
		}
		counts.people[name] += n
	}
	if sample.Read == 0 {
		counts.people[rules.DefaultZone().String()] = open
	}
	return counts, nil
}

// scale is a part of a sample as a part of the whole, rounded up.
func scale(n, whole, read int64) int64 {
	if read == 0 || n == 0 {
		return 0
	}
	return (n*whole + read - 1) / read
}

// findStoredZones returns the zone of each user. known is false if a look-up failed; the zones that
// it did not find are those of the elements.
func (o *Operator) findStoredZones(ctx context.Context, users []campaign.ZoneUser) (zones []string, known bool) {
	var addressless, unzoned []string
	for _, u := range users {
		if !u.HasAddress {
			addressless = append(addressless, u.ID)
		}
	}
	devices, err := o.deps.Tokens.Peek(ctx, addressless)
	known = err == nil
	zones = make([]string, len(users))
	for i, u := range users {
		if zones[i] = zoneOfDevices(devices[u.ID]); u.HasAddress || zones[i] == "" {
			zones[i] = u.Zone
		}
		if zones[i] == "" {
			unzoned = append(unzoned, u.ID)
		}
	}
	profiles, err := o.deps.Profiles.Peek(ctx, unzoned)
	for i, u := range users {
		if zones[i] == "" {
			zones[i] = profiles[u.ID].TimeZone()
		}
	}
	return zones, known && err == nil
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
