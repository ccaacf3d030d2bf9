// Package redisinfo reads what a Redis says of itself, for the metrics of it and for the checks of it.
package redisinfo

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Ask gives the fields of a server's INFO.
func Ask(ctx context.Context, server redis.Cmdable) (map[string]string, error) {
	text, err := server.Info(ctx).Result()
	if err != nil {
		return nil, err
	}
	fields := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			fields[name] = value
		}
	}
	return fields, nil
}
