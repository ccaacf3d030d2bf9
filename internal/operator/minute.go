package operator

import (
	"context"

	"fanfare/internal/keys"
)

// PushedThisMinute returns how many requests campaigns have made in the present minute, by id.
// Dispatchers record them every two seconds.
func (o *Operator) PushedThisMinute(ctx context.Context, ids []string) (map[string]int64, error) {
	var named []string
	var lists []keys.List
	for _, id := range ids {
		if list, err := o.deps.Names.Campaign(id); err == nil {
			named, lists = append(named, id), append(lists, list)
		}
	}
	answers, err := o.deps.Traffic.Minute(ctx, lists)
	if err != nil {
		return nil, err
	}
	pushed := make(map[string]int64, len(named))
	for i, id := range named {
		pushed[id] = answers[i]
	}
	return pushed, nil
}
