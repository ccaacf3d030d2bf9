package fcmsim

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"math/bits"
	"sync"
)

// LedgerMode is what the ledger keeps of a message.
type LedgerMode string

// The modes. Hashes need some 50 bytes for each token, so that the ledger can hold millions.
const (
	LedgerHashes   LedgerMode = "hashes"
	LedgerMessages LedgerMode = "messages"
)

// Entry counts what happened to one message for one target.
type Entry struct {
	// Target is the token, Firebase Installation ID, topic or condition. It is empty with
	// LedgerHashes.
	Target string `json:"target,omitempty"`
	// TargetHash and MessageHash are 16 hex digits. The latter leaves out the target and the times
	// to live, which a sender may shorten when it repeats a message.
	TargetHash  string `json:"targetHash"`
	MessageHash string `json:"messageHash"`
	// Attempts counts the requests that were read and valid, Accepted those that FCM accepted.
	// Accepted above 1 means duplicates.
	Attempts uint32 `json:"attempts"`
	Accepted uint32 `json:"accepted"`
	// Message is the "message" object as it first arrived, MessageIDs the names in the responses.
	// Both are empty with LedgerHashes.
	Message    json.RawMessage `json:"message,omitempty"`
	MessageIDs []string        `json:"messageIds,omitempty"`
}

type ledgerKey struct{ target, message uint64 }

type ledgerCount struct{ attempts, accepted uint32 }

type ledgerDetail struct {
	target  string
	message []byte
	ids     []string
}

const ledgerShards = 32

// ledger counts attempts and acceptances by target and message.
type ledger struct {
	mode   LedgerMode
	shards [ledgerShards]ledgerShard
}

type ledgerShard struct {
	mu      sync.Mutex
	counts  map[ledgerKey]ledgerCount
	details map[ledgerKey]*ledgerDetail
}

func newLedger(mode LedgerMode) *ledger {
	l := &ledger{mode: mode}
	l.clear()
	return l
}

func (l *ledger) shard(key ledgerKey) *ledgerShard { return &l.shards[key.target%ledgerShards] }

// addAttempt counts a valid request and returns its number, the first being 1.
func (l *ledger) addAttempt(key ledgerKey) uint32 {
	s := l.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	line := s.counts[key]
	line.attempts++
	s.counts[key] = line
	return line.attempts
}

// addAccepted counts an accepted message and reports whether it is the first time.
func (l *ledger) addAccepted(key ledgerKey, target string, message []byte, id string) (first bool) {
	s := l.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	line := s.counts[key]
	line.accepted++
	s.counts[key] = line
	if l.mode == LedgerMessages {
		s.keepDetail(key, target, message, id)
	}
	return line.accepted == 1
}

func (s *ledgerShard) keepDetail(key ledgerKey, target string, message []byte, id string) {
	detail := s.details[key]
	if detail == nil {
		detail = &ledgerDetail{target: target, message: append([]byte(nil), message...)}
		s.details[key] = detail
	}
	detail.ids = append(detail.ids, id)
}

func (l *ledger) clear() {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		s.counts = make(map[ledgerKey]ledgerCount)
		s.details = make(map[ledgerKey]*ledgerDetail)
		s.mu.Unlock()
	}
}

// all yields every entry. Each shard is copied under its lock.
func (l *ledger) all() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := range l.shards {
			for _, entry := range l.shards[i].entries(func(ledgerKey) bool { return true }) {
				if !yield(entry) {
					return
				}
			}
		}
	}
}

func (l *ledger) entriesOf(target string) []Entry {
	hash := fingerprint(0, target)
	return l.shard(ledgerKey{target: hash}).entries(func(key ledgerKey) bool { return key.target == hash })
}

func (s *ledgerShard) entries(wanted func(ledgerKey) bool) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var entries []Entry
	for key, line := range s.counts {
		if wanted(key) {
			entries = append(entries, s.newEntry(key, line))
		}
	}
	return entries
}

func (s *ledgerShard) newEntry(key ledgerKey, line ledgerCount) Entry {
	e := Entry{
		TargetHash:  fmt.Sprintf("%016x", key.target),
		MessageHash: fmt.Sprintf("%016x", key.message),
		Attempts:    line.attempts,
		Accepted:    line.accepted,
	}
	if detail := s.details[key]; detail != nil {
		e.Target, e.Message, e.MessageIDs = detail.target, detail.message, append([]string(nil), detail.ids...)
	}
	return e
}

// fingerprint hashes data to 64 bits. It is the same in every process, so that ledgers can be
// compared and seeds repeat a run. Two of a million tokens collide with a probability below one in
// ten million.
func fingerprint[T string | []byte](seed uint64, data T) uint64 {
	const k0, k1 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db
	h := seed ^ k0 ^ uint64(len(data))
	var block [8]byte
	for len(data) > 0 {
		n := copy(block[:], data)
		clear(block[n:])
		data = data[n:]
		hi, lo := bits.Mul64(h^k1, binary.LittleEndian.Uint64(block[:])^k0)
		h = hi ^ lo ^ bits.RotateLeft64(h, 23)
	}
	hi, lo := bits.Mul64(h, k1)
	return hi ^ lo
}
