package tokens

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
	"fanfare/internal/readthrough"
)

// This file finds what else is stored for the user of a dead address. It changes nothing.

// FindInstallation returns the installation ID that a dead registration token begins with, if the
// ID is stored for the user. It looks in Redis, and then in SQL: an app that moves stores its ID
// there, while Redis still keeps the token that it read earlier. It changes nothing. The zero
// Target means none. A *SourceError means that SQL did not answer.
func (s *Store) FindInstallation(ctx context.Context, user string, dead notification.Target) (notification.Target, error) {
	fid := dead.FID()
	if dead.Kind != notification.TargetToken || fid == "" {
		return notification.Target{}, nil
	}
	stored, err := s.Peek(ctx, []string{user})
	if err != nil {
		return notification.Target{}, err
	}
	if found := findFID(stored[user], fid); !found.IsZero() {
		return found, nil
	}
	inSQL, err := s.readSQL(ctx, user)
	if err != nil {
		return notification.Target{}, &SourceError{IDs: []string{user}, Err: err}
	}
	return findFID(inSQL, fid), nil
}

// findFID returns an installation ID if it is among the addresses.
func findFID(among []notification.Device, fid string) notification.Target {
	for _, d := range among {
		if d.Target.Kind == notification.TargetFID && d.Target.Value == fid {
			return d.Target
		}
	}
	return notification.Target{}
}

// FindAnother returns the user's newest stored address that differs from the target, which is dead
// or cannot be an address. It looks in Redis and then in SQL, and changes nothing. The zero Target
// means none. A *SourceError means that SQL did not answer.
func (s *Store) FindAnother(ctx context.Context, user string, dead notification.Target) (notification.Target, error) {
	stored, err := readText(s.rdb.Get(ctx, s.names.Token(user)))
	if err != nil {
		return notification.Target{}, fmt.Errorf("look for another token of %q: %w", user, err)
	}
	held, err := s.readDevices(ctx, user)
	if err != nil {
		return notification.Target{}, fmt.Errorf("look for another device of %q: %w", user, err)
	}
	found, err := s.findOthers(ctx, user, dead, stored, held.fields)
	return Newest(found.devices), err
}

// others is what is stored for a user besides a dead address.
type others struct {
	devices []notification.Device // those in Redis or else in SQL, as Lookup orders them
	inSQL   notification.Target   // in SQL: the dead address, or else the newest one
	sql     sqlState              // about the dead address
}

// sqlState says whether SQL holds an address.
type sqlState uint8

const (
	sqlUnasked sqlState = iota // Redis holds others
	sqlUnknown                 // there is no SQL, or it did not answer
	sqlHolds
	sqlLacks
)

// findOthers looks in what Redis holds of a user, and only then in SQL. A *SourceError means that
// SQL did not answer.
func (s *Store) findOthers(ctx context.Context, user string, dead notification.Target, token string, fields map[string]string) (others, error) {
	if inRedis := otherDevices(token, fields, dead); len(inRedis) > 0 {
		return others{devices: inRedis}, nil
	}
	if s.source == nil {
		return others{sql: sqlUnknown}, nil
	}
	inSQL, err := s.readSQL(ctx, user)
	if err != nil {
		return others{sql: sqlUnknown}, &SourceError{IDs: []string{user}, Err: fmt.Errorf("look for another token: %w", err)}
	}
	found := others{devices: withoutAddress(inSQL, dead), inSQL: Newest(inSQL), sql: sqlLacks}
	for _, d := range inSQL {
		if isSameAddress(d.Target, dead) {
			found.inSQL, found.sql = d.Target, sqlHolds
		}
	}
	return found, nil
}

// otherDevices returns the addresses in Redis without the dead one, one for each device.
func otherDevices(token string, fields map[string]string, dead notification.Target) []notification.Device {
	rest := make(map[string]string, len(fields))
	for address, value := range fields {
		if !isSameText(address, dead) {
			rest[address] = value
		}
	}
	if isSameText(token, dead) {
		token = ""
	}
	devices, err := decode(addDevices(readthrough.Reply{Text: token}, rest).Text)
	if err != nil { // nothing, or a text that cannot be a token
		return nil
	}
	return devices
}

// withoutAddress returns the devices that a push can reach, without those of a dead address.
func withoutAddress(devices []notification.Device, dead notification.Target) []notification.Device {
	var rest []notification.Device
	for _, d := range devices {
		if d.Target.IsSendable() && !isSameAddress(d.Target, dead) {
			rest = append(rest, d)
		}
	}
	return arrange(rest)
}

// isSameAddress reports whether both are the same address. FCM takes an installation ID in the
// place of a token, too.
func isSameAddress(t, dead notification.Target) bool {
	return t.IsSame(dead) || t.IsSendable() && t.Value == dead.Value
}

func isSameText(text string, dead notification.Target) bool {
	return isSameAddress(notification.ParseToken(text), dead)
}

// readSQL returns the user's devices in SQL, with several addresses of one device; none without a
// source. A value that cannot be an address is among them if nothing else is stored.
func (s *Store) readSQL(ctx context.Context, user string) ([]notification.Device, error) {
	if s.source == nil {
		return nil, nil
	}
	text, err := s.coalescer.get(ctx, user)
	if err != nil {
		return nil, err
	}
	rec, ok := parseRecord(text)
	if !ok {
		return []notification.Device{{Target: notification.ParseAddress(text, "")}}, nil
	}
	devices := make([]notification.Device, len(rec))
	for i, e := range rec {
		devices[i] = e.device()
	}
	return devices, nil
}

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

// readStored reads what Redis holds of a user.
func (s *Store) readStored(ctx context.Context, user string) (token string, held heldDevices, err error) {
	if token, err = readText(s.rdb.Get(ctx, s.names.Token(user))); err != nil {
		return "", held, err
	}
	held, err = s.readDevices(ctx, user)
	return token, held, err
}

// readText returns the result of a GET; "" without a value and for a key of another type.
func readText(get *redis.StringCmd) (string, error) {
	text, err := get.Result()
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		return "", nil
	}
	return text, err
}
