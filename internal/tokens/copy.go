package tokens

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"fanfare/internal/bounds"
	"fanfare/internal/notification"
)

// copyJSON is the JSON of a copy. Its field order matches jsonHead, and that of copyDevice.
type copyJSON struct {
	Token    string `json:"token"`
	Value    string `json:"value"` // of a device: its value in user:<id>:devices
	Campaign string `json:"campaign"`
	At       int64  `json:"at"`  // ms
	TTL      int64  `json:"ttl"` // ms; 0: no expiry
}

// jsonPrefix returns the start of the JSON of every copy of this token.
func (r removal) jsonPrefix() string { return `{"token":` + quote(r.token) + `,` }

// jsonHead returns the copy's JSON up to the time, which Redis adds.
func (r removal) jsonHead() string { return r.jsonPrefix() + `"campaign":` + quote(r.campaign) }

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

func readCopy(user, text string, isDevice bool) (RemovedToken, error) {
	var c copyJSON
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return RemovedToken{}, fmt.Errorf("read removed token of %q: %w", user, err)
	}
	r := RemovedToken{User: user, Campaign: c.Campaign, At: bounds.Milli(c.At), ttl: bounds.Span(c.TTL), text: text}
	if isDevice {
		r.device = &entry{c.Token, c.Value}
		r.Token = r.device.device().Target
	} else {
		r.Token = notification.ParseToken(c.Token)
	}
	return r, nil
}

// The copies that a new one may replace; see keep.lua.
const (
	replaceAny   = "any"
	replaceOther = "other"
	replaceNone  = "none"
)

// writeCopy marks a token as dead and writes its copy. ttl is the time to live of a restored token
// in Redis; 0 or less means no expiry.
func (s *Store) writeCopy(ctx context.Context, r removal, ttl time.Duration, replace string) error {
	return s.runKeepScript(ctx, r, s.copyTTL(), ttl, replace)
}

// markDead marks a token as dead without a copy.
func (s *Store) markDead(ctx context.Context, r removal) error {
	return s.runKeepScript(ctx, r, 0, 0, replaceNone)
}

func (s *Store) runKeepScript(ctx context.Context, r removal, keep, ttl time.Duration, replace string) error {
	keys := []string{s.names.NoToken(r.user), s.names.RemovedToken(r.user)}
	return keepScript.Run(ctx, s.rdb, keys, r.token, deadTTL.Milliseconds(), r.jsonHead(), keep.Milliseconds(),
		ttl.Milliseconds(), r.jsonPrefix(), replace).Err()
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

// copyUnheld keeps a copy of an address that Redis did not hold, if SQL may hold it: the responder
// clears SQL, too. It replaces no copy of the same one. An address that SQL holds replaces the copy
// of another token.
func (s *Store) copyUnheld(ctx context.Context, r removal, dead notification.Target, sql sqlState) error {
	switch {
	case sql == sqlUnasked || sql == sqlLacks:
		return nil
	case dead.Kind == notification.TargetFID:
		return s.copyDevice(ctx, r, entry{dead.Value, valueOf(notification.Device{Target: dead})}, s.opts.TTL, replaceOther)
	case sql == sqlHolds:
		return s.writeCopy(ctx, r, s.opts.TTL, replaceOther)
	}
	return s.writeCopy(ctx, r, s.opts.TTL, replaceNone)
}

// copyTTL returns how long a copy is kept; 0 means no copy.
func (s *Store) copyTTL() time.Duration { return max(0, s.opts.KeepTTL) }
