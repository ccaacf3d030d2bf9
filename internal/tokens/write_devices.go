package tokens

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
	"fanfare/internal/readthrough"
)

// persist is the command that removes an expiry.
const persist = "persist"

// SetDevice stores an address with its details in user:<id>:devices, in place of the same address.
// The devices have no expiry then, as if the application had stored them: Redis alone is asked from
// now on, even if they were copies of those in SQL.
func (s *Store) SetDevice(ctx context.Context, user string, d notification.Device) error {
	if err := checkAddress(d.Target); err != nil {
		return fmt.Errorf("set device of %q: %w", user, err)
	}
	pipe := s.rdb.Pipeline()
	s.queueDevice(ctx, pipe, user, d)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("set device of %q: %w", user, err)
	}
	return nil
}

// queueDevice queues the commands that store a device. Cut off between them, it leaves the device
// with the expiry of the others.
func (s *Store) queueDevice(ctx context.Context, pipe redis.Pipeliner, user string, d notification.Device) {
	pipe.HSet(ctx, s.names.Devices(user), d.Target.Value, valueOf(d))
	pipe.Persist(ctx, s.names.Devices(user))
}

// RemoveAddress deletes one address of a user from Redis, in any spelling, and reports whether it
// was there. The next Lookup finds one in SQL again if Redis holds no other.
func (s *Store) RemoveAddress(ctx context.Context, user string, address notification.Target) (existed bool, err error) {
	if err := checkAddress(address); err != nil {
		return false, fmt.Errorf("remove address of %q: %w", user, err)
	}
	stored, err := readText(s.rdb.Get(ctx, s.names.Token(user)))
	if err == nil && isSameText(stored, address) {
		existed, _, err = parseDeleted(deleteScript.Run(ctx, s.rdb, []string{s.names.Token(user)}, stored))
	}
	if err != nil {
		return false, fmt.Errorf("remove token of %q: %w", user, err)
	}
	held, err := s.readDevices(ctx, user)
	if fields := sortedFields(held.fields, address.Value); err == nil && len(fields) > 0 {
		var deleted int64
		deleted, err = s.rdb.HDel(ctx, s.names.Devices(user), fields...).Result()
		existed = existed || deleted > 0
	}
	if err != nil {
		return existed, fmt.Errorf("remove device of %q: %w", user, err)
	}
	return existed, nil
}

// RemoveAll deletes all addresses of a user from Redis, and returns how many there were. The next
// Lookup finds those in SQL again.
func (s *Store) RemoveAll(ctx context.Context, user string) (removed int, err error) {
	stored, held, err := s.readStored(ctx, user)
	if err != nil {
		return 0, fmt.Errorf("remove addresses of %q: %w", user, err)
	}
	pipe := s.rdb.Pipeline()
	pipe.Del(ctx, s.names.Token(user))
	pipe.Del(ctx, s.names.Devices(user))
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, fmt.Errorf("remove addresses of %q: %w", user, err)
	}
	removed = len(held.fields)
	if _, both := held.fields[stored]; stored != "" && !both {
		removed++
	}
	return removed, nil
}

// CountDevices counts the addresses in user:<id>:devices.
func (s *Store) CountDevices(ctx context.Context, user string) (int64, error) {
	held, err := s.readDevices(ctx, user)
	if err != nil {
		return 0, fmt.Errorf("count devices of %q: %w", user, err)
	}
	return int64(len(held.fields)), nil
}

// Stored are all addresses of a user.
type Stored struct {
	Used   []notification.Device // as Lookup returns them
	Unused []notification.Device // addresses of devices that have a better one, and those over the limit
}

// GetAll is Get with the addresses that a push would not use.
func (s *Store) GetAll(ctx context.Context, user string) (all Stored, err error) {
	if all.Used, err = s.Get(ctx, user); err != nil {
		return all, err
	}
	stored, held, err := s.readStored(ctx, user) // Get has copied what was in SQL
	if err != nil {
		return all, fmt.Errorf("read addresses of %q: %w", user, err)
	}
	rec, _ := parseRecord(addDevices(readthrough.Reply{Text: stored}, held.fields).Text)
	for _, e := range rec {
		if d := e.device(); !hasAddress(all.Used, d.Target) {
			all.Unused = append(all.Unused, d)
		}
	}
	return all, nil
}

func hasAddress(devices []notification.Device, t notification.Target) bool {
	for _, d := range devices {
		if d.Target.IsSame(t) {
			return true
		}
	}
	return false
}
