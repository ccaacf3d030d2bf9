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

// The modes. Hashes need some 70 bytes for each token, so that the ledger can hold millions.
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

// deviceKey is a message to a device. A target that is no device's address is its own device.
type deviceKey struct{ device, message uint64 }

type ledgerCount struct{ attempts, accepted uint32 }

// deviceCount is what happened to one message for one device. The first address is part of it,
// because nearly all devices have no other.
type deviceCount struct {
	target uint64
	first  ledgerCount
}

type ledgerDetail struct {
	target  string
	message []byte
	ids     []string
}

const ledgerShards = 32

// ledger counts attempts and acceptances by device, address and message.
type ledger struct {
	mode   LedgerMode
	shards [ledgerShards]ledgerShard
}

type ledgerShard struct {
	mu      sync.Mutex
	counts  map[deviceKey]deviceCount
	others  map[deviceKey]map[uint64]ledgerCount // by the further addresses of a device
	details map[ledgerKey]*ledgerDetail
}

func newLedger(mode LedgerMode) *ledger {
	l := &ledger{mode: mode}
	l.clear()
	return l
}

func (l *ledger) shard(device uint64) *ledgerShard { return &l.shards[device%ledgerShards] }

// addAttempt counts a valid request and returns its number, the first being 1.
func (l *ledger) addAttempt(key ledgerKey, device uint64) uint32 {
	s := l.shard(device)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(key, device, ledgerCount{attempts: 1}).attempts
}

// acceptance says what an accepted message was the first of.
type acceptance struct {
	firstOfTarget  bool // the target had not accepted the message
	firstOfDevice  bool // no address of the device had
	secondOfDevice bool // one address had, once
}

// addAccepted counts an accepted message.
func (l *ledger) addAccepted(key ledgerKey, device uint64, target string, message []byte, id string) acceptance {
	s := l.shard(device)
	s.mu.Lock()
	defer s.mu.Unlock()
	line := s.add(key, device, ledgerCount{accepted: 1})
	if l.mode == LedgerMessages {
		s.keepDetail(key, target, message, id)
	}
	total := s.acceptedBy(deviceKey{device, key.message})
	return acceptance{firstOfTarget: line.accepted == 1, firstOfDevice: total == 1, secondOfDevice: total == 2}
}

// add adds to the count of an address and returns the sum.
func (s *ledgerShard) add(key ledgerKey, device uint64, n ledgerCount) ledgerCount {
	to := deviceKey{device, key.message}
	line, known := s.counts[to]
	if !known {
		line.target = key.target
	}
	if line.target == key.target {
		line.first = line.first.plus(n)
		s.counts[to] = line
		return line.first
	}
	others := s.others[to]
	if others == nil {
		others = make(map[uint64]ledgerCount)
		s.others[to] = others
	}
	others[key.target] = others[key.target].plus(n)
	return others[key.target]
}

func (c ledgerCount) plus(n ledgerCount) ledgerCount {
	return ledgerCount{attempts: c.attempts + n.attempts, accepted: c.accepted + n.accepted}
}

// acceptedBy sums what the addresses of a device accepted.
func (s *ledgerShard) acceptedBy(to deviceKey) uint32 {
	total := s.counts[to].first.accepted
	for _, line := range s.others[to] {
		total += line.accepted
	}
	return total
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
		s.counts = make(map[deviceKey]deviceCount)
		s.others = make(map[deviceKey]map[uint64]ledgerCount)
		s.details = make(map[ledgerKey]*ledgerDetail)
		s.mu.Unlock()
	}
}

// all yields every entry. Each shard is copied under its lock.
func (l *ledger) all() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := range l.shards {
			for _, entry := range l.shards[i].entries(func(deviceKey) bool { return true }) {
				if !yield(entry) {
					return
				}
			}
		}
	}
}

// entriesOfDevice returns the entries of all addresses of a device.
func (l *ledger) entriesOfDevice(device uint64) []Entry {
	return l.shard(device).entries(func(key deviceKey) bool { return key.device == device })
}

func (s *ledgerShard) entries(wanted func(deviceKey) bool) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var entries []Entry
	for key, line := range s.counts {
		if !wanted(key) {
			continue
		}
		entries = append(entries, s.newEntry(ledgerKey{line.target, key.message}, line.first))
		for target, other := range s.others[key] {
			entries = append(entries, s.newEntry(ledgerKey{target, key.message}, other))
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
