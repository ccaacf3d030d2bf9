package dispatcher

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"fanfare/internal/notification"
)

// deviceState is what happened to one device of a recipient so far. It goes through Redis with the
// recipient, so that no later claim sends to a device again that has a status.
type deviceState struct {
	notification.DeviceResult
	// Keys identify the addresses of the device by hashes.
	Keys []string `json:"keys"`
	// Due is when a deferred device may be sent to, in ms of the server's clock.
	Due int64 `json:"due,omitempty"`
	// Error is the reason of the status in words.
	Error string `json:"error,omitempty"`
	// Kept reports that a dead token stays stored, because too many died.
	Kept bool `json:"kept,omitempty"`
	// Dead reports that FCM called its last address unregistered.
	Dead bool `json:"dead,omitempty"`
	// Tried are the addresses that proved dead, as hashes. Next is the one to try in their place,
	// if the device is put off before that has an outcome, and NextKind its kind.
	Tried    []string `json:"tried,omitempty"`
	Next     string   `json:"next,omitempty"`
	NextKind string   `json:"nextKind,omitempty"`
	// Moved are registration tokens of the device that died when the app moved to the FID.
	Moved []notification.DeviceResult `json:"moved,omitempty"`
}

// hasEnded reports whether the device has a final status.
func (s *deviceState) hasEnded() bool { return s.Status != "" }

// rank orders the devices of a user by what they say of the user. It differs from the rank of
// statuses: a device that may have the message stands above one that failed. One that no push can
// reach stands below all others, so that a dead address never fails its user.
func (s *deviceState) rank() int {
	switch s.Status {
	case notification.StatusSent:
		return 7
	case notification.StatusUnknown:
		return 6
	case notification.StatusFailed:
		if s.isDead() {
			return 2
		}
		return 5
	case notification.StatusSkipped:
		if s.ErrorCode == notification.CodeNoToken {
			return 1
		}
		return 4
	case notification.StatusExpired:
		return 3
	}
	return 0
}

// isDead reports whether the device failed because its address reaches no device. A 400 shows that
// only if it was a reason to delete the token.
func (s *deviceState) isDead() bool {
	switch s.ErrorCode {
	case "UNREGISTERED", "SENDER_ID_MISMATCH", notification.CodeInvalidToken:
		return true
	case "INVALID_ARGUMENT":
		return s.TokenRemoved || s.Kept
	}
	return false
}

// isKnownBy reports whether one of the keys is the device's.
func (s *deviceState) isKnownBy(keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(s.Keys, key) })
}

// addressKeys returns the keys of addresses: one for each, and one for the installation that a
// registration token certainly belongs to.
func addressKeys(targets ...notification.Target) []string {
	var keys []string
	add := func(kind notification.TargetKind, value string) {
		if key := hashAddress(kind, value); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, target := range targets {
		if target.IsZero() {
			continue
		}
		add(target.Kind, target.Text())
		if target.IsSendable() {
			add(target.Kind, target.Value)
		}
		if fid := target.FID(); notification.IsInstallationID(fid) {
			add(notification.TargetFID, fid)
		}
	}
	return keys
}

// hashAddress returns the key of one address.
func hashAddress(kind notification.TargetKind, value string) string {
	h := fnv.New64a()
	_, _ = h.Write(append([]byte{byte(kind)}, value...))
	return strconv.FormatUint(h.Sum64(), 36)
}

// maxStateError limits the reason that is kept of each device, in bytes.
const maxStateError = 200

// encodeStates makes the progress of a recipient: a word without white space.
func encodeStates(states []deviceState) string {
	for i := range states {
		if text := &states[i].Error; len(*text) > maxStateError {
			*text = strings.ToValidUTF8((*text)[:maxStateError], "") + "…"
		}
	}
	text, err := json.Marshal(states)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// decodeStates reads a progress. "" has no states.
func decodeStates(progress string) ([]deviceState, error) {
	if progress == "" {
		return nil, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(progress)
	if err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	var states []deviceState
	if err := json.Unmarshal(text, &states); err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	if len(states) == 0 {
		return nil, errors.New("read progress: it has no devices")
	}
	return states, nil
}

// addKeys adds the keys of another address of the device.
func (s *deviceState) addKeys(keys []string) {
	for _, key := range keys {
		if !slices.Contains(s.Keys, key) {
			s.Keys = append(s.Keys, key)
		}
	}
}
