package dedupe

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// perCall is how many recipients a claim has.
const perCall = 200

// BenchmarkMemory reports how many bytes Redis needs for each of a million addresses, and how long
// it works on each. The alternatives are one hash, one set, and a key for each address.
//
//	go test ./internal/dedupe -run '^$' -bench Memory -benchtime 1000000x
func BenchmarkMemory(b *testing.B) {
	for server, start := range map[string]func(testing.TB, ...string) string{"redis": servers.Redis, "valkey": servers.Valkey} {
		for name, open := range ways {
			b.Run(server+"/"+name, func(b *testing.B) {
				rdb := backends.Connect(b, start(b))
				take := open(rdb, int64(b.N))
				bytesBefore, workBefore := usage(b, rdb)
				addresses := make([]Address, perCall)
				b.ResetTimer()
				for at := 0; at < b.N; at += perCall {
					for i := range addresses {
						addresses[i] = Address{Element: element(at + i), Text: token(at + i)}
					}
					if err := take(b.Context(), addresses); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				bytesAfter, workAfter := usage(b, rdb)
				b.ReportMetric((bytesAfter-bytesBefore)/float64(b.N), "B/address")
				b.ReportMetric((workAfter-workBefore)/float64(b.N)*1000, "redis-ns/address")
			})
		}
	}
}

// element is the id of an element as the queue gives them.
func element(n int) string {
	return fmt.Sprintf("01999999-aaaa-7bbb-8ccc-%012d:%d", n/perCall, n%perCall)
}

// token has the length of a registration token.
func token(n int) string {
	return fmt.Sprintf("cMr3eGJhR0-kT1%08d:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx_%0108d", n, n)
}

// way takes the addresses of one claim.
type way func(ctx context.Context, some []Address) error

var benchList = keys.NewList("campaign:42")

var ways = map[string]func(rdb *redis.Client, audience int64) way{
	"record": func(rdb *redis.Client, audience int64) way { return taking(rdb, audience) },
	// Most of the audience came later.
	"grown": func(rdb *redis.Client, audience int64) way { return taking(rdb, audience/100) },
	"hash": func(rdb *redis.Client, _ int64) way {
		return scripted(rdb, `for i = 1, #ARGV, 2 do
			if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i+1]) == 0 then redis.call('HGET', KEYS[1], ARGV[i]) end
		end`, func([]byte) string { return "h" }, true)
	},
	"set": func(rdb *redis.Client, _ int64) way {
		return scripted(rdb, `for i = 1, #ARGV do redis.call('SADD', KEYS[1], ARGV[i]) end`, func([]byte) string { return "s" }, false)
	},
	"keys": func(rdb *redis.Client, _ int64) way {
		return scripted(rdb, `for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[2*i], 'NX', 'PX', '2592000000') end`,
			func(field []byte) string { return "{campaign:42}:" + string(field) }, true)
	},
}

func taking(rdb *redis.Client, audience int64) way {
	rdb.HSet(context.Background(), benchList.Key(keys.SuffixSpec), "state", "running")
	record := New(rdb, benchList, func(context.Context) (int64, error) { return audience, nil })
	return func(ctx context.Context, some []Address) error {
		_, err := record.Take(ctx, some)
		return err
	}
}

// scripted takes addresses by a script with a key, a field and an owner for each.
func scripted(rdb *redis.Client, text string, key func(field []byte) string, owned bool) way {
	script := redis.NewScript(text)
	record := New(rdb, benchList, nil)
	return func(ctx context.Context, some []Address) error {
		names, args := make([]string, len(some)), make([]any, 0, 2*len(some))
		p := record.pack(levels{}, some, "")
		for i := range some {
			field := p.fields[6*i : 6*i+6]
			names[i], args = key(field), append(args, field)
			if owned {
				args = append(args, p.owners[4*i:4*i+4])
			}
		}
		err := script.Run(ctx, rdb, names, args...).Err()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	}
}

var figures = regexp.MustCompile(`(?m)^(used_memory|cmdstat_evalsha):(?:calls=\d+,usec=)?(\d+)`)

// usage is the memory that Redis uses in bytes, and the time that its scripts took in µs.
func usage(b *testing.B, rdb *redis.Client) (memory, work float64) {
	b.Helper()
	text, err := rdb.Info(b.Context(), "memory", "commandstats").Result()
	if err != nil {
		b.Fatal(err)
	}
	for _, match := range figures.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.ParseFloat(match[2], 64)
		if match[1] == "used_memory" {
			memory = n
		} else {
			work = n
		}
	}
	return memory, work
}

// BenchmarkTake measures this process' part of a claim: hashes, names and the call.
func BenchmarkTake(b *testing.B) {
	record := New(nil, benchList, nil)
	l := levels{"14", []int{14}}
	addresses := make([]Address, perCall)
	for i := range addresses {
		addresses[i] = Address{Element: element(i), Text: token(i)}
	}
	b.ReportAllocs()
	for b.Loop() {
		record.takeCall(l, addresses)
	}
}
