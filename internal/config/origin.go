package config

// layer orders the sources of a setting, the weakest first.
type layer uint8

const (
	layerDefault layer = iota
	layerFile
	layerEnv
	layerFlag
)

// origin says where the value of a setting came from.
type origin struct {
	layer layer
	name  string // "default", "config.yaml:12", "environment REDIS_URL", "flag --redis.url"
}

// origin says where a setting came from.
func (s Settings) origin(key string) origin {
	if from, found := s.origins[key]; found {
		return from
	}
	return origin{layerDefault, "default"}
}
