package caps

import (
	"errors"
	"testing"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

// A reply that no version of the script gives is an error, and names no element.
func TestForeignRepliesAreErrors(t *testing.T) {
	t.Parallel()
	l := New(nil, keys.Default(), []Cap{{1, day}, {2, 7 * day}})
	elements := []Element{{User: "ann", Campaign: "a", ID: "1"}}
	p := packElements(elements)
	var shard int64
	for n := range p.order {
		if len(p.order[n]) > 0 {
			shard = int64(n) + 1
		}
	}
	for name, c := range map[string]struct {
		reply []int64
		ok    bool
	}{
		"an entry":              {[]int64{shard, 1, 0, 0, 1}, true},
		"the first cap":         {[]int64{shard, 1, 1, 5, 0}, true},
		"the last cap":          {[]int64{shard, 1, 2, 5, 0}, true},
		"too short":             {[]int64{shard, 1, 0, 0}, false},
		"too long":              {[]int64{shard, 1, 0, 0, 1, 1}, false},
		"shard 0":               {[]int64{0, 1, 0, 0, 1}, false},
		"a shard too many":      {[]int64{shards + 1, 1, 0, 0, 1}, false},
		"a shard without users": {[]int64{shard%shards + 1, 1, 0, 0, 1}, false},
		"element 0":             {[]int64{shard, 0, 0, 0, 1}, false},
		"an element too many":   {[]int64{shard, 2, 0, 0, 1}, false},
		"a cap below none":      {[]int64{shard, 1, -1, 0, 1}, false},
		"a cap too many":        {[]int64{shard, 1, 3, 5, 1}, false},
	} {
		index, r, err := l.readReservation(c.reply, &p)
		switch {
		case !c.ok && !errors.Is(err, redisx.ErrReply):
			t.Errorf("%s: %+v, %v, want an error", name, r, err)
		case c.ok && (err != nil || index != 0 || r.HadEntry != (c.reply[4] == 1) || r.Capped != (c.reply[2] > 0)):
			t.Errorf("%s: element %d, %+v, %v", name, index, r, err)
		case c.ok && r.Capped && r.Cap != l.caps[c.reply[2]-1]:
			t.Errorf("%s: the cap is %+v", name, r.Cap)
		}
	}
}

// What a look-up returns of users is all of it or an error: no usage is made up from a part.
func TestForeignUsagesAreErrors(t *testing.T) {
	t.Parallel()
	l := New(nil, keys.Default(), []Cap{{1, day}, {2, 7 * day}})
	var p packed
	p.add(0, "ann")
	p.add(1, "ben")
	for name, c := range map[string]struct {
		reply []string
		ok    bool
	}{
		"no pushes":    {[]string{"1800000000", "", ""}, true},
		"some":         {[]string{"1800000000", "1799999000 1799998000", "1799999000 1799998000"}, true},
		"nothing":      {nil, false},
		"too short":    {[]string{"1800000000", ""}, false},
		"too long":     {[]string{"1800000000", "", "", ""}, false},
		"no time":      {[]string{"", "", ""}, false},
		"another time": {[]string{"now", "", ""}, false},
		"a word":       {[]string{"1800000000", "", "1799999000 x"}, false},
	} {
		all, err := l.readUsages(c.reply, &p, 2)
		switch {
		case !c.ok && !errors.Is(err, redisx.ErrReply):
			t.Errorf("%s: %+v, %v, want an error", name, all, err)
		case c.ok && (err != nil || len(all) != 2 || len(all[0]) != 2 || len(all[1]) != 2):
			t.Errorf("%s: %+v, %v, want the usage of two caps of two users", name, all, err)
		}
	}
}
