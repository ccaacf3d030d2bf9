package keys

import (
	"slices"
	"strings"
)

// The suffixes of the keys that belong to a list; see List.Key.
const (
	SuffixSpec     = "spec"      // hash: a campaign's message, state and options
	SuffixCounts   = "counts"    // hash: the books and the deadline
	SuffixBack     = "back"      // list: given back or reaped, served before the list itself
	SuffixRetry    = "retry"     // sorted set: due time in ms
	SuffixLeases   = "leases"    // sorted set: claim by the end of its lease in ms
	SuffixOutbox   = "outbox"    // list: results on their way to the list of responses
	SuffixDead     = "dead"      // dead letters
	SuffixRegistry = "registry"  // set: campaign ids, under the campaign prefix itself
	SuffixProjects = "projects"  // sorted set: Firebase projects by when they were seen, under the campaign prefix itself
	SuffixForward  = "forwarder" // string: who empties the outbox just now
	SuffixPace     = "pace"      // hash: when the next push may go, of a campaign with a rate of its own and of a project
	SuffixBreaker  = "breaker"   // hash: a campaign's canary, and what became of its pushes in the last minute

	suffixLease = "lease" // list lease:<claim>: a header, then the elements
	suffixLoad  = "load"  // bitmap load:<load>: the numbers of the batches already appended
	suffixNone  = "none"
)

var suffixes = []string{
	SuffixSpec, SuffixCounts, SuffixBack, SuffixRetry, SuffixLeases, SuffixOutbox, SuffixDead, SuffixRegistry, SuffixProjects, SuffixForward,
	SuffixPace, SuffixBreaker,
}

// List names one leased list and all keys that belong to it, which share its Cluster slot.
type List struct {
	plain string // the producer's key
	head  string // what our own keys begin with
}

// NewList wraps the plain key in braces, so that it becomes the hash tag of ours; a key that carries a {tag} of its
// own is taken as it stands.
func NewList(plain string) List {
	if HashTag(plain) != plain {
		return List{plain: plain, head: plain}
	}
	return List{plain: plain, head: "{" + plain + "}"}
}

// Plain is the producer's list itself.
func (l List) Plain() string { return l.plain }

// Key is one of our own keys beside the list, such as "{campaign:42}:spec".
func (l List) Key(suffix string) string { return l.head + ":" + suffix }

// Lease holds the elements of a claim.
func (l List) Lease(claim string) string { return l.Key(suffixLease) + ":" + claim }

// Load remembers, for a day, which batches of a load were appended.
func (l List) Load(load string) string { return l.Key(suffixLoad) + ":" + load }

func (l List) hasOwnTag() bool { return l.head == l.plain }

// reserved tells whether a tagged key ends as our own keys do, which could not be told apart from it.
func isReserved(key string) bool {
	segments := strings.Split(key, ":")
	last := len(segments) - 1
	if last > 0 && slices.Contains(suffixes, segments[last]) {
		return true
	}
	return last > 1 && (segments[last-1] == suffixLease || segments[last-1] == suffixLoad)
}

// HashTag is the part of a key that Cluster hashes: what stands between the first { and the first } after it,
// or the whole key when there is nothing between them.
func HashTag(key string) string {
	_, after, found := strings.Cut(key, "{")
	if !found {
		return key
	}
	tag, _, closed := strings.Cut(after, "}")
	if !closed || tag == "" {
		return key
	}
	return tag
}

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
