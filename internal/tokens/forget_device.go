package tokens

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
)

// heldDevices is user:<id>:devices at one moment.
type heldDevices struct {
	fields map[string]string
	ttl    time.Duration // 0 or less: no expiry
}

// readDevices reads user:<id>:devices. A key of another type has no devices.
func (s *Store) readDevices(ctx context.Context, user string) (heldDevices, error) {
	pipe := s.rdb.Pipeline()
	all, left := pipe.HGetAll(ctx, s.names.Devices(user)), pipe.PTTL(ctx, s.names.Devices(user))
	_, _ = pipe.Exec(ctx) // each command carries its own error
	fields, err := all.Result()
	if redis.HasErrorPrefix(err, "WRONGTYPE") {
		return heldDevices{}, nil
	}
	return heldDevices{fields: fields, ttl: left.Val()}, cmp.Or(err, left.Err())
}

// deleteDevice deletes a dead address from user:<id>:devices, in any spelling. It writes the copy
// first, so an interruption leaves only a superfluous copy. The address is marked as dead already.
func (s *Store) deleteDevice(ctx context.Context, r removal, held heldDevices) (removed bool, err error) {
	for _, address := range sortedFields(held.fields, r.token) {
		if err := s.copyDevice(ctx, r, entry{address, held.fields[address]}, held.ttl, replaceAny); err != nil {
			return removed, err
		}
		deleted, err := s.rdb.HDel(ctx, s.names.Devices(r.user), address).Result()
		if err != nil {
			return removed, err
		}
		removed = removed || deleted > 0
	}
	return removed, nil
}

// copyDevice writes the copy of a device. ttl is the time to live of the devices of a user that has
// no others when it is restored; 0 or less means no expiry.
func (s *Store) copyDevice(ctx context.Context, r removal, e entry, ttl time.Duration, replace string) error {
	keep := s.copyTTL()
	if keep == 0 {
		return nil
	}
	head := `{"token":` + quote(e.address) + `,"value":` + quote(e.value) + `,"campaign":` + quote(r.campaign)
	return keepDeviceScript.Run(ctx, s.rdb, []string{s.names.RemovedDevices(r.user)},
		e.address, head, keep.Milliseconds(), ttl.Milliseconds(), replace).Err()
}

// valueOf returns the value of a device in user:<id>:devices.
func valueOf(d notification.Device) string {
	value := struct {
		Kind     string `json:"kind"`
		Platform string `json:"platform,omitempty"`
		Locale   string `json:"locale,omitempty"`
		TimeZone string `json:"timeZone,omitempty"`
		LastUse  string `json:"lastUse,omitempty"`
	}{Kind: kindToken, Platform: d.Platform, Locale: d.Locale, TimeZone: d.TimeZone}
	if d.Target.Kind == notification.TargetFID {
		value.Kind = kindFID
	}
	if !d.LastSeen.IsZero() {
		value.LastUse = d.LastSeen.UTC().Format(time.RFC3339)
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // texts always marshal
	}
	return string(text)
}

// sortedFields returns the addresses in a hash that are one address, in any spelling.
func sortedFields(fields map[string]string, dead string) []string {
	var all []string
	for address := range fields {
		if notification.ParseToken(address).Value == dead {
			all = append(all, address)
		}
	}
	slices.Sort(all)
	return all
}
