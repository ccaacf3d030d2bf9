package config

import (
	"maps"
	"slices"
	"strings"
)

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

// preferHost lets a host that was set by a stronger source than the url win over it: REDIS_HOST in the environment
// over redis.url in the file. Within one source the url wins.
func (s *Settings) preferHost() {
	if s.Redis.URL != "" && s.origin("redis.host").layer > s.origin("redis.url").layer {
		s.Redis.URL = ""
		s.origins["redis.url"] = origin{layerDefault, "not used: " + s.origin("redis.host").name + " is stronger"}
	}
}

// Origins lists what the settings were read from, such as "config.yaml" and "environment REDIS_URL"; for one line in the log.
func (s Settings) Origins() []string {
	names := make(map[string]bool)
	for _, from := range s.origins {
		name := from.name
		if from.layer == layerFile {
			name = name[:strings.LastIndexByte(name, ':')]
		}
		if from.layer > layerDefault {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
