package tokens

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/readthrough"
)

// newQuery returns what asks a source for records; nil without a source.
func newQuery(source Source) readthrough.Source {
	if source == nil {
		return nil
	}
	all, ok := source.(DeviceSource)
	if !ok {
		return source.Tokens
	}
	return func(ctx context.Context, users []string) (map[string]string, error) {
		found, err := all.Devices(ctx, users)
		if err != nil {
			return nil, err
		}
		records := make(map[string]string, len(found))
		for user, devices := range found {
			records[user] = encodeDevices(devices)
		}
		return records, nil
	}
}

// encodeDevices returns the record of a user's devices in SQL. A token of which nothing else is
// known is a record by itself, and is kept in user:<id>:token.
func encodeDevices(devices []notification.Device) string {
	var rec record
	for _, d := range devices {
		if d.Target.IsSendable() {
			rec = append(rec, entry{d.Target.Text(), valueOf(d)})
		}
	}
	switch {
	case len(devices) == 0:
		return ""
	case len(rec) == 0:
		return devices[0].Target.Text()
	case len(rec) == 1 && rec[0].value == bareToken:
		return rec[0].address
	}
	return rec.encode()
}

// bareToken is the value of a token of which nothing else is known.
var bareToken = valueOf(notification.Device{Target: notification.Target{Kind: notification.TargetToken}})

// withoutMarked returns a record without the addresses that a mark calls dead.
func withoutMarked(text, mark string) string {
	rec, ok := parseRecord(text)
	if !ok {
		if isMarked(text, mark) {
			return ""
		}
		return text
	}
	rest := rec[:0:0]
	for _, e := range rec {
		if !isMarked(e.address, mark) {
			rest = append(rest, e)
		}
	}
	return rest.encode()
}

// devicesHash stores records in user:<id>:devices.
type devicesHash struct{ names keys.Names }

// Has reports whether a record is more than a token.
func (h devicesHash) Has(text string) bool {
	_, ok := parseRecord(text)
	return ok
}

// Put queues the write of a record, unless the user has devices by now.
func (h devicesHash) Put(ctx context.Context, pipe redis.Pipeliner, user, text string, ttl time.Duration) {
	rec, _ := parseRecord(text)
	args := make([]any, 0, 1+2*len(rec))
	args = append(args, ttl.Milliseconds())
	for _, e := range rec {
		args = append(args, e.address, e.value)
	}
	pipe.Eval(ctx, putDevicesText, []string{h.names.Devices(user)}, args...)
}

// Remove queues the removal of the addresses of a record that a mark calls dead.
func (h devicesHash) Remove(ctx context.Context, pipe redis.Pipeliner, user, text, mark string) {
	rec, _ := parseRecord(text)
	for _, e := range rec {
		if isMarked(e.address, mark) {
			pipe.HDel(ctx, h.names.Devices(user), e.address)
		}
	}
}
