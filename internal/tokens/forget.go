package tokens

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
)

// ForgetResult is what Forget did and found.
type ForgetResult struct {
	Removed bool                  // Forget deleted the dead address from Redis
	Current notification.Target   // the first of Others; worth a try
	Others  []notification.Device // the user's other stored addresses, from Redis or else from SQL, as Lookup orders them
	InSQL   notification.Target   // the user's address in SQL, perhaps the dead one; zero if SQL was not asked
}

// Forget deletes an address that FCM reported as unregistered from Redis: from user:<id>:token,
// unless another one is stored there, and from user:<id>:devices. It queries SQL only if Redis
// holds no other address. For deadTTL lookups ignore the dead address in SQL, because the responder
// clears it there later.
//
// For Options.KeepTTL Redis keeps a copy, which Restore writes back. It names the campaign that
// proved the address dead, or "". Forget copies addresses that Redis held and those that SQL holds
// or may hold. Each user has one copy of a token in user:<id>:token, the one removed last, and one
// of each address of a device. A token that was stored nowhere replaces no copy. A deletion and its
// copy succeed or fail together, and both succeed when Redis is full.
//
// A *SourceError means that the address is gone from Redis and SQL did not answer.
func (s *Store) Forget(ctx context.Context, user string, dead notification.Target, campaign string) (ForgetResult, error) {
	if err := checkAddress(dead); err != nil {
		return ForgetResult{}, fmt.Errorf("forget token of %q: %w", user, err)
	}
	r := removal{user: user, token: dead.Value, spelled: dead.Text(), campaign: campaign}
	removed, stored, err := s.deleteAnySpelling(ctx, r)
	if err != nil {
		return ForgetResult{}, fmt.Errorf("forget token of %q: %w", user, err)
	}
	held, err := s.readDevices(ctx, user)
	if err != nil {
		return ForgetResult{Removed: removed}, fmt.Errorf("forget device of %q: %w", user, err)
	}
	removedDevice, err := s.deleteDevice(ctx, r, held)
	f := ForgetResult{Removed: removed || removedDevice}
	if err != nil {
		return f, fmt.Errorf("forget device of %q: %w", user, err)
	}
	found, err := s.findOthers(ctx, user, dead, stored, held.fields)
	f.Others, f.Current, f.InSQL = found.devices, Newest(found.devices), found.inSQL
	if f.Removed {
		return f, err
	}
	if err := s.copyUnheld(ctx, r, dead, found.sql); err != nil {
		return ForgetResult{InSQL: f.InSQL}, fmt.Errorf("keep dead token of %q: %w", user, err)
	}
	return f, err
}

// removal is a dead token with its user and the campaign that proved it dead.
type removal struct {
	user, token, campaign string
	spelled               string // the token in the spelling that Redis should hold
}

// deleteAnySpelling deletes the dead token in whatever spelling Redis holds, and returns the text
// of another stored token. It compares and deletes exactly the text that it read.
func (s *Store) deleteAnySpelling(ctx context.Context, r removal) (removed bool, stored string, err error) {
	removed, stored, err = s.deleteIfStored(ctx, r)
	if err != nil || removed || notification.ParseToken(stored).Value != r.token {
		return removed, stored, err
	}
	r.spelled = stored
	return s.deleteIfStored(ctx, r)
}

// deleteIfStored marks a token as dead and deletes it from Redis if it still is the stored one. The
// mark comes before the deletion or with it. A Lookup that writes the token back in between finds
// the mark.
func (s *Store) deleteIfStored(ctx context.Context, r removal) (removed bool, stored string, err error) {
	if !s.names.TokenKeysShareSlot(r.user) {
		return s.deleteAcrossSlots(ctx, r)
	}
	keys := []string{s.names.Token(r.user), s.names.NoToken(r.user), s.names.RemovedToken(r.user)}
	return parseDeleted(forgetScript.Run(ctx, s.rdb, keys, r.spelled, deadTTL.Milliseconds(), r.jsonHead(), s.copyTTL().Milliseconds(), r.token))
}

// deleteAcrossSlots is deleteIfStored for rare user ids whose token and copy are in different
// Cluster slots. It writes the copy first, so an interruption leaves only a superfluous copy.
func (s *Store) deleteAcrossSlots(ctx context.Context, r removal) (removed bool, stored string, err error) {
	pipe := s.rdb.Pipeline()
	get, left := pipe.Get(ctx, s.names.Token(r.user)), pipe.PTTL(ctx, s.names.Token(r.user))
	_, _ = pipe.Exec(ctx) // each command carries its own error
	if stored, err = readText(get); cmp.Or(err, left.Err()) != nil {
		return false, "", cmp.Or(err, left.Err())
	}
	if stored != r.spelled {
		return false, stored, s.markDead(ctx, r)
	}
	if err := s.writeCopy(ctx, r, left.Val(), replaceAny); err != nil {
		return false, "", err
	}
	return parseDeleted(deleteScript.Run(ctx, s.rdb, []string{s.names.Token(r.user)}, r.spelled))
}

func parseDeleted(cmd *redis.Cmd) (removed bool, stored string, err error) {
	fields, err := cmd.Slice()
	if err != nil {
		return false, "", err
	}
	if len(fields) != 2 {
		return false, "", fmt.Errorf("script returned %d fields, want 2", len(fields))
	}
	stored, _ = fields[1].(string)
	return fields[0] == int64(1), stored, nil
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

// checkAddress rejects values that cannot be forgotten.
func checkAddress(t notification.Target) error {
	switch {
	case t.IsZero():
		return ErrNoToken
	case !t.IsSendable():
		return fmt.Errorf("%w: %s", ErrInvalidToken, t.Problem())
	}
	return nil
}
