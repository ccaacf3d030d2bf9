package breaker

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/bounds"
	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

//go:embed lua
var files embed.FS

var (
	lua = redisx.NewLua(files)

	admitScript    = lua.Script("prelude", "admit")
	extendScript   = lua.Script("prelude", "extend")
	concludeScript = lua.Script("prelude", "conclude")
	passScript     = lua.Script("prelude", "pass")
	tripScript     = lua.Script("prelude", "trip")
	holdScript     = lua.Script("prelude", "hold")
	releaseScript  = lua.Script("prelude", "release")
	takeScript     = lua.Script("prelude", "take")
	confirmScript  = lua.Script("prelude", "confirm")
	pauseScript    = lua.Script("prelude", "pause")
	resetScript    = lua.Script("prelude", "reset")
	lookScript     = lua.Script("prelude", "look")
)

const (
	// breakerTTL is how long a breaker outlives its last use. A campaign that is paused for longer
	// begins with a canary again.
	breakerTTL = 7 * 24 * time.Hour
	// trustTTL is how long a replica admits all recipients without a call after it saw a canary
	// pass.
	trustTTL = time.Second
	// canaryDelay delays the next canary until no replica trusts the last one, with room for clock
	// drift.
	canaryDelay = 2 * trustTTL
	// actTimeout is how long the holder of a trip has to act on it.
	actTimeout = 10 * time.Second
)

// yes stands in Redis for true.
const yes = "1"

// run calls a script on a campaign's breaker and returns the breaker afterwards.
func (b *Breakers) run(ctx context.Context, script *redis.Script, campaign keys.List, args ...any) (*snapshot, string, error) {
	key := campaign.Key(keys.SuffixBreaker)
	return read(key, script.Run(ctx, b.rdb, []string{key}, args...))
}

// read decodes a script's reply on the breaker in a key.
func read(key string, cmd *redis.Cmd) (*snapshot, string, error) {
	reply, err := cmd.Slice()
	if err != nil {
		return nil, "", redisx.AsTypeError(err)
	}
	p, outcome, err := decode(reply)
	if err != nil {
		return nil, "", fmt.Errorf("read key %q: %w: delete the key, and the campaign begins with a canary", key, err)
	}
	return p, outcome, nil
}

// wrap names the operation and the campaign in an error.
func wrap(verb string, campaign keys.List, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, campaign.Plain(), err)
}

// snapshot is a campaign's breaker after a script; see lua/prelude.lua for the fields.
type snapshot struct {
	now         time.Time // the server's clock
	round       int64     // 0: there is no breaker
	passed      bool
	personal    bool
	probed      bool
	proofs      int64
	spent       int64            // pushes of the canary without an answer
	recent      map[string]int64 // pushes of the last seconds, by answered or unanswered
	others      int64            // ms at which another replica last had an answer; only from conclude
	hold        *Hold
	outstanding int64 // admissions that are leased
	canary      map[Answer]int64
	window      map[Answer]int64
	said        map[Kind]string // FCM's last text in this round
	paused      map[string]string
	last        *Trip
	holder      string // the replica that must act on the last trip; empty if done
	actBy       int64  // ms
}

// decode parses the reply of every script.
func decode(reply []any) (*snapshot, string, error) {
	if len(reply) != 3 {
		return nil, "", redisx.ErrReply
	}
	now, ok1 := reply[0].(int64)
	outcome, ok2 := reply[1].(string)
	fields, ok3 := reply[2].([]any)
	if !ok1 || !ok2 || !ok3 || len(fields)%2 != 0 {
		return nil, "", redisx.ErrReply
	}
	p := &snapshot{
		now: bounds.Milli(now), canary: map[Answer]int64{}, window: map[Answer]int64{}, paused: map[string]string{},
		recent: map[string]int64{}, said: map[Kind]string{},
	}
	for i := 0; i < len(fields); i += 2 {
		field, ok1 := fields[i].(string)
		value, ok2 := fields[i+1].(string)
		if !ok1 || !ok2 {
			return nil, "", redisx.ErrReply
		}
		if err := p.read(field, value); err != nil {
			return nil, "", fmt.Errorf("field %q holds %q: %w", field, value, err)
		}
	}
	return p, outcome, nil
}

func (p *snapshot) read(field, value string) (err error) {
	name, rest, _ := strings.Cut(field, ":")
	switch name {
	case "round":
		p.round, err = strconv.ParseInt(value, 10, 64)
	case "proofs":
		p.proofs, err = strconv.ParseInt(value, 10, 64)
	case "trip_until":
		p.actBy, err = strconv.ParseInt(value, 10, 64)
	case "spent":
		p.spent, err = strconv.ParseInt(value, 10, 64)
	case "others":
		p.others, err = strconv.ParseInt(value, 10, 64)
	case "recent":
		_, which, _ := strings.Cut(rest, ":")
		var n int64
		n, err = strconv.ParseInt(value, 10, 64)
		p.recent[which] += n
	case "said":
		p.said[Kind(rest)] = value
	case "hold":
		p.hold, err = readHold(value)
	case "probed":
		p.probed = true
	case "passed":
		p.passed = true
	case "personal":
		p.personal = value == yes
	case "trip":
		p.holder = value
	case "last":
		if err = json.Unmarshal([]byte(value), &p.last); err == nil && p.last != nil && !bounds.Contains(p.last.At) {
			p.last.At = time.Time{}
		}
	case "platform":
		_, p.paused[rest], _ = strings.Cut(value, " ")
	case "lease":
		var n int64
		admissions, _, _ := strings.Cut(value, " ")
		n, err = strconv.ParseInt(admissions, 10, 64)
		p.outstanding += n
	case "canary":
		err = count(p.canary, rest, value)
	case "window":
		_, label, _ := strings.Cut(rest, ":")
		err = count(p.window, label, value)
	}
	return err
}

// count adds the number of a field labelled "<kind>:<platform>".
func count(answers map[Answer]int64, label, value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	kind, platform, _ := strings.Cut(label, ":")
	answers[Answer{Kind(kind), platform}] += n
	return err
}

// isStanding reports whether someone still has to act on the last trip.
func (p *snapshot) isStanding() bool { return p.holder != "" }

// answers returns what the breaker evaluates: the whole canary, however long it takes, and later
// the last minute.
func (p *snapshot) answers() map[Answer]int64 {
	if p.passed {
		return p.window
	}
	return p.canary
}
