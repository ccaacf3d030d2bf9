// Package sending adds what needs FCM to the rooms of package assembly: the sender, the project's quota, the dispatcher
// and the operator.
package sending

import (
	"context"
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/fcm"
	"fanfare/internal/operator"
)

// Rooms are those of package assembly, with what sends.
type Rooms struct{ *assembly.Rooms }

// Open opens the rooms as assembly.Open does.
func Open(ctx context.Context, s config.Settings, program string, log *slog.Logger, reg prometheus.Registerer) (*Rooms, error) {
	rooms, err := assembly.Open(ctx, s, program, log, reg)
	if err != nil {
		return nil, err
	}
	return &Rooms{rooms}, nil
}

// Operator is what a person acts through.
func (r *Rooms) NewOperator() *operator.Operator {
	return operator.New(operator.Deps{
		Redis: r.Redis, Names: r.Names, Campaigns: r.Campaigns, Tokens: r.Tokens, Profiles: r.Profiles,
		DeadLetters: r.DeadLetters, Breakers: r.Breakers,
	})
}

// Sender makes the sender to FCM.
func (r *Rooms) NewSender(ctx context.Context) (*fcm.Sender, error) {
	o := fcmOptions(r.Settings)
	o.Logger, o.Registerer = r.Logger, r.Registerer
	sender, err := fcm.New(ctx, o)
	if _, refused := errors.AsType[*fcm.CredentialsError](err); refused {
		return nil, daemon.WithExitCode(daemon.ExitCredentials, err)
	}
	if err != nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, err)
	}
	return sender, nil
}
