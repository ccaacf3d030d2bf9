package assembly

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/caps"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/fleet"
	"fanfare/internal/keys"
	"fanfare/internal/operator"
	"fanfare/internal/profiles"
	"fanfare/internal/responder"
	"fanfare/internal/responses"
	"fanfare/internal/store"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
	"fanfare/internal/tracing"
	"fanfare/internal/traffic"
	"fanfare/internal/webhooks"
)

// Rooms are the rooms of floor 2, over one Redis and an optional database. Registerer may be nil.
type Rooms struct {
	Settings    config.Settings
	Logger      *slog.Logger
	Registerer  prometheus.Registerer
	Names       keys.Names
	Redis       redis.UniversalClient
	Store       *store.Store // nil without a database
	Campaigns   *campaign.Campaigns
	Breakers    *breaker.Breakers
	Tokens      *tokens.Store
	Profiles    *profiles.Cache
	Suppressed  *suppression.Set
	DeadLetters *responses.DeadLetters
	Caps        *caps.Limiter // nil without caps
	Fleet       *fleet.Fleet
	Tracer      *tracing.Tracer // only in a daemon, and only if OTLP is set
}

// Open builds the rooms. They connect to Redis and SQL at first use. CLIENT LIST shows program as
// the client's name.
func Open(ctx context.Context, s config.Settings, program string, log *slog.Logger, reg prometheus.Registerer) (*Rooms, error) {
	r := &Rooms{Settings: s, Logger: log, Registerer: reg, Names: keyNames(s.Names)}
	if err := r.Names.Validate(); err != nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("settings: names.%w", err))
	}
	limits, err := caps.Parse(s.Caps.Limits)
	if err != nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("settings: caps.limits: %w", err))
	}
	if r.Redis, err = daemon.OpenRedis(RedisOptions(s.Redis, program)); err != nil {
		return nil, err
	}
	if url := s.Store.DatabaseURL.Reveal(); url != "" {
		o := StoreOptions(s.Store)
		o.Logger = log
		if r.Store, err = store.Open(ctx, url, o); err != nil {
			return nil, errors.Join(daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("open database: %w", err)), r.Close())
		}
	} else if s.Store.SuppressionQuery.SQL() != "" { // to ignore it would send to users who opted out
		return nil, errors.Join(daemon.WithExitCode(daemon.ExitUsage, errors.New("settings: store.suppression_query needs a database: set store.database_url, or set it to off")), r.Close())
	}
	r.Caps = caps.New(r.Redis, r.Names, limits)
	if err := r.buildAll(); err != nil {
		return nil, errors.Join(daemon.WithExitCode(daemon.ExitUsage, err), r.Close())
	}
	return r, nil
}

// WithSettings returns rooms with other settings of a Firebase project. They share everything but
// the breakers.
func (r *Rooms) WithSettings(s config.Settings) (*Rooms, error) {
	shared := *r
	shared.Settings = s
	var err error
	if shared.Breakers, err = breaker.New(r.Redis, breakerOptions(s)); err != nil {
		return nil, AsSettingsError(err)
	}
	return &shared, nil
}

func (r *Rooms) buildAll() (err error) {
	s := r.Settings
	r.Fleet = fleet.New(r.Redis, r.Names)
	var suppressed suppression.Source
	if r.Store != nil && r.Store.CanFindSuppressed() {
		suppressed = r.Store
	}
	r.Suppressed = suppression.New(r.Redis, r.Names, suppressed)
	if r.Campaigns, err = campaign.New(r.Redis, r.Names, CampaignOptions(s)); err != nil {
		return err
	}
	if r.Breakers, err = breaker.New(r.Redis, breakerOptions(s)); err != nil {
		return err
	}
	var tokenSource tokens.Source
	var profileSource profiles.Source
	if r.Store != nil && !s.Store.TokenQuery.IsOff() {
		tokenSource = r.Store
	}
	if r.Store != nil && s.Store.ProfileQuery.SQL() != "" {
		profileSource = r.Store
	}
	tokenOptions := tokenOptions(s.Tokens)
	tokenOptions.Logger, tokenOptions.Registerer = r.Logger, r.Registerer
	if r.Store != nil && r.Store.CanRestoreTokens() {
		tokenOptions.SQL = r.Store
	}
	if r.Tokens, err = tokens.New(r.Redis, r.Names, tokenSource, tokenOptions); err != nil {
		return err
	}
	r.Profiles, err = profiles.New(r.Redis, r.Names, profileSource, profiles.Options{
		TTL: s.Profiles.TTL, NegativeTTL: s.Profiles.NegativeTTL, Logger: r.Logger, Registerer: r.Registerer,
	})
	if err != nil {
		return err
	}
	r.DeadLetters, err = responses.NewDeadLetters(r.Redis, r.Names, responses.DeadLetterOptions{
		MaxLetters: s.Responder.DeadMaxLength, MaxAge: s.Responder.DeadMaxAge,
	})
	return err
}

// Close closes SQL and Redis.
func (r *Rooms) Close() error {
	var errs []error
	if r.Store != nil {
		errs = append(errs, r.Store.Close())
	}
	return errors.Join(append(errs, r.Redis.Close())...)
}

// NewWebhooks makes what delivers the events of campaigns.
func (r *Rooms) NewWebhooks() (*webhooks.Deliverer, error) {
	made, err := webhooks.New(webhooks.Deps{
		Redis: r.Redis, Names: r.Names, Histories: r.Campaigns, Explain: r.explainWaiting, Logger: r.Logger,
	}, webhookOptions(r.Settings.Webhooks))
	if err != nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, err)
	}
	return made, nil
}

// explainWaiting says why a campaign waits, as every other place does. It does not know the pace of
// the project, which has no part in a pause or a hold.
func (r *Rooms) explainWaiting(ctx context.Context, id string) ([]webhooks.Reason, error) {
	op := r.NewOperator()
	view, err := op.Show(ctx, id)
	if err != nil {
		return nil, err
	}
	op.Explain(ctx, &view, nil)
	var all []webhooks.Reason
	for _, why := range view.Reasons {
		all = append(all, webhooks.Reason{
			Kind: string(why.Kind), Headline: why.Headline, Detail: why.Detail, People: why.People, EndsByItself: why.EndsByItself, Next: why.Next,
		})
	}
	return all, nil
}

// NewOperator makes the operator, through which people act.
func (r *Rooms) NewOperator() *operator.Operator {
	deps := operator.Deps{
		Suppressed: r.Suppressed,
		Redis:      r.Redis, Names: r.Names, Campaigns: r.Campaigns, Tokens: r.Tokens, Profiles: r.Profiles,
		DeadLetters: r.DeadLetters, Breakers: r.Breakers, Fleet: r.Fleet, Traffic: traffic.New(r.Redis), Caps: r.Caps,
		Projects: r.Settings.ProjectIDs(),
	}
	if r.Store != nil { // a nil *store.Store would be no nil Records
		deps.Records, deps.Queries = r.Store, r.Store
	}
	return operator.New(deps)
}

// NewResponder makes a responder. It needs a database.
func (r *Rooms) NewResponder() (*responder.Responder, error) {
	if r.Store == nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, errors.New("no database is configured; set DATABASE_URL, such as postgres://user:password@host/db?sslmode=verify-full or sqlite:fanfare.db"))
	}
	results, err := responses.NewQueue(r.Redis, r.Names, r.Settings.Queue.Lease)
	if err != nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, err)
	}
	o := responder.DefaultOptions()
	o.Batch, o.Workers = r.Settings.Responder.Batch, r.Settings.Responder.Workers
	made, err := responder.New(responder.Deps{
		Queue:       results,
		Applier:     r.Store,
		FaultOf:     store.FaultOf,
		DeadLetters: r.DeadLetters,
		Histories:   r.Campaigns,
		History:     r.Store,
		Tracer:      r.Tracer,
		Logger:      r.Logger,
		Registerer:  r.Registerer,
	}, o)
	if err != nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, err)
	}
	return made, nil
}
