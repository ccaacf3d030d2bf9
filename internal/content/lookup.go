package content

import (
	"encoding/json"
	"strings"
)

// branches are the first parts of dotted names, such as address in {{address.city}}. An object is
// read once, however many names are in it.
type branches map[string]*branch

// branch is one part of dotted names: where a name ends, and the parts that follow.
type branch struct {
	values []int // of the names that end here
	next   branches
}

func newBranches(list []value) branches {
	var roots branches
	for i := range list {
		parts := strings.Split(list[i].name, ".")
		if len(parts) == 1 {
			continue
		}
		at := &roots
		for n, part := range parts {
			if *at == nil {
				*at = make(branches)
			}
			b := (*at)[part]
			if b == nil {
				b = new(branch)
				(*at)[part] = b
			}
			if n == len(parts)-1 {
				b.values = append(b.values, i)
			}
			at = &b.next
		}
	}
	return roots
}

// find looks up the values that are not found yet. A dotted name such as address.city is a field of
// exactly that name, or else the field of an object.
func (c *Content) find(found []json.RawMessage, fields map[string]json.RawMessage) {
	if len(fields) == 0 {
		return
	}
	for i := range found {
		if found[i] != nil {
			continue
		}
		if raw, exists := fields[c.values.list[i].name]; exists && isScalar(raw) {
			found[i] = raw
		}
	}
	c.roots.find(found, fields)
}

// find looks into the fields that are objects. Each object is decoded once.
func (b branches) find(found []json.RawMessage, fields map[string]json.RawMessage) {
	for name, next := range b {
		raw, exists := fields[name]
		if !exists || !next.isOpen(found) {
			continue
		}
		for _, i := range next.values {
			if found[i] == nil && isScalar(raw) {
				found[i] = raw
			}
		}
		var inner map[string]json.RawMessage
		if next.next != nil && json.Unmarshal(raw, &inner) == nil {
			next.next.find(found, inner)
		}
	}
}

// isOpen reports whether a name below the branch has no value yet.
func (b *branch) isOpen(found []json.RawMessage) bool {
	for _, i := range b.values {
		if found[i] == nil {
			return true
		}
	}
	for _, next := range b.next {
		if next.isOpen(found) {
			return true
		}
	}
	return false
}
