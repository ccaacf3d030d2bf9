package where

import (
	"bytes"
	"encoding/json"
	"fmt"

	"fanfare/internal/notification"
)

// The names that are not simply members of the element or of its vars.
const (
	varsName     = "vars"
	dataName     = "data"
	userName     = "userId"
	platformName = "platform"
)

// fill sets the values of the condition's names. A name is a member of the element, or else one of
// its vars, which a column of a CSV file is.
func (f *Filter) fill(element []byte, profile map[string]json.RawMessage) error {
	var members, vars map[string]json.RawMessage
	if err := json.Unmarshal(element, &members); err != nil {
		return fmt.Errorf("read element: %w", err)
	}
	if raw := members[varsName]; len(raw) > 0 {
		if err := json.Unmarshal(raw, &vars); err != nil {
			return fmt.Errorf("read vars: %w", err)
		}
	}
	for i, name := range f.names {
		raw, known := members[name]
		if !known {
			raw, known = vars[name]
		}
		if !known && name == dataName {
			raw, known = members[varsName]
		}
		value, err := valueOf(name, raw)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		f.env[name] = value
		f.seen[i] = f.seen[i] || known
	}
	if f.profile {
		f.env[profileName] = profileOf(profile)
	}
	return nil
}

// valueOf decodes a value. A user id is a text, though it may be written as a number, and a
// platform is in lower case.
func valueOf(name string, raw json.RawMessage) (value any, err error) {
	if len(raw) == 0 {
		return nil, nil
	}
	if name == userName && raw[0] != '"' {
		return string(bytes.TrimSpace(raw)), nil
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, err
	}
	if text, ok := value.(string); ok && name == platformName {
		return notification.NormalizePlatform(text), nil
	}
	return value, nil
}

// profileOf decodes a profile; nil if the user has none.
func profileOf(profile map[string]json.RawMessage) any {
	if profile == nil {
		return nil
	}
	all := make(map[string]any, len(profile))
	for name, raw := range profile {
		var value any
		_ = json.Unmarshal(raw, &value) // a profile was decoded from JSON
		all[name] = value
	}
	return all
}
