package tokens

import (
	"context"

	"fanfare/internal/notification"
)

// FindInstallation returns the installation ID that a dead registration token begins with, if the
// ID is stored for the user. It looks in Redis, and then in SQL: an app that moves stores its ID
// there, while Redis still keeps the token that it read earlier. It changes nothing. The zero
// Target means none. A *SourceError means that SQL did not answer.
func (s *Store) FindInstallation(ctx context.Context, user string, dead notification.Target) (notification.Target, error) {
	if dead.Kind != notification.TargetToken || dead.FID() == "" {
		return notification.Target{}, nil
	}
	stored, err := s.Peek(ctx, []string{user})
	if err != nil {
		return notification.Target{}, err
	}
	if found := installationOf(dead, stored[user]); !found.IsZero() {
		return found, nil
	}
	inSQL, err := s.readSQL(ctx, user)
	if err != nil {
		return notification.Target{}, &SourceError{IDs: []string{user}, Err: err}
	}
	return installationOf(dead, inSQL), nil
}

// installationOf returns the installation ID of a token's device, if it is among the addresses.
func installationOf(token notification.Target, among []notification.Device) notification.Target {
	for _, d := range among {
		if d.Target.Kind == notification.TargetFID && d.Target.IsSameDevice(token) {
			return d.Target
		}
	}
	return notification.Target{}
}
