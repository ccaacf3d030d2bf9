package dispatcher

import (
	"cmp"
	"context"
	"log/slog"
	"slices"

	"fanfare/internal/breaker"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

// replacement says what became of a recipient whose address is dead.
type replacement uint8

const (
	noReplacement       replacement = iota // it was the last address
	replaced                               // the recipient has another target now
	replacedByDuplicate                    // another element sends to the device
	unknownReplacement                     // the stores could not tell
)

// tokenReplacer deletes tokens that FCM calls dead, and finds others of the same users.
type tokenReplacer struct {
	tokens    *tokens.Store
	deletions *breaker.Deletions // nil: no budget limits them
	deduper   *deduper
	pauser    *pauser
	log       *slog.Logger
}

// replace deletes a dead address if it is still stored and the deletion budget allows. It gives the
// recipient another address that this element may send to: the successor, then others of the
// recipient, then one that is stored.
func (r *tokenReplacer) replace(work context.Context, dl *delivery, a fcm.Answer) replacement {
	dead := dl.recipient.Target
	found, err := r.removeAndFind(work, dl, dead, a)
	if err != nil {
		r.pauser.pauseIfRefused(work, dl.lease.camp, err)
		r.log.Warn("dead token not replaced; recipient deferred", "user", dl.recipient.UserID, "token", dead, "error", err)
	}
	return found
}

// removeAndFind is replace. An error means that the stores could not tell.
func (r *tokenReplacer) removeAndFind(work context.Context, dl *delivery, dead notification.Target, a fcm.Answer) (replacement, error) {
	successor, err := r.findSuccessor(work, dl, dead, a)
	if err != nil {
		return unknownReplacement, err
	}
	own := dl.addresses()
	own.tried = append(own.tried, dead)
	hasMoved := dead.Kind == notification.TargetToken && successor.Kind == notification.TargetFID
	stored, err := r.remove(work, dl, dead, hasMoved)
	if hasMoved {
		dl.noteMoved(dead, err == nil)
	}
	next, ok := dl.takeOther()
	switch {
	case ok:
	case !successor.IsZero():
		next = successor
	case err != nil:
		return unknownReplacement, err
	case dl.mayTry(stored):
		next = stored
	default:
		return noReplacement, nil
	}
	return r.takeNext(work, dl, dead, next), err
}

// findSuccessor returns another address of a device whose address is unregistered, or zero. That is
// the installation ID that the app has moved to, or the token of an app that has not moved yet. An
// error means that the stores could not tell.
func (r *tokenReplacer) findSuccessor(work context.Context, dl *delivery, dead notification.Target, a fcm.Answer) (notification.Target, error) {
	if a.Class != fcm.Unregistered {
		return notification.Target{}, nil
	}
	if dl.device != nil && len(dl.device.others) > 0 {
		if other := dl.device.others[0].Target; other.IsSameDevice(dead) {
			return other, nil
		}
	}
	found, err := r.tokens.FindInstallation(work, dl.recipient.UserID, dead)
	switch {
	case err != nil:
		return notification.Target{}, err
	case !dl.mayTry(found):
		return notification.Target{}, nil
	}
	return found, nil
}

// remove deletes a dead address and returns another one that is stored. A token that has moved
// costs nothing of the deletion budget: its device is reached all the same.
func (r *tokenReplacer) remove(work context.Context, dl *delivery, dead notification.Target, hasMoved bool) (notification.Target, error) {
	user := dl.recipient.UserID
	if !hasMoved && !r.mayDelete(work) {
		dl.kept = append(dl.kept, dead)
		return r.tokens.FindAnother(work, user, dead)
	}
	dl.dead = append(dl.dead, dead)
	found, err := r.tokens.Forget(work, user, dead, dl.lease.camp.id)
	if slices.ContainsFunc(dl.dead, found.InSQL.IsSame) {
		dl.inSQL = found.InSQL
	}
	for _, other := range found.Others {
		if dl.mayTry(other.Target) {
			return other.Target, err
		}
	}
	return notification.Target{}, err
}

// mayDelete asks whether one more token may be deleted.
func (r *tokenReplacer) mayDelete(ctx context.Context) bool {
	if r.deletions == nil {
		return true
	}
	allowed, err := r.deletions.Take(ctx)
	if err != nil {
		r.log.Warn("deletion budget unknown; dead token kept", "error", err)
	}
	return allowed
}

// takeNext gives the recipient an address if this element may be sent there, or the next one of the
// recipient. It leaves out addresses that the campaign sends to for another element. If such an
// address is of the dead one's device, the device gets the message from that element, and no other
// address is tried.
func (r *tokenReplacer) takeNext(work context.Context, dl *delivery, dead, next notification.Target) replacement {
	for ok := true; ok; next, ok = dl.takeOther() {
		owned, err := r.deduper.takeAnother(work, dl, next)
		switch {
		case err != nil:
			dl.recipient.Target = next
			return unknownReplacement
		case owned:
			dl.recipient.Target = next
			return replaced
		case next.IsSameDevice(dead):
			dl.recipient.Target = next
			return replacedByDuplicate
		}
	}
	return noReplacement
}

// noteMoved notes a registration token that died because its app moved to an installation ID.
func (d *delivery) noteMoved(dead notification.Target, removed bool) {
	address, kind := dead.NameInResult()
	moved := notification.DeviceResult{
		Address: address, Kind: kind, Platform: d.recipient.Platform,
		Status: notification.StatusFailed, ErrorCode: notification.CodeMoved, Attempts: 1, TokenRemoved: removed,
	}
	if removed {
		moved.Token = dead.TextInSQL()
	}
	d.device.moved = append(d.device.moved, moved)
}

// takeOther returns the next of the recipient's own addresses, if there is one.
func (d *delivery) takeOther() (next notification.Target, ok bool) {
	if len(d.device.others) == 0 {
		return notification.Target{}, false
	}
	other := d.device.others[0]
	d.device.others = d.device.others[1:]
	d.recipient.Platform = cmp.Or(other.Platform, d.recipient.Platform)
	return other.Target, true
}

// mayTry reports whether a stored address may be tried: it was not yet, and no other device of the
// recipient has it.
func (d *delivery) mayTry(stored notification.Target) bool {
	if stored.IsZero() || d.device != nil && slices.ContainsFunc(d.device.tried, stored.IsSame) {
		return false
	}
	g := d.group()
	return g == nil || g.takeAddress(d.device.index, stored)
}

// takeAddress adds an address to a device, unless another device of the group has it.
func (g *deviceGroup) takeAddress(index int, address notification.Target) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	keys := addressKeys(address)
	for i := range g.states {
		if i != index && g.states[i].isKnownBy(keys) {
			return false
		}
	}
	g.states[index].addKeys(keys)
	return true
}
