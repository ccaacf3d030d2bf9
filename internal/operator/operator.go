// Package operator implements everything that a person can do with a running system. That is
// creating, loading, starting, watching and deleting campaigns, managing tokens and dead letters,
// and checking the installation. The command line and the console call it.
package operator

import (
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/profiles"
	"fanfare/internal/responses"
	"fanfare/internal/tokens"
)

// Deps are the parts of the system that an operator works with.
type Deps struct {
	Redis       redis.UniversalClient
	Names       keys.Names
	Campaigns   *campaign.Campaigns
	Breakers    *breaker.Breakers
	Tokens      *tokens.Store
	Profiles    *profiles.Cache
	DeadLetters *responses.DeadLetters
}

// Operator acts on one system. It is safe for concurrent use.
type Operator struct {
	deps Deps
	now  func() time.Time
}

// New builds an operator from its dependencies.
func New(deps Deps) *Operator { return &Operator{deps: deps, now: time.Now} }
