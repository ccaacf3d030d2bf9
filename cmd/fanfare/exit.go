package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redisx"
	"fanfare/internal/tokens"
)

// explain gives an error its exit code, and says what to do next where that is known.
func explain(err error) error {
	if _, decided := errors.AsType[*daemon.ExitError](err); err == nil || decided {
		return err
	}
	_, dialing := errors.AsType[*net.OpError](err)
	switch {
	case errors.Is(err, context.Canceled):
		return daemon.WithExitCode(daemon.ExitLeftover, fmt.Errorf("interrupted: %w", err))
	case errors.Is(err, campaign.ErrNotFound):
		return daemon.WithExitCode(daemon.ExitNoCampaign, err)
	case checks.IsUntrustedRedis(err):
		return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w; %s", err, checks.RedisAdvice(err)))
	case redisx.IsDenied(err):
		return daemon.WithExitCode(daemon.ExitCredentials, err)
	case isWrongInput(err):
		return daemon.WithExitCode(daemon.ExitUsage, err)
	case redis.IsOOMError(err):
		return fmt.Errorf("%w; Redis is full, and fanfare check tells how full", err)
	case dialing:
		return fmt.Errorf("%w; fanfare check tells more", err)
	}
	return err
}

// wrongInput tells errors about what was typed, or stands in a file or a spec, from those about the state of the world.
func isWrongInput(err error) bool {
	_, id := errors.AsType[*keys.IDError](err)
	_, spec := errors.AsType[*campaign.SpecError](err)
	message := len(notification.FaultsOf(err)) > 0
	_, file := errors.AsType[*operator.FileError](err)
	return id || spec || message || file || errors.Is(err, operator.ErrNoRecipient) ||
		errors.Is(err, operator.ErrNoToken) || errors.Is(err, tokens.ErrNoToken) || errors.Is(err, tokens.ErrInvalidToken)
}

// about says in an operator's words what is in the way of something that was to be done with a campaign.
func explainCampaign(id string, err error) error {
	if wrong, ok := errors.AsType[*keys.IDError](err); ok {
		return wrong
	}
	if refused, ok := errors.AsType[*campaign.TransitionError](err); ok {
		return explainTransition(refused)
	}
	if passed, ok := errors.AsType[*operator.PassedError](err); ok {
		return fmt.Errorf("%w; move it first: fanfare campaign set %s --deadline MOMENT", passed, shellWord(id))
	}
	if incomplete, ok := errors.AsType[*operator.IncompleteError](err); ok {
		return daemon.WithExitCode(daemon.ExitStopped, fmt.Errorf("%w; or do without them: fanfare campaign %s %s --partial", incomplete, startVerb(incomplete.State), shellWord(id)))
	}
	switch {
	case errors.Is(err, campaign.ErrNotFound):
		return fmt.Errorf("%w: %s; fanfare campaign list shows those that there are", campaign.ErrNotFound, printable(id))
	case errors.Is(err, campaign.ErrExists):
		return fmt.Errorf("campaign %s exists already; see fanfare campaign show %s", printable(id), shellWord(id))
	}
	return err
}

// startVerb is the command that lets a campaign run.
func startVerb(from campaign.State) string {
	if from == campaign.Draft {
		return "start"
	}
	return "resume"
}

// refusal adds what is possible instead.
func explainTransition(e *campaign.TransitionError) error {
	if e.From.Final() || !slices.Contains(campaign.States, e.To) {
		return e
	}
	var next []string
	for _, state := range e.From.Next() {
		next = append(next, string(state))
	}
	return fmt.Errorf("%w, only %s", e, strings.Join(next, " or "))
}
