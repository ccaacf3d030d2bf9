package store

import "strings"

// spelling maps ids to the way they were asked for.
type spelling struct{ exact, folded map[string]string }

func spellings(ids []string) spelling {
	s := spelling{exact: make(map[string]string, len(ids)), folded: make(map[string]string)}
	for _, id := range ids {
		s.exact[id] = id
		if lower := strings.ToLower(id); lower != id {
			s.folded[lower] = id
		}
	}
	return s
}

// has reports whether an id was asked for.
func (s spelling) has(id string) bool {
	_, exact := s.exact[id]
	_, folded := s.folded[strings.ToLower(id)]
	return exact || folded
}

// of returns the id that was asked for. A uuid column answers in lower case, whatever case the question had.
func (s spelling) of(id string) string {
	if asked, ok := s.exact[id]; ok {
		return asked
	}
	if asked, ok := s.folded[strings.ToLower(id)]; ok {
		return asked
	}
	return id
}
