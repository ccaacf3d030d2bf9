package redisinfo

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

func TestFieldsOfARealServer(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: servers.Redis(t)})
	t.Cleanup(func() { _ = rdb.Close() })
	fields, err := Ask(t.Context(), rdb)
	if err != nil {
		t.Fatal(err)
	}
	if fields["role"] != "master" || fields["maxmemory_policy"] == "" || fields["redis_version"] == "" {
		t.Errorf("got %v", fields)
	}
	if _, found := fields["# Server"]; found {
		t.Error("a heading is taken for a field")
	}
}

func TestNoAnswerIsAnError(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { _ = rdb.Close() })
	if fields, err := Ask(t.Context(), rdb); err == nil || fields != nil {
		t.Errorf("got %v, %v", fields, err)
	}
}
