package console

import (
	"cmp"
	"slices"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// devicesTable is what became of all devices of the recipients who have ended, by outcome, beside
// what became of the recipients.
type devicesTable struct {
	Rows              []deviceRow
	Recipients, Total int64
	Balanced          bool
	Moved             int64 // tokens whose app uses installation IDs now
}

// deviceRow is one status, or one code of it.
type deviceRow struct {
	State shownState
	Code  string // "" for a status without a code
	// Recipients ended so, by the best of their devices. Devices ended so each for itself.
	Recipients, Devices int64
	Share               string // of all devices
}

// devicesTableOf returns nil if no recipient had several devices and no token moved.
func devicesTableOf(b campaign.Books) *devicesTable {
	if b.Devices == nil && b.Moved == 0 {
		return nil
	}
	d := b.Devices
	if d == nil {
		d = &campaign.DeviceBooks{
			Total: b.CountEnded(), Sent: b.Sent, Failed: b.Failed, Skipped: b.Skipped, Expired: b.Expired, Unknown: b.Unknown, Codes: b.Codes,
		}
	}
	out := &devicesTable{Recipients: b.CountEnded(), Total: d.Total, Balanced: d.IsBalanced(), Moved: b.Moved}
	for _, each := range []struct {
		status              notification.Status
		recipients, devices int64
	}{
		{notification.StatusSent, b.Sent, d.Sent}, {notification.StatusFailed, b.Failed, d.Failed}, {notification.StatusSkipped, b.Skipped, d.Skipped},
		{notification.StatusExpired, b.Expired, d.Expired}, {notification.StatusUnknown, b.Unknown, d.Unknown},
	} {
		out.addStatus(each.status, each.recipients, each.devices, b.Codes, d.Codes)
	}
	return out
}

// addStatus adds a row for each code of a status, the largest first, and one for those without a
// code.
func (t *devicesTable) addStatus(status notification.Status, recipients, devices int64, ofRecipients, ofDevices map[string]int64) {
	row := func(code string, recipients, devices int64) deviceRow {
		return deviceRow{stateOfOutcome(status), code, recipients, devices, share(devices, t.Total)}
	}
	var rows []deviceRow
	for label, n := range ofDevices {
		of, code, _ := strings.Cut(label, ":")
		if of != string(status) || code == "" {
			continue
		}
		rows = append(rows, row(code, ofRecipients[label], n))
		recipients -= ofRecipients[label]
		devices -= n
	}
	slices.SortFunc(rows, func(a, b deviceRow) int {
		return cmp.Or(cmp.Compare(b.Devices, a.Devices), cmp.Compare(a.Code, b.Code))
	})
	if recipients != 0 || devices != 0 {
		rows = append(rows, row("", recipients, devices))
	}
	t.Rows = append(t.Rows, rows...)
}

// languagesOf lists the languages beside that of the base message; "" if there are none.
func languagesOf(v operator.View) string { return strings.Join(v.Languages(), ", ") }
