package assembly

import (
	"fanfare/internal/checks"
)

// CheckPlaintextDatabase returns a caution if passwords and tokens may reach a remote database
// without TLS.
func (r *Rooms) CheckPlaintextDatabase() error {
	if r.Store == nil {
		return nil
	}
	host := r.Store.PlaintextHost()
	if host == "" {
		return nil
	}
	return &checks.Caution{
		Problem: "PostgreSQL at " + host + " may be connected to without TLS: anyone on the way can read results and tokens",
		Advice:  "add sslmode=verify-full to DATABASE_URL, or sslmode=require if its certificate cannot be verified",
	}
}

// CheckPlaintextRedis returns a caution if the password of a remote Redis is sent without TLS. One
// without a password is open to its network anyway.
func (r *Rooms) CheckPlaintextRedis() error {
	host := RedisOptions(r.Settings.Redis, "").PlaintextHost()
	if host == "" {
		return nil
	}
	return &checks.Caution{
		Problem: "Redis at " + host + " is connected to without TLS: anyone on the way can read its password, tokens and messages",
		Advice:  "begin REDIS_URL with rediss://, or set redis.tls.enabled",
	}
}
