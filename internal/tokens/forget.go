package tokens

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
	"fanfare/internal/readthrough"
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
	if f.Others = otherDevices(stored, held.fields, dead); len(f.Others) > 0 {
		f.Current = f.Others[0].Target
		return f, nil
	}
	return s.forgetInSQL(ctx, r, dead, f)
}

// forgetInSQL adds what SQL holds to a result without other addresses in Redis. It keeps a copy of
// an address that Redis did not hold.
func (s *Store) forgetInSQL(ctx context.Context, r removal, dead notification.Target, f ForgetResult) (ForgetResult, error) {
	inSQL, err := s.readSQL(ctx, r.user)
	told := err == nil && s.source != nil
	for _, d := range inSQL {
		if isSameAddress(d.Target, dead) {
			f.InSQL = d.Target
		}
	}
	if !f.Removed && (!told || !f.InSQL.IsZero()) { // the responder clears SQL, too
		if err := s.copyUnheld(ctx, r, dead, told); err != nil {
			return f, fmt.Errorf("keep dead token of %q: %w", r.user, err)
		}
	}
	if err != nil {
		return f, &SourceError{IDs: []string{r.user}, Err: fmt.Errorf("look for another token: %w", err)}
	}
	if f.Others = withoutAddress(inSQL, dead); len(f.Others) > 0 {
		f.Current = f.Others[0].Target
	}
	if f.InSQL.IsZero() {
		f.InSQL = Newest(inSQL)
	}
	return f, nil
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

// copyUnheld keeps a copy of an address that Redis did not hold. It replaces no copy of the same
// one. An address that SQL holds replaces the copy of another token.
func (s *Store) copyUnheld(ctx context.Context, r removal, dead notification.Target, inSQL bool) error {
	if dead.Kind == notification.TargetFID {
		return s.copyDevice(ctx, r, entry{dead.Value, valueOf(notification.Device{Target: dead})}, s.opts.TTL, replaceOther)
	}
	replace := replaceNone
	if inSQL {
		replace = replaceOther
	}
	return s.writeCopy(ctx, r, s.opts.TTL, replace)
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
	if others := otherDevices(stored, held.fields, dead); len(others) > 0 {
		return others[0].Target, nil
	}
	inSQL, err := s.readSQL(ctx, user) // Redis may hold the older one
	if err != nil {
		return notification.Target{}, &SourceError{IDs: []string{user}, Err: fmt.Errorf("look for another token: %w", err)}
	}
	return Newest(withoutAddress(inSQL, dead)), nil
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

// readText returns the result of a GET; "" without a value and for a key of another type.
func readText(get *redis.StringCmd) (string, error) {
	text, err := get.Result()
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		return "", nil
	}
	return text, err
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
