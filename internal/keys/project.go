package keys

// The suffixes of the keys that belong to a Firebase project; see ProjectKeys.Key.
const (
	SuffixHalt      = "halt"      // hash: why the project stands still, reason to "<since ms> <by>"
	SuffixSignal    = "signal"    // channel: something has changed in pace or halt
	SuffixDeletions = "deletions" // hash: the token deletions of the present hour
)

// projectPrefix keeps projects apart from campaigns and users, whose prefixes are settings. It is none itself: whoever
// sends for the same project must meet at the same keys.
const projectPrefix = "fanfare:"

// ProjectKeys names the keys of one Firebase project, which share a Cluster slot.
type ProjectKeys struct{ list List }

// Project names the keys of a Firebase project, by its id.
func (n Names) Project(project string) ProjectKeys {
	return ProjectKeys{list: NewList(projectPrefix + project)}
}

// Key is one of the project's keys, such as "{fanfare:my-project}:pace".
func (k ProjectKeys) Key(suffix string) string { return k.list.Key(suffix) }

// List holds the same keys, for callers that name them by pattern.
func (k ProjectKeys) List() List { return k.list }
