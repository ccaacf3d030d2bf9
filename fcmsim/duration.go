package fcmsim

import (
	"fmt"
	"time"
)

// Duration is a duration whose text form is Go's: "17s", "1h30m".
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes the text form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the text form.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %q: want 17s or 1h30m", text)
	}
	*d = Duration(parsed)
	return nil
}
