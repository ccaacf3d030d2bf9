package console

import (
	"context"
	"hash/maphash"
	"net/http"
	"sync"
	"time"
)

// renderTimeout limits the rendering that viewers share, which does not end with the first of them.
const renderTimeout = 10 * time.Second

// sharedUpdates are the updates of one snapshot. Viewers of the same page share its model and its
// parts, so a hundred open pages cost little more than one.
type sharedUpdates struct {
	mu     sync.Mutex
	of     *Snapshot
	byPage map[pageKey]func() sharedUpdate
}

// pageKey is what a page's parts depend on, besides the snapshot.
type pageKey struct {
	name, url string
	viewer    viewer
}

// sharedUpdate is an update with the hash of each part. It is never changed.
type sharedUpdate struct {
	update

	sums map[string]uint64
}

// hashSeed is the same for all viewers, so that a part is hashed once.
var hashSeed = maphash.MakeSeed()

// updateOf returns the update of a page for a snapshot, which the first viewer's request renders.
func (c *Console) updateOf(r *http.Request, s *Snapshot, name string, m model) sharedUpdate {
	key := pageKey{name, r.URL.String(), viewerOf(r)}
	c.shared.mu.Lock()
	if c.shared.of != s {
		c.shared.of, c.shared.byPage = s, make(map[pageKey]func() sharedUpdate)
	}
	render, ok := c.shared.byPage[key]
	if !ok {
		render = sync.OnceValue(func() sharedUpdate {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), renderTimeout)
			defer cancel()
			shared := sharedUpdate{update: c.renderUpdate(r.WithContext(ctx), s, name, m), sums: make(map[string]uint64)}
			for part, html := range shared.Parts {
				shared.sums[part] = maphash.String(hashSeed, html)
			}
			return shared
		})
		c.shared.byPage[key] = render
	}
	c.shared.mu.Unlock()
	return render()
}

// changesFor returns the update with the parts that a viewer does not have yet, and notes that they
// are sent.
func (u sharedUpdate) changesFor(sent map[string]uint64) update {
	changed := u.update
	changed.Parts = make(map[string]string)
	for part, html := range u.Parts {
		if sent[part] != u.sums[part] {
			changed.Parts[part] = html
		}
		sent[part] = u.sums[part]
	}
	return changed
}
