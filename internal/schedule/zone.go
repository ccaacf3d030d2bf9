package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// maxZoneName is longer than every name of the IANA database.
const maxZoneName = 64

// offsetName is a zone by its offset, such as +07:00, UTC+7 or GMT-03:30. Android names zones so
// that it has no place for.
var offsetName = regexp.MustCompile(`^(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?$`)

// ParseZone returns a time zone by its IANA name, such as Asia/Saigon, or by its offset, such as
// +07:00. The error text follows the name of a field.
func ParseZone(name string) (*time.Location, error) {
	if zone, known := zones.Load(name); known {
		return found(name, zone.(*time.Location)) //nolint:forcetypeassert // nothing else is stored
	}
	zone := loadZone(name)
	if zone != nil || len(name) <= maxZoneName && unknownKept.Add(1) <= maxUnknownKept {
		zones.Store(name, zone)
	}
	return found(name, zone)
}

// zones has what is known of each name: its zone, or nil if there is none. Loading one reads a
// file. Unknown names are bounded, because they come from producers.
var (
	zones       sync.Map
	unknownKept atomic.Int64
)

const maxUnknownKept = 1000

func found(name string, zone *time.Location) (*time.Location, error) {
	switch {
	case zone != nil:
		return zone, nil
	case name == "":
		return nil, errors.New("is empty")
	case len(name) > maxZoneName:
		return nil, fmt.Errorf("is a text of %d bytes, want a time zone such as Asia/Saigon", len(name))
	}
	return nil, fmt.Errorf("is %q, want a time zone of the IANA database, such as Asia/Saigon, or an offset, such as +07:00", name)
}

// loadZone returns nil for an unknown name. "Local" is none: it would mean another zone in each
// process.
func loadZone(name string) *time.Location {
	if name == "" || name == "Local" || len(name) > maxZoneName {
		return nil
	}
	if m := offsetName.FindStringSubmatch(name); m != nil {
		hours, _ := strconv.Atoi(m[2])
		minutes, _ := strconv.Atoi("0" + m[3])
		offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
		if m[1] == "-" {
			offset = -offset
		}
		if offset > firstOffset || offset < lastOffset {
			return nil
		}
		return fixed(offset)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return zone
}

// fixed is the zone of an offset, named like +07:00.
func fixed(offset time.Duration) *time.Location {
	if offset == 0 {
		return time.UTC
	}
	sign, minutes := '+', int(offset/time.Minute)
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	return time.FixedZone(fmt.Sprintf("%c%02d:%02d", sign, minutes/60, minutes%60), int(offset/time.Second))
}
