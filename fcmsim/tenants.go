package fcmsim

import (
	"maps"
	"sync"
	"sync/atomic"
)

// tenant is what the simulator keeps of one Firebase project.
type tenant struct {
	bucket bucket
	record recorder
}

// tenants are found without a lock: the map is replaced by a larger one whenever a project comes for the first time.
type tenants struct {
	mu    sync.Mutex
	known atomic.Pointer[map[string]*tenant]
}

func (t *tenants) all() map[string]*tenant {
	if known := t.known.Load(); known != nil {
		return *known
	}
	return nil
}

func (t *tenants) of(project string) *tenant {
	if found := t.all()[project]; found != nil {
		return found
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if found := t.all()[project]; found != nil {
		return found
	}
	larger := maps.Clone(t.all())
	if larger == nil {
		larger = make(map[string]*tenant)
	}
	added := new(tenant)
	larger[project] = added
	t.known.Store(&larger)
	return added
}
