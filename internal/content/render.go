package content

import (
	"cmp"
	"strconv"
	"time"

	"fanfare/internal/notification"
)

// Envelope says where one copy of a message goes.
type Envelope struct {
	Target notification.Target
	// Campaign and User form the tag and the collapse id of a copy, so that a device shows a
	// repeated message once. Tag, if set, stands in the user's place: messages with different tags
	// do not replace each other.
	Campaign, User, Tag string
	// TTL, if set, limits how long FCM keeps this copy for an offline device. The message's own TTL
	// applies if it is shorter.
	TTL time.Duration
}

// AppendRequest appends the body of the request for one copy, {"message":{…}}. now is when it is
// sent.
func (m *Message) AppendRequest(dst []byte, e Envelope, now time.Time) []byte {
	var l layout
	if m.marked {
		l |= withMarks
	}
	if e.TTL > 0 {
		l |= withTTL
		e.TTL = min(e.TTL, maxTTL)
	}
	t := &m.content.templates[l]
	if dst == nil {
		dst = make([]byte, 0, t.fixed+m.size-m.content.templates[0].messageFixed()+len(e.Target.Value)+2*maxCollapseID)
	}
	for i := range t.segments {
		s := &t.segments[i]
		dst = append(dst, s.literal...)
		dst = m.appendSlot(dst, s, &e, now)
	}
	return append(dst, t.tail...)
}

func (m *Message) appendSlot(dst []byte, s *segment, e *Envelope, now time.Time) []byte {
	switch s.slot.kind {
	case slotValue:
		return append(dst, m.value(s.value)...)
	case slotTarget:
		return appendTarget(dst, e.Target)
	case slotSeparator:
		if e.Target.IsZero() {
			return dst
		}
		return append(dst, ',')
	case slotMark:
		return append(appendMark(append(dst, '"'), e.Campaign, cmp.Or(e.Tag, e.User)), '"')
	case slotAndroidTTL:
		return append(appendDuration(append(dst, '"'), time.Duration(min(s.slot.own, int64(e.TTL)))), '"')
	case slotExpiration:
		return appendQuoted(dst, min(s.slot.own, now.Add(e.TTL).Unix()))
	case slotWebTTL:
		return appendQuoted(dst, min(s.slot.own, int64(e.TTL/time.Second)))
	}
	return dst
}

// appendTarget appends the member that names the target.
func appendTarget(dst []byte, t notification.Target) []byte {
	switch t.Kind {
	case notification.TargetFID:
		dst = append(dst, `"fid":"`...)
	case notification.TargetToken:
		dst = append(dst, `"token":"`...)
	default:
		return dst
	}
	return append(appendEscaped(dst, t.Value), '"')
}

func appendQuoted(dst []byte, n int64) []byte {
	return append(strconv.AppendInt(append(dst, '"'), n, 10), '"')
}

// Text returns the message's JSON without a target, tag and collapse id.
func (m *Message) Text() notification.Message {
	t := &m.content.templates[0]
	out := make([]byte, 0, len(bodyStart)+m.size+len(bodyEnd))
	for i := range t.segments {
		out = append(out, t.segments[i].literal...)
		out = m.appendSlot(out, &t.segments[i], &Envelope{}, time.Time{})
	}
	out = append(out, t.tail...)
	return out[len(bodyStart)-1 : len(out)-1]
}
