package audience

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"fanfare/internal/notification"
)

const notPinpoint = `its first line is no endpoint of Amazon Pinpoint, such as {"ChannelType":"GCM","Address":"…","User":{"UserId":"…"}}`

// pinpointChannel is the channel of FCM, by the name that it had before.
const pinpointChannel = "GCM"

// pinpointEndpoint is a line of an export.
type pinpointEndpoint struct {
	ChannelType, Address, EndpointStatus, OptOut, EffectiveDate string

	Demographic struct{ Locale, Timezone, Platform string }
	Attributes  map[string]json.RawMessage
	User        struct {
		UserID         string
		UserAttributes map[string]json.RawMessage
	}
}

type pinpointReader struct {
	lines *bufio.Reader
	first []byte // the first line, until it is returned
	at    int
}

// openPinpoint checks the first line, so that a file of another kind is refused as a whole.
func openPinpoint(text *bufio.Reader) (*Export, error) {
	r := &pinpointReader{lines: text}
	line, err := r.readLine()
	if err != nil {
		return nil, err
	}
	var e pinpointEndpoint
	if json.Unmarshal(line, &e) != nil || e.ChannelType == "" {
		return nil, &FileError{Problem: notPinpoint}
	}
	r.first = bytes.Clone(line)
	return &Export{next: r.next, line: func() int { return r.at }}, nil
}

// readLine reads the next line that is not empty.
func (r *pinpointReader) readLine() ([]byte, error) {
	if line := r.first; line != nil {
		r.first = nil
		return line, nil
	}
	for {
		text, err := r.lines.ReadSlice('\n')
		if len(text) == 0 && err != nil {
			return nil, err
		}
		r.at++
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil, &FileError{Problem: fmt.Sprintf("line %d takes more than %d bytes: an export has one endpoint on each line", r.at, r.lines.Size())}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return text, nil
		}
	}
}

func (r *pinpointReader) next() (Endpoint, error) {
	line, err := r.readLine()
	if err != nil {
		return Endpoint{}, err
	}
	var e pinpointEndpoint
	if err := json.Unmarshal(line, &e); err != nil {
		return Endpoint{}, RowError{Line: r.at, Problem: "is no endpoint: " + err.Error()}
	}
	if e.ChannelType == "" {
		return Endpoint{}, RowError{Line: r.at, Problem: "has no ChannelType"}
	}
	return e.endpoint(), checkUser(strings.TrimSpace(e.User.UserID), r.at)
}

// endpoint decides what an endpoint is of use for. OptOut is ALL or NONE.
func (e *pinpointEndpoint) endpoint() Endpoint {
	out := Endpoint{UserID: strings.TrimSpace(e.User.UserID)}
	switch {
	case e.ChannelType != pinpointChannel:
		out.Reason = OtherChannel
	case out.UserID == "":
		out.Reason = NoUser
	case strings.EqualFold(e.OptOut, "ALL"):
		out.Reason = OptedOut
	case strings.EqualFold(e.EndpointStatus, "INACTIVE"):
		out.Reason = Inactive
	default:
		out.Device.Target, out.Reason = judgeAddress(e.Address)
	}
	if out.Reason != "" {
		return out
	}
	d := &out.Device
	d.Platform, d.Locale, d.TimeZone = notification.NormalizePlatform(e.Demographic.Platform), knownLocale(e.Demographic.Locale), knownZone(e.Demographic.Timezone)
	d.LastSeen = notification.ParseLastSeen(e.EffectiveDate)
	out.Profile = make(map[string]json.RawMessage)
	addAttributes(out.Profile, e.Attributes)
	addAttributes(out.Profile, e.User.UserAttributes)
	addText(out.Profile, "locale", d.Locale)
	addText(out.Profile, "timeZone", d.TimeZone)
	return out
}

// addAttributes adds attributes, which are lists of texts. A list of one becomes its text.
func addAttributes(profile, attributes map[string]json.RawMessage) {
	for name, value := range attributes {
		var all []json.RawMessage
		if json.Unmarshal(value, &all) == nil && len(all) == 1 {
			value = all[0]
		}
		if text := string(value); text != "null" && text != "[]" {
			profile[name] = value
		}
	}
}
