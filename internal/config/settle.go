package config

import "slices"

// settleRedis makes one address of redis.url and of what stands beside it, so that no setting shows what is not in force.
// A host of a stronger source than the url's replaces it: REDIS_HOST in the environment over redis.url in the file. Any other part
// of a stronger source is laid over the url. A part that the url leaves open is taken from its own setting, whatever its source.
func (s *Settings) settleRedis() error {
	from, host := s.origin("redis.url"), s.origin("redis.host")
	switch {
	case s.Redis.URL == "", s.Redis.Mode == "sentinel": // the check refuses a url there
		return nil
	case host.layer > from.layer:
		s.Redis.URL = ""
		s.origins["redis.url"] = origin{layerDefault, "not used: " + host.name + " is stronger"}
		return nil
	}
	said, err := parseRedisURL(s.Redis.URL)
	if err != nil {
		return &Error{
			Key: "redis.url", Origin: from.name, Problem: "this address cannot be read",
			Allowed: "redis://user:password@host:6379/0, with %XX for special characters and a number as database",
		}
	}
	if port := s.origin("redis.port"); said.socket() && port.layer > from.layer {
		return &Error{Key: "redis.port", Origin: port.name, Problem: "a socket has none, and redis.url names one", Allowed: "redis.host beside it"}
	}
	s.lay(said, from)
	return nil
}

// lay gives every part of the address the value that is in force, and the url those that are laid over it.
func (s *Settings) lay(said redisURL, from origin) {
	r := &s.Redis
	over := slices.Concat(
		settle(s, "redis.host", &r.Host, said.host, said.names["host"]),
		settle(s, "redis.port", &r.Port, said.port, said.names["port"]),
		settle(s, "redis.username", &r.Username, said.username, said.names["username"]),
		settle(s, "redis.password", &r.Password, said.password, said.names["password"]),
		settle(s, "redis.db", &r.DB, said.db, said.names["db"]),
	)
	if said.Scheme == tlsScheme {
		over = append(over, settle(s, "redis.tls.enabled", &r.TLS.Enabled, true, true)...)
	}
	if len(over) == 0 {
		return
	}
	r.URL = said.with(*r)
	for _, name := range over {
		from.name += ", " + name
	}
	s.origins["redis.url"] = from
}

// settle lets a setting stand whose source is stronger than the url's, or which the url leaves open, and names that source; else the
// setting becomes what the url says.
func settle[V comparable](s *Settings, key string, own *V, said V, named bool) (over []string) {
	from, url := s.origin(key), s.origin("redis.url")
	if from.layer > url.layer {
		return []string{from.name}
	}
	if !named && from.layer > layerDefault && *own != said {
		return []string{from.name}
	}
	*own = said
	if from.layer > layerDefault {
		url.name += "; not used: " + from.name
	}
	s.origins[key] = url
	return nil
}

// settleCredentials lets the stronger source decide whether the credentials are in a file. The check refuses both from one source.
func (s *Settings) settleCredentials() {
	const inline, file = "fcm.credentials", "fcm.credentials_file"
	unused := func(key, by string) {
		s.origins[key] = origin{layerDefault, "not used: " + s.origin(by).name + " is stronger"}
	}
	switch own, other := s.origin(inline).layer, s.origin(file).layer; {
	case s.FCM.Credentials == "" || s.FCM.CredentialsFile == "":
	case own > other:
		s.FCM.CredentialsFile = ""
		unused(file, inline)
	case other > own:
		s.FCM.Credentials = ""
		unused(inline, file)
	}
}
