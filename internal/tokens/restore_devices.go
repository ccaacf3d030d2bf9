package tokens

import (
	"context"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
)

// dropReplaced drops the tokens of devices whose installation ID is stored by now.
func (s *Store) dropReplaced(ctx context.Context, some []RemovedToken) ([]RemovedToken, error) {
	users := make([]string, len(some))
	for i, r := range some {
		users[i] = r.User
	}
	held, err := s.readHashes(ctx, s.names.Devices, users)
	if err != nil {
		return nil, err
	}
	due := make([]RemovedToken, 0, len(some))
	for i, r := range some {
		if !isReplaced(r.Token, held[i]) {
			due = append(due, r)
		}
	}
	return due, nil
}

func isReplaced(token notification.Target, fields map[string]string) bool {
	fid := token.FID()
	if token.Kind != notification.TargetToken || fid == "" {
		return false
	}
	_, is := fields[fid]
	return is
}

// putBackDevices stores addresses in user:<id>:devices again. It returns those that are there.
func (s *Store) putBackDevices(ctx context.Context, due []RemovedToken) (there []RemovedToken, err error) {
	pipe := s.rdb.Pipeline()
	puts := make([]*redis.Cmd, len(due))
	for i, r := range due {
		puts[i] = pipe.Eval(ctx, putBackDeviceText, []string{s.names.Devices(r.User)}, r.device.address, r.device.value, r.ttl.Milliseconds())
	}
	_, err = pipe.Exec(ctx)
	for i, put := range puts {
		if n, failed := put.Int(); failed == nil && n == 1 {
			there = append(there, due[i])
		}
	}
	return there, err
}

// dropDeviceCopies deletes the copies and marks of addresses that are stored again. The marks go
// first: a copy that stays is dropped by the next restore.
func (s *Store) dropDeviceCopies(ctx context.Context, there []RemovedToken) error {
	marks, copies := s.rdb.Pipeline(), s.rdb.Pipeline()
	for _, r := range there {
		marks.Eval(ctx, unmarkText, []string{s.names.NoToken(r.User)}, r.Token.Value)
		copies.Eval(ctx, dropDeviceCopyText, []string{s.names.RemovedDevices(r.User)}, r.device.address, r.text)
	}
	if _, err := marks.Exec(ctx); err != nil {
		return err
	}
	_, err := copies.Exec(ctx)
	return err
}
