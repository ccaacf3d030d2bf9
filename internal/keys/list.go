package keys

import (
	"slices"
	"strconv"
	"strings"
)

// The suffixes of the keys that belong to a list; see List.Key.
const (
	SuffixSpec      = "spec"      // hash: a campaign's message, state and options
	SuffixCounts    = "counts"    // hash: the books and the deadline
	SuffixBack      = "back"      // list: elements given back or reaped, served before the list
	SuffixRetry     = "retry"     // sorted set: due time in ms
	SuffixLeases    = "leases"    // sorted set: claim by the end of its lease in ms
	SuffixOutbox    = "outbox"    // list: results on their way to the list of responses
	SuffixDead      = "dead"      // dead letters
	SuffixRegistry  = "registry"  // set: campaign ids, under the campaign prefix
	SuffixProjects  = "projects"  // sorted set: Firebase projects by last use, under the campaign prefix
	SuffixForward   = "forwarder" // string: the process that empties the outbox
	SuffixPace      = "pace"      // hash: the rate limiter of a campaign or a project
	SuffixHistory   = "history"   // stream: who changed a campaign, or a project
	SuffixHistories = "histories" // sorted set: campaigns without a spec that have a history, under the campaign prefix
	SuffixBreaker   = "breaker"   // hash: a campaign's canary and its outcomes of the last minute
	SuffixTraffic   = "traffic"   // hash: how a campaign's pushes went over time
	SuffixAddresses = "addresses" // hash: how many buckets addresses:<level>:<n> there are

	SuffixCaps = "caps" // hashes caps:<n>: who was sent to lately, under the campaign prefix

	SuffixDispatchers = "dispatchers" // hash: the running dispatchers, under the campaign prefix
	SuffixResponders  = "responders"  // hash: the running responders, beside the list of responses

	suffixLease = "lease" // list lease:<claim>: a header, then the elements
	suffixLoad  = "load"  // bitmap load:<load>: the numbers of the batches already appended
	suffixNone  = "none"
)

var suffixes = []string{
	SuffixSpec, SuffixCounts, SuffixBack, SuffixRetry, SuffixLeases, SuffixOutbox, SuffixDead, SuffixRegistry, SuffixProjects, SuffixForward,
	SuffixPace, SuffixBreaker, SuffixTraffic, SuffixAddresses, SuffixDispatchers, SuffixResponders, SuffixHistory, SuffixHistories,
}

// List names one leased list and all keys that belong to it, which share its Cluster slot.
type List struct {
	plain string // the producer's key
	head  string // the prefix of our own keys
}

// NewList wraps the plain key in braces, so that it becomes the hash tag of our own keys. A key
// with a {tag} of its own is used unchanged.
func NewList(plain string) List {
	if HashTag(plain) != plain {
		return List{plain: plain, head: plain}
	}
	return List{plain: plain, head: "{" + plain + "}"}
}

// Plain is the producer's list itself.
func (l List) Plain() string { return l.plain }

// Key returns one of our own keys of the list, such as "{campaign:42}:spec".
func (l List) Key(suffix string) string { return l.head + ":" + suffix }

// Lease returns the key of a claim's elements.
func (l List) Lease(claim string) string { return l.Key(suffixLease) + ":" + claim }

// Load returns the key that lists, for a day, which batches of a load were appended.
func (l List) Load(load string) string { return l.Key(suffixLoad) + ":" + load }

// Addresses returns the key of one bucket of the addresses that a campaign has sent to.
func (l List) Addresses(level int, bucket uint32) string {
	var name strings.Builder
	l.WriteAddresses(&name, level, bucket)
	return name.String()
}

// WriteAddresses appends the name that Addresses returns.
func (l List) WriteAddresses(to *strings.Builder, level int, bucket uint32) {
	var number [16]byte
	to.WriteString(l.head)
	to.WriteString(":" + SuffixAddresses + ":")
	to.Write(strconv.AppendInt(number[:0], int64(level), 10))
	to.WriteByte(':')
	to.Write(strconv.AppendUint(number[:0], uint64(bucket), 36))
}

func (l List) hasOwnTag() bool { return l.head == l.plain }

// isReserved reports whether a key with a tag of its own looks like one of our own keys.
func isReserved(key string) bool {
	segments := strings.Split(key, ":")
	last := len(segments) - 1
	if last > 0 && slices.Contains(suffixes, segments[last]) {
		return true
	}
	if last > 2 && segments[last-2] == SuffixAddresses {
		return true
	}
	return last > 1 && (segments[last-1] == suffixLease || segments[last-1] == suffixLoad || segments[last-1] == SuffixCaps)
}

// HashTag returns the part of a key that Redis Cluster hashes: the text between the first { and the
// next }, or the whole key if that is empty.
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

// The suffixes of the keys that belong to a Firebase project. See ProjectKeys.Key.
const (
	SuffixHalt      = "halt"      // hash: why the project is halted, reason to "<since ms> <by>"
	SuffixSignal    = "signal"    // channel: pace or halt has changed
	SuffixDeletions = "deletions" // hash: the token deletions of this hour
)

// projectPrefix separates projects from campaigns and users. It is no setting: all senders of one
// project must use the same keys.
const projectPrefix = "fanfare:"

// ProjectKeys names the keys of one Firebase project. They share a Cluster slot.
type ProjectKeys struct{ list List }

// Project names the keys of a Firebase project, by its id.
func (n Names) Project(project string) ProjectKeys {
	return ProjectKeys{list: NewList(projectPrefix + project)}
}

// Key returns one of the project's keys, such as "{fanfare:my-project}:pace".
func (k ProjectKeys) Key(suffix string) string { return k.list.Key(suffix) }

// List has the same keys, for callers that name them by pattern.
func (k ProjectKeys) List() List { return k.list }
