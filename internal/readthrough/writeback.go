package readthrough

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

//go:embed lua
var files embed.FS

// deleteIf is sent as text (EVAL), because it is rare and a pipeline cannot fall back from EVALSHA.
var deleteIf = redisx.NewLua(files).Piece("delete_if")

// decodeAll decodes the source's answers. It drops wrong and unreadable ones.
func (c *Cache[V]) decodeAll(misses []miss, texts map[string]string) map[string]answer[V] {
	answers := make(map[string]answer[V], len(texts))
	for _, m := range misses {
		text, exists := texts[m.id]
		if m.wrong != "" {
			text = c.without(text, m.wrong)
		}
		if !exists || m.wrong != "" && text == "" {
			continue
		}
		value, err := c.decode(text)
		switch {
		case err == nil:
			answers[m.id] = answer[V]{text: text, value: value}
		case errors.Is(err, ErrUnusable):
			answers[m.id] = answer[V]{text: text, value: value, unusable: true}
		case !errors.Is(err, ErrEmpty):
			c.log.Warn("stored value unreadable; it counts as absent", "id", m.id, "error", err)
		}
	}
	return answers
}

func (c *Cache[V]) isElsewhere(text string) bool {
	return c.opts.Elsewhere != nil && c.opts.Elsewhere.Has(text)
}

// writtenAnswer is an answer on its way to Redis, with what Redis holds after it. now is nil if the
// answer is stored elsewhere.
type writtenAnswer struct {
	id        string
	now, mark *redis.StringCmd
}

// writeBack stores the answers and marks in one pipeline and returns the valid answers. A value
// stored meanwhile replaces the source's answer. A text marked as wrong meanwhile is deleted again.
// Write errors are logged, and the answers stay valid.
func (c *Cache[V]) writeBack(ctx context.Context, misses []miss, answers map[string]answer[V]) map[string]answer[V] {
	pipe := c.rdb.Pipeline()
	written := make([]writtenAnswer, 0, len(answers))
	for _, m := range misses {
		key, mark := c.keys.Value(m.id), c.keys.None(m.id)
		a, exists := answers[m.id]
		if a.unusable {
			continue
		}
		if !exists {
			setIfAbsent(ctx, pipe, mark, "", jitter(c.opts.NegativeTTL)) // a mark with text stays
			continue
		}
		if m.unreadable {
			pipe.Eval(ctx, deleteIf, []string{key}, m.text)
		}
		if c.isElsewhere(a.text) {
			c.opts.Elsewhere.Put(ctx, pipe, m.id, a.text, jitter(c.opts.TTL))
			written = append(written, writtenAnswer{id: m.id, mark: pipe.Get(ctx, mark)})
			continue
		}
		setIfAbsent(ctx, pipe, key, a.text, jitter(c.opts.TTL))
		written = append(written, writtenAnswer{id: m.id, now: pipe.Get(ctx, key), mark: pipe.Get(ctx, mark)})
	}
	c.exec(ctx, pipe)
	c.reconcile(ctx, written, answers)
	return answers
}

// reconcile corrects the answers by what Redis holds after the write.
func (c *Cache[V]) reconcile(ctx context.Context, written []writtenAnswer, answers map[string]answer[V]) {
	pipe := c.rdb.Pipeline()
	var mistyped []string
	for _, w := range written {
		if w.now == nil {
			c.reconcileElsewhere(ctx, pipe, w, answers)
			continue
		}
		now, err := w.now.Result()
		if err != nil {
			now = answers[w.id].text // not stored, so the source's answer counts
		}
		if redis.HasErrorPrefix(err, "WRONGTYPE") {
			mistyped = append(mistyped, w.id)
		}
		if wrong := w.mark.Val(); wrong != "" && c.without(now, wrong) == "" {
			pipe.Eval(ctx, deleteIf, []string{c.keys.Value(w.id)}, now)
			delete(answers, w.id)
			continue
		}
		if now == answers[w.id].text {
			continue
		}
		if value, err := c.decode(now); err == nil {
			answers[w.id] = answer[V]{text: now, value: value}
		}
	}
	c.logMistyped(mistyped)
	c.exec(ctx, pipe)
}

// reconcileElsewhere takes what was marked as wrong meanwhile out of an answer and out of Redis.
func (c *Cache[V]) reconcileElsewhere(ctx context.Context, pipe redis.Pipeliner, w writtenAnswer, answers map[string]answer[V]) {
	wrong, a := w.mark.Val(), answers[w.id]
	if wrong == "" || c.without(a.text, wrong) == a.text {
		return
	}
	c.opts.Elsewhere.Remove(ctx, pipe, w.id, a.text, wrong)
	corrected, left := c.correct(a, wrong)
	if !left {
		delete(answers, w.id)
		return
	}
	answers[w.id] = corrected
}

// setIfAbsent queues SET NX, whose refusal is no error.
func setIfAbsent(ctx context.Context, pipe redis.Pipeliner, key, text string, ttl time.Duration) {
	pipe.SetArgs(ctx, key, text, redis.SetArgs{Mode: "NX", TTL: ttl})
}

// exec sends a pipeline and logs its first error. Missing keys and keys of another type are no
// errors.
func (c *Cache[V]) exec(ctx context.Context, pipe redis.Pipeliner) {
	commands, _ := pipe.Exec(ctx)
	var (
		failed int
		first  error
	)
	for _, command := range commands {
		err := command.Err()
		if err == nil || errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
			continue
		}
		failed++
		if first == nil {
			first = fmt.Errorf("%s: %w", command.Name(), err)
		}
	}
	if failed > 0 {
		c.log.Warn("cache write failed; the answers are used", "commands", failed, "error", first)
	}
}

// jitter varies a TTL by ±10%.
func jitter(ttl time.Duration) time.Duration {
	tenth := ttl / 10
	return ttl - tenth + rand.N(2*tenth+1)
}
