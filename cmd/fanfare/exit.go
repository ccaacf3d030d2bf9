package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redisx"
	"fanfare/internal/tokens"
)

// explain assigns an error its exit code, and adds the next step if it is known.
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
		return fmt.Errorf("%w; Redis is full: run fanfare check", err)
	case dialing:
		return fmt.Errorf("%w; run fanfare check to find the cause", err)
	}
	return err
}

// isWrongInput reports whether the error is about an argument, a file or a spec.
func isWrongInput(err error) bool {
	_, id := errors.AsType[*keys.IDError](err)
	_, spec := errors.AsType[*campaign.SpecError](err)
	message := len(notification.FaultsOf(err)) > 0
	_, file := errors.AsType[*audience.FileError](err)
	return id || spec || message || file || errors.Is(err, operator.ErrNoRecipient) ||
		errors.Is(err, operator.ErrNoToken) || errors.Is(err, operator.ErrNoUser) || errors.Is(err, tokens.ErrNoToken) || errors.Is(err, tokens.ErrInvalidToken)
}

// explainCampaign says in an operator's words what prevents an operation on a campaign.
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
		return daemon.WithExitCode(daemon.ExitStopped, fmt.Errorf("%w; or start without them: fanfare campaign %s %s --partial", incomplete, startVerb(incomplete.State), shellWord(id)))
	}
	if unfit, ok := errors.AsType[*operator.UnfitError](err); ok {
		if unfit.Scheduled {
			return daemon.WithExitCode(daemon.ExitStopped, unfit)
		}
		return daemon.WithExitCode(daemon.ExitStopped, fmt.Errorf("%w; or start it all the same: fanfare campaign start %s --late", unfit, shellWord(id)))
	}
	switch {
	case errors.Is(err, campaign.ErrNotFound):
		return fmt.Errorf("%w: %s; list the campaigns with fanfare campaign list", campaign.ErrNotFound, printable(id))
	case errors.Is(err, campaign.ErrExists):
		return fmt.Errorf("campaign %s exists already; see fanfare campaign show %s", printable(id), shellWord(id))
	}
	return err
}

// startVerb is the command that starts a campaign in this state.
func startVerb(from campaign.State) string {
	if from == campaign.Draft {
		return "start"
	}
	return "resume"
}

// explainTransition adds the transitions that are possible.
func explainTransition(e *campaign.TransitionError) error {
	if e.From.IsFinal() || !slices.Contains(campaign.States, e.To) {
		return e
	}
	var next []string
	for _, state := range e.From.Next() {
		next = append(next, string(state))
	}
	return fmt.Errorf("%w, only %s", e, strings.Join(next, " or "))
}
