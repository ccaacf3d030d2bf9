package store

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"
)

// Default, as a statement in Options, stands for the one that suits the database: see the fields.
const Default = "default"

// The settings' names, as an operator knows them.
const (
	settingDatabaseURL  = "store.database_url"
	settingTokenQuery   = "store.token_query"
	settingTokenClear   = "store.token_clear"
	settingTokenRestore = "store.token_restore"
	settingProfileQuery = "store.profile_query"
	settingTimeout      = "store.timeout"
)

// DefaultTimeout is Options.Timeout where nothing is said.
const DefaultTimeout = 10 * time.Second

// Options are the statements over tables of the application's own, which are used as they are, and how long the database
// may take. An empty statement turns its use off; Default chooses the one for a table users(id, fcm_token).
type Options struct {
	// TokenQuery selects id and token of the users in $1. On PostgreSQL $1 is an array of the id's type, by default
	// SELECT id, fcm_token FROM users WHERE id = ANY($1); on SQLite it is a JSON array of strings, by default
	// SELECT id, fcm_token FROM users WHERE id IN (SELECT value FROM json_each($1)).
	TokenQuery string
	// TokenClear clears the token $2 of the user $1, and must compare the token before it does:
	// UPDATE users SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2.
	TokenClear string
	// TokenRestore gives the user $1 the token $2 back, and must leave another one alone:
	// UPDATE users SET fcm_token = $2 WHERE id = $1 AND (fcm_token IS NULL OR fcm_token = ''). Default turns it off where
	// TokenClear is not Default: what another statement cleared, this one may not fit.
	TokenRestore string
	// ProfileQuery selects id and profile, a JSON object, of the users in $1. Default turns it off.
	ProfileQuery string
	// Timeout bounds each query of a look-up and each transaction that writes, so that a connection which is never answered
	// holds nobody for longer; what it cuts off is a Transient fault. A migration takes the time that it needs. Zero is
	// DefaultTimeout.
	Timeout time.Duration
	Logger  *slog.Logger // default: silent

	guessed bool // TokenClear and TokenRestore are the defaults, and TokenQuery is turned off
}

func (o Options) validate() error {
	if o.Timeout < 0 {
		return fmt.Errorf("%s of %s is below zero", settingTimeout, o.Timeout)
	}
	return nil
}

// DefaultOptions reads, clears and restores tokens in a table users(id, fcm_token), and reads no profiles.
func DefaultOptions() Options {
	return Options{TokenQuery: Default, TokenClear: Default, TokenRestore: Default, Timeout: DefaultTimeout}
}

const (
	defaultTokenClear   = `UPDATE users SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2`
	defaultTokenRestore = `UPDATE users SET fcm_token = $2 WHERE id = $1 AND (fcm_token IS NULL OR fcm_token = '')`
)

// resolve puts the database's own statements in the place of Default, and DefaultTimeout in that of none.
func (o Options) resolve(tokenQuery string) Options {
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.guessed = o.TokenClear == Default && o.TokenQuery == ""
	if o.TokenQuery == Default {
		o.TokenQuery = tokenQuery
	}
	if o.TokenRestore == Default {
		o.TokenRestore = ""
		if o.TokenClear == Default {
			o.TokenRestore = defaultTokenRestore
		}
	}
	if o.TokenClear == Default {
		o.TokenClear = defaultTokenClear
	}
	if o.ProfileQuery == Default {
		o.ProfileQuery = ""
	}
	return o
}
