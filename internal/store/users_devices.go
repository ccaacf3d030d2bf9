package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"fanfare/internal/notification"
)

// The columns of store.token_query that have a meaning by their name. All are optional.
const (
	columnFID      = "fid"
	columnKind     = "kind"
	columnPlatform = "platform"
	columnLocale   = "locale"
	columnLastSeen = "last_seen"
)

var deviceColumnNames = []string{columnFID, columnKind, columnPlatform, columnLocale, columnLastSeen}

// Devices returns all devices of those ids that have any: a row of TokenQuery each, in the order of
// the rows. The columns beside the id and the token are read by their names.
func (s *Store) Devices(ctx context.Context, ids []string) (map[string][]notification.Device, error) {
	devices := make(map[string][]notification.Device, len(ids))
	err := s.lookupRows(ctx, valueQuery(s.o.TokenQuery, func(columns []string, id string, values []sql.NullString) {
		if found := readAddresses(columns, values); len(found) > 0 {
			devices[id] = append(devices[id], found...)
		}
	}), ids)
	if err != nil {
		return nil, fmt.Errorf("look up tokens: %w", blameSetting(settingTokenQuery, err))
	}
	return devices, nil
}

// readAddresses reads a row. An installation ID comes before a token, which stays beside it: the
// app may not have registered the ID.
func readAddresses(columns []string, values []sql.NullString) []notification.Device {
	var d notification.Device
	var fid, kind string
	for i, value := range values[1:] {
		switch name := columns[i+1]; {
		case name == columnFID:
			fid = value.String
		case i == 0:
		case name == columnKind:
			kind = strings.ToLower(value.String)
		case name == columnPlatform:
			d.Platform = notification.NormalizePlatform(value.String)
		case name == columnLocale:
			d.Locale = value.String
		case name == columnLastSeen:
			d.LastSeen = notification.ParseLastSeen(value.String)
		}
	}
	targets := []notification.Target{notification.ParseFID(fid)}
	if columns[1] != columnFID {
		targets = append(targets, notification.ParseAddress(values[1].String, kind))
	}
	return addressesOf(d, targets)
}

// addressesOf returns a device for each address that can be sent to. If there is none, it returns
// one for the last text, which cannot be an address.
func addressesOf(d notification.Device, targets []notification.Target) []notification.Device {
	var usable, other []notification.Device
	for _, target := range targets {
		d.Target = target
		switch {
		case target.IsSendable() && (len(usable) == 0 || !usable[0].Target.IsSame(target)):
			usable = append(usable, d)
		case target.Kind == notification.TargetInvalid:
			other = []notification.Device{d}
		}
	}
	if len(usable) > 0 {
		return usable
	}
	return other
}

// findDeviceProblem returns why the columns of a token query cannot be read, or "".
func findDeviceProblem(columns []column) string {
	for i, c := range columns {
		name := strings.ToLower(c.name)
		switch {
		case i < 2 && !slices.Contains(deviceColumnNames[1:], name):
		case i >= 2 && name == columnLastSeen && c.class != classArray && c.class != classJSON:
		case i < 2:
			return "returns " + name + " in place of the id and the token, which must be the first two columns"
		case !slices.Contains(deviceColumnNames, name):
			return fmt.Sprintf("returns the column %q, which is not one of %s: name it so with AS, or leave it out", c.name, strings.Join(deviceColumnNames, ", "))
		case c.class != classText && c.class != classUnknown:
			return "returns " + c.typ + " in the column " + name + ", which must be a text"
		}
	}
	return ""
}
