// Package operator is all that a person can do to a running system: create, load, start, watch and clean up campaigns,
// look after tokens and dead letters, and check that everything is fit to send. The command line calls it.
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

// Deps are the rooms that an operator's actions reach into.
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

// New makes an operator over the given rooms.
func New(deps Deps) *Operator { return &Operator{deps: deps, now: time.Now} }
