package redisx_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisx"
)

// Error replies are classified as a caller sees them: parsed and wrapped.
func TestRepliesAreClassified(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	for reply, want := range map[string]struct{ permanent, denied bool }{
		"CROSSSLOT Keys in request don't hash to the same slot":                                                      {true, false},
		"NOPERM User default has no permissions to run the 'evalsha' command":                                        {true, true},
		"EXECABORT Transaction discarded because of: NOPERM this user has no permissions to run the 'exec' command":  {true, true},
		"NOAUTH Authentication required.":                                                                            {true, true},
		"WRONGPASS invalid username-password pair or user is disabled.":                                              {true, true},
		"ERR unknown command 'EVALSHA'":                                                                              {true, false},
		"WRONGTYPE key campaign:42 holds string, want list":                                                          {true, false},
		"LOADING Redis is loading the dataset in memory":                                                             {false, false},
		"READONLY You can't write against a read only replica.":                                                      {false, false},
		"CLUSTERDOWN The cluster is down":                                                                            {false, false},
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.":                           {false, false},
		"NOREPLICAS Not enough good replicas to write.":                                                              {false, false},
		"TRYAGAIN Multiple keys request during rehashing of slot":                                                    {false, false},
		"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.":                     {false, false},
		"OOM command not allowed when used memory > 'maxmemory'.":                                                    {false, false},
		"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.":           {false, false},
		"ERR max number of clients reached":                                                                          {false, false},
		"ERR max number of clients + cluster connections reached":                                                    {false, false},
		"REDIRECT 127.0.0.1:6380":                                                                                    {false, false},
		"UNKILLABLE Sorry the script already executed write commands against the dataset.":                           {false, false},
		"ERR Error running script (call to f_1): @user_script:12: @user_script: 12: -OOM command not allowed when u": {false, false},
	} {
		server.SetError(reply)
		err := fmt.Errorf("claim: %w", redisx.AsTypeError(rdb.Do(t.Context(), "GET", "key").Err()))
		if permanent, denied := redisx.IsPermanent(err), redisx.IsDenied(err); permanent != want.permanent || denied != want.denied {
			t.Errorf("%v: permanent %v, denied %v, want %+v", err, permanent, denied, want)
		}
	}
	for _, err := range []error{nil, io.EOF, redis.ErrPoolTimeout, t.Context().Err(), fmt.Errorf("dial: %w", io.ErrUnexpectedEOF)} {
		if redisx.IsPermanent(err) || redisx.IsDenied(err) {
			t.Errorf("%v is no reply, and is taken for one", err)
		}
	}
}

// A script names the key of another type in its error.
func ExampleAsTypeError() {
	err := redisx.AsTypeError(errors.New("WRONGTYPE key campaign:42 holds string, want list"))
	fmt.Println(err)
	fmt.Println(redisx.IsPermanent(err), redisx.IsDenied(err))
	// Output:
	// key "campaign:42" holds a string, want a list: rename or delete it
	// true false
}
