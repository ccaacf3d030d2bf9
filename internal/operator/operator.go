// Package operator implements everything that a person can do with a running system. That is
// creating, loading, starting, watching and deleting campaigns, managing tokens and dead letters,
// and checking the installation. The command line and the console call it.
package operator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/caps"
	"fanfare/internal/checks"
	"fanfare/internal/fleet"
	"fanfare/internal/keys"
	"fanfare/internal/profiles"
	"fanfare/internal/responses"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
	"fanfare/internal/traffic"
)

// Deps are the parts of the system that an operator works with.
type Deps struct {
	Redis       redis.UniversalClient
	Names       keys.Names
	Campaigns   *campaign.Campaigns
	Breakers    *breaker.Breakers
	Tokens      *tokens.Store
	Profiles    *profiles.Cache
	Suppressed  *suppression.Set
	DeadLetters *responses.DeadLetters
	Records     Records // nil without a database
	Queries     Queries // nil without a database
	Fleet       Fleet
	Traffic     *traffic.Store // nil: no forecasts
	Caps        *caps.Limiter  // nil without caps
	// Projects are the Firebase projects of the settings. A campaign may name no other one. With
	// none, it may name any.
	Projects []string
}

// Fleet lists the running dispatchers and responders; *fleet.Fleet implements it. The list is not
// nil.
type Fleet interface {
	List(ctx context.Context) ([]fleet.Process, error)
}

// Operator acts on one system. It is safe for concurrent use.
type Operator struct {
	deps    Deps
	now     func() time.Time
	known   knownProjects
	running knownRunning

	sqlTimeout time.Duration
}

// New builds an operator from its dependencies.
func New(deps Deps) *Operator { return &Operator{deps: deps, now: time.Now, sqlTimeout: sqlTimeout} }

// namedCampaigns limits the campaigns that one finding names.
const namedCampaigns = 5

// Check tests everything that sending depends on. probes add checks of parts that only the caller
// knows. All checks run, whatever they find.
func (o *Operator) Check(ctx context.Context, probes ...checks.Probe) []checks.Finding {
	findings := checks.Redis{Client: o.deps.Redis, Scratch: o.deps.Names.ScratchKey()}.All(ctx)
	if findings[0].Grade != checks.Failure || len(findings) > 1 { // otherwise Redis is unreachable
		probes = append([]checks.Probe{{Name: "audiences", Run: o.probeAudiences}, {Name: "processes", Run: o.probeProcesses}}, probes...)
	}
	return append(findings, checks.Run(ctx, probes...)...)
}

// probeAudiences finds campaigns that have not ended and whose audience is incomplete.
func (o *Operator) probeAudiences(ctx context.Context) (string, error) {
	all, err := o.deps.Campaigns.List(ctx)
	if err != nil {
		return "", &checks.Caution{Problem: err.Error(), Advice: "see fanfare campaign list"}
	}
	var incomplete []string
	for _, c := range all {
		if losses := c.Books.Losses(c.Spec); len(losses) > 0 && !c.Spec.State.HasEnded() {
			incomplete = append(incomplete, campaign.ShellQuote(c.Spec.ID)+" ("+losses[0].What+")")
		}
	}
	if len(incomplete) == 0 {
		return "all that are known are complete", nil
	}
	named := incomplete[:min(len(incomplete), namedCampaigns)]
	problem := "campaign " + strings.Join(named, ", campaign ")
	if more := len(incomplete) - len(named); more > 0 {
		problem += fmt.Sprintf(", and %d more", more)
	}
	return "", &checks.Caution{Problem: problem, Advice: "fanfare campaign show says what to do about each"}
}
