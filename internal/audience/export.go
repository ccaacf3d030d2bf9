package audience

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/schedule"
)

// Service is a push service whose export of devices can be read.
type Service string

const (
	// Pinpoint exports the endpoints of a segment or a project of Amazon Pinpoint: a JSON object on
	// each line.
	Pinpoint Service = "pinpoint"
	// OneSignal exports subscriptions, which were called players, as CSV.
	OneSignal Service = "onesignal"
)

// Reason says why an address of an export is of no use.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	OtherChannel Reason = "otherChannel" // not FCM: APNs, e-mail, SMS and others
	NoUser       Reason = "noUser"
	OptedOut     Reason = "optedOut"
	Inactive     Reason = "inactive" // the service had given it up
	NotToken     Reason = "notToken" // no FCM token, such as a token of APNs
)

// Endpoint is an address of a user in an export.
type Endpoint struct {
	UserID  string
	Device  notification.Device
	Profile map[string]json.RawMessage // locale, timeZone and attributes
	Reason  Reason                     // "" if the address can be used
}

// Export reads the export of a service. It keeps one line in memory.
type Export struct {
	next  func() (Endpoint, error)
	line  func() int
	hints []string
}

// OpenExport reads the beginning of an export, plain or compressed. A *FileError means that it is
// none of this service.
func OpenExport(r io.Reader, s Service) (*Export, error) {
	source := &source{Reader: r}
	e, err := openExport(source, s)
	if err != nil {
		return nil, source.explain(err)
	}
	read := e.next
	e.next = func() (Endpoint, error) {
		endpoint, err := read()
		return endpoint, source.explain(err)
	}
	return e, nil
}

func openExport(r io.Reader, s Service) (*Export, error) {
	plain, err := openText(r)
	if err != nil {
		return nil, err
	}
	lines, text, first, err := beginRows(plain, 0)
	switch {
	case err != nil:
		return nil, err
	case s == OneSignal:
		return openOneSignal(lines, text)
	case first != '{':
		return nil, &FileError{Problem: notPinpoint}
	}
	return openPinpoint(text)
}

// Next returns the next endpoint; io.EOF at the end. After a RowError the caller may continue.
func (e *Export) Next() (Endpoint, error) { return e.next() }

// Line returns where the last endpoint began.
func (e *Export) Line() int { return e.line() }

// Hints returns what an operator should check.
func (e *Export) Hints() []string { return e.hints }

// checkUser returns a RowError for an id that cannot be a user's; "" is no user, and no error.
func checkUser(id string, line int) error {
	if id == "" {
		return nil
	}
	if err := checkUserID(id); err != nil {
		return RowError{Line: line, Problem: err.Error()}
	}
	return nil
}

// judgeAddress returns an FCM token, or the reason why a text is none.
func judgeAddress(text string) (notification.Target, Reason) {
	token := notification.ParseToken(text)
	if !token.IsSendable() || isAPNsToken(token.Value) {
		return notification.Target{}, NotToken
	}
	return token, ""
}

// isAPNsToken reports whether a text is a token of APNs: 32 bytes or more in hexadecimal digits.
func isAPNsToken(text string) bool {
	const shortest = 64
	return len(text) >= shortest && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// knownLocale returns a locale with hyphens, or "" for a text that is no language.
func knownLocale(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "_", "-")
	if content.LocaleProblem(text) != "" {
		return ""
	}
	return text
}

// knownZone returns a time zone, or "" for a text that names none.
func knownZone(text string) string {
	text = strings.TrimSpace(text)
	if _, err := schedule.ParseZone(text); text == "" || err != nil {
		return ""
	}
	return text
}

// addText adds a text to a profile, unless it is empty or the profile has that member.
func addText(profile map[string]json.RawMessage, name, text string) {
	if _, taken := profile[name]; taken || text == "" {
		return
	}
	value, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text always marshals
	}
	profile[name] = value
}

// missingColumns names the columns of a list that a header does not have.
func missingColumns(header, wanted []string) string {
	missing := slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return slices.Contains(header, name) })
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("its first line has no column %s", strings.Join(missing, " and no column "))
}
