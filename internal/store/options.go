package store

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"
)

// Default, in a field of Options, stands for a statement that suits the database.
const Default = "default"

// The names of the settings in the configuration file.
const (
	settingDatabaseURL      = "store.database_url"
	settingTokenQuery       = "store.token_query"
	settingTokenClear       = "store.token_clear"
	settingTokenRestore     = "store.token_restore"
	settingProfileQuery     = "store.profile_query"
	settingSuppressionQuery = "store.suppression_query"
	settingTimeout          = "store.timeout"
)

// DefaultTimeout replaces a Timeout of 0.
const DefaultTimeout = 10 * time.Second

// Options are the statements over the application's own tables, and the timeout. The statements run
// as they are. An empty statement turns its use off. Default selects the statement for a table
// users(id, fcm_token).
type Options struct {
	// TokenQuery selects id and token of the users in $1. On PostgreSQL $1 is an array of the id's
	// type. The default is
	// `SELECT id, fcm_token FROM users WHERE id = ANY($1)`
	// On SQLite $1 is a JSON array of strings. The default is
	// `SELECT id, fcm_token FROM users WHERE id IN (SELECT value FROM json_each($1))`
	TokenQuery string
	// TokenClear clears the token $2 of the user $1. It must compare the token first:
	// `UPDATE users SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2`
	TokenClear string
	// TokenRestore writes the token $2 back to the user $1. It must keep another token:
	// `UPDATE users SET fcm_token = $2 WHERE id = $1 AND (fcm_token IS NULL OR fcm_token = '')`
	// Default turns it off unless TokenClear is Default, because it may not fit another table.
	TokenRestore string
	// ProfileQuery selects id and profile, a JSON object, of the users in $1. Default turns it off.
	ProfileQuery string
	// SuppressionQuery selects the ids of those users in $1 that get no push, and nothing else.
	// Default turns it off.
	SuppressionQuery string
	// Timeout limits each lookup query and each writing transaction. A call that exceeds it fails
	// with a Transient fault, so a silent connection blocks no caller for longer. Migrations are
	// not limited. 0 means DefaultTimeout.
	Timeout time.Duration
	Logger  *slog.Logger // default: silent

	optionalClear bool // clearing stops if users is missing: the defaults apply, and TokenQuery is off
}

func (o Options) validate() error {
	if o.Timeout < 0 {
		return fmt.Errorf("%s must not be negative, but is %s", settingTimeout, o.Timeout)
	}
	return nil
}

// DefaultOptions returns options that read, clear and restore tokens in a table users(id,
// fcm_token). They read no profiles.
func DefaultOptions() Options {
	return Options{TokenQuery: Default, TokenClear: Default, TokenRestore: Default, Timeout: DefaultTimeout}
}

const (
	defaultTokenClear   = `UPDATE users SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2`
	defaultTokenRestore = `UPDATE users SET fcm_token = $2 WHERE id = $1 AND (fcm_token IS NULL OR fcm_token = '')`
)

// resolve replaces Default with the database's own statements, and fills in Timeout and Logger.
func (o Options) resolve(tokenQuery string) Options {
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.optionalClear = o.TokenClear == Default && o.TokenQuery == ""
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
	if o.SuppressionQuery == Default {
		o.SuppressionQuery = ""
	}
	return o
}
