package pacing

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	gopher "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// memory is a Redis in this process. It runs the real scripts on the clock of the test's bubble.
type memory struct {
	latency time.Duration // of each way

	mu        sync.Mutex
	skew      time.Duration // of its clock
	down      bool
	state     *gopher.LState
	hashes    map[string]map[string]string
	listeners map[int]chan string
	joined    int
	calls     int
	deaf      bool // signals are lost
}

var errDown = errors.New("redis is away")

func newMemory() *memory {
	m := &memory{state: gopher.NewState(), hashes: map[string]map[string]string{}, listeners: map[int]chan string{}}
	api := m.state.NewTable()
	m.state.SetField(api, "call", m.state.NewFunction(m.call))
	m.state.SetField(api, "pcall", m.state.NewFunction(m.call))
	m.state.SetField(api, "error_reply", m.state.NewFunction(func(l *gopher.LState) int { l.RaiseError("%s", l.ToString(1)); return 0 }))
	m.state.SetGlobal("redis", api)
	return m
}

var sources = map[*redis.Script]string{
	leaseScript: lua.Text("prelude", "lease"), closeScript: lua.Text("prelude", "close"), stateScript: lua.Text("prelude", "state"),
	haltScript: recordedText("halt"), resumeScript: recordedText("resume"), setScript: recordedText("set"),
}

var programs = sync.OnceValue(func() map[*redis.Script]*gopher.FunctionProto {
	all := map[*redis.Script]*gopher.FunctionProto{}
	for script, source := range sources {
		chunk, err := parse.Parse(strings.NewReader(source), "script")
		if err != nil {
			panic(err)
		}
		if all[script], err = gopher.Compile(chunk, "script"); err != nil {
			panic(err)
		}
	}
	return all
})

func (m *memory) entries(context.Context, string) ([]redis.XMessage, error) { return nil, errDown }

func (m *memory) run(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error) {
	if err := m.travel(ctx); err != nil {
		return nil, err
	}
	reply, err := m.execute(script, keys, args)
	if err != nil {
		return nil, err
	}
	return reply, m.travel(ctx)
}

// travel waits for one way of the latency.
func (m *memory) travel(ctx context.Context) error {
	if m.latency == 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(m.latency):
		return nil
	}
}

func (m *memory) execute(script *redis.Script, keys []string, args []any) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errDown
	}
	m.calls++
	m.state.SetGlobal("KEYS", m.list(keys))
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = fmt.Sprint(a)
	}
	m.state.SetGlobal("ARGV", m.list(texts))
	m.state.Push(m.state.NewFunctionFromProto(programs()[script]))
	if err := m.state.PCall(0, 1, nil); err != nil {
		return nil, err
	}
	defer m.state.Pop(1)
	return fromLua(m.state.Get(-1)), nil
}

func (m *memory) list(texts []string) *gopher.LTable {
	t := m.state.NewTable()
	for i, text := range texts {
		t.RawSetInt(i+1, gopher.LString(text))
	}
	return t
}

func fromLua(v gopher.LValue) any {
	switch v := v.(type) {
	case gopher.LNumber:
		return int64(v)
	case gopher.LString:
		return string(v)
	case *gopher.LTable:
		all := make([]any, v.Len())
		for i := range all {
			all[i] = fromLua(v.RawGetInt(i + 1))
		}
		return all
	}
	return nil
}

// call is redis.call for the commands that the scripts use.
func (m *memory) call(l *gopher.LState) int {
	args := make([]string, l.GetTop())
	for i := range args {
		args[i] = l.CheckAny(i + 1).String()
	}
	l.Push(m.command(args[0], args[1:]))
	return 1
}

func (m *memory) command(name string, args []string) gopher.LValue {
	switch name {
	case "TIME":
		now := time.Now().Add(m.skew).UnixMicro()
		return m.list([]string{strconv.FormatInt(now/1e6, 10), strconv.FormatInt(now%1e6, 10)})
	case "XREVRANGE":
		return m.list(nil)
	case "XTRIM", "XADD": // histories are tested with a real Redis
		return gopher.LNumber(0)
	case "PUBLISH":
		m.publish(args[1])
		return gopher.LNumber(0)
	}
	hash := m.hashes[args[0]]
	switch name {
	case "TYPE":
		holds := m.state.NewTable()
		holds.RawSetString("ok", gopher.LString(map[bool]string{true: "hash", false: "none"}[hash != nil]))
		return holds
	case "EXISTS":
		return truth(hash != nil)
	case "HEXISTS":
		_, there := hash[args[1]]
		return truth(there)
	case "HGET":
		return field(hash, args[1])
	case "HMGET":
		all := m.state.NewTable()
		for i, name := range args[1:] {
			all.RawSetInt(i+1, field(hash, name))
		}
		return all
	case "HGETALL":
		var all []string
		for name, value := range hash {
			all = append(all, name, value)
		}
		return m.list(all)
	case "PERSIST", "PEXPIRE":
		return truth(hash != nil)
	}
	return m.write(name, args)
}

func (m *memory) write(name string, args []string) gopher.LValue {
	key := args[0]
	hash := m.hashes[key]
	if hash == nil {
		hash = map[string]string{}
	}
	switch name {
	case "HSET":
		for i := 1; i < len(args); i += 2 {
			hash[args[i]] = args[i+1]
		}
	case "HSETNX":
		if _, there := hash[args[1]]; there {
			return gopher.LNumber(0)
		}
		hash[args[1]] = args[2]
	case "HDEL":
		for _, name := range args[1:] {
			delete(hash, name)
		}
	case "DEL":
		clear(hash)
	default:
		panic("the scripts use " + name)
	}
	m.hashes[key] = hash
	if len(hash) == 0 {
		delete(m.hashes, key)
	}
	return gopher.LNumber(1)
}

func truth(b bool) gopher.LNumber {
	if b {
		return 1
	}
	return 0
}

func field(hash map[string]string, name string) gopher.LValue {
	if value, there := hash[name]; there {
		return gopher.LString(value)
	}
	return gopher.LFalse
}

func (m *memory) publish(message string) {
	if m.deaf {
		return
	}
	for _, c := range m.listeners {
		select {
		case c <- message:
		default: // a listener that does not keep up misses some
		}
	}
}

func (m *memory) listen(ctx context.Context, _ string, receive func(message string)) {
	c := make(chan string, 64)
	m.mu.Lock()
	m.joined++
	me := m.joined
	m.listeners[me] = c
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.listeners, me)
		m.mu.Unlock()
	}()
	receive("")
	for {
		select {
		case <-ctx.Done():
			return
		case message := <-c:
			if m.travel(ctx) == nil {
				receive(message)
			}
		}
	}
}

// lose clears its data, as a failover or a restart can.
func (m *memory) lose() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.hashes)
}

func (m *memory) set(key, field, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hashes[key][field] = value
}

func (m *memory) away(down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
}

// putBack sets its clock back.
func (m *memory) putBack(by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.skew -= by
}

// signal sends a message that comes from no script.
func (m *memory) signal(message string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.publish(message)
}

func (m *memory) called() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}
