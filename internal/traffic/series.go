package traffic

import (
	"strconv"
	"strings"
	"time"
)

// Series are slots without a gap, the oldest first. The slot of the present is left out until it
// is over.
type Series struct {
	Step  time.Duration // from one slot to the next
	Slots []Slot
}

// Slot is what happened in one step.
type Slot struct {
	At time.Time // its begin, by Redis' clock
	Counts
	Took time.Duration // less than the step in the last slot
}

// PerSecond returns a count of the slot as a rate.
func (s *Slot) PerSecond(n int64) float64 { return float64(n) / s.Took.Seconds() }

// seriesOf makes the series of a record's fields. A campaign that began while the fine slots are
// kept has those.
func seriesOf(fields map[string]string, now time.Time, limit int) Series {
	minutes, first := readSlots(fields, "m", coarse)
	width, slots := coarse, minutes
	if fines, from := readSlots(fields, "s", fine); len(fines) > 0 && first*int64(coarse/fine) > now.Unix()/int64(fine.Seconds())-FineSlots {
		width, slots, first = fine, fines, from
	}
	if len(slots) == 0 {
		return Series{}
	}
	last := min(newest(slots), now.Unix()/int64(width.Seconds())-1)
	merged := (last-first)/int64(limit) + 1
	series := Series{Step: time.Duration(merged) * width}
	for at := first - first%merged; at <= last; at += merged {
		slot := Slot{At: time.Unix(at*int64(width.Seconds()), 0)}
		for each := at; each < at+merged && each <= last; each++ {
			slot.Took += width
			if counts := slots[each]; counts != nil {
				slot.Add(counts)
			}
		}
		series.Slots = append(series.Slots, slot)
	}
	return series
}

// readSlots returns the slots of one width by their number since 1970, and the first number. What
// is no slot is left out.
func readSlots(fields map[string]string, prefix string, width time.Duration) (slots map[int64]*Counts, first int64) {
	slots = make(map[int64]*Counts)
	for field, text := range fields {
		number, ok := strings.CutPrefix(field, prefix)
		at, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil || at <= 0 || at > maxUnix/int64(width.Seconds()) {
			continue
		}
		slots[at] = decode(text)
		if first == 0 || at < first {
			first = at
		}
	}
	if width == coarse && len(slots) > 0 {
		first = max(first, newest(slots)-coarseKept)
	}
	return slots, first
}

// maxUnix is the end of the year 9999.
const maxUnix = 253402300799

// newest returns the number of the newest slot; 0 if there is none.
func newest(slots map[int64]*Counts) (last int64) {
	for at := range slots {
		last = max(last, at)
	}
	return last
}

// encode writes counts as add.lua adds them: numbers between commas, without the last zeros.
func encode(c *Counts) string {
	numbers := append([]int64{c.Answers, c.Limited, c.Unavailable}, c.Latency[:]...)
	for len(numbers) > 1 && numbers[len(numbers)-1] == 0 {
		numbers = numbers[:len(numbers)-1]
	}
	var text strings.Builder
	for i, n := range numbers {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(strconv.FormatInt(n, 10))
	}
	return text.String()
}

// decode reads counts. What is no number counts as zero.
func decode(text string) *Counts {
	c := new(Counts)
	to := []*int64{&c.Answers, &c.Limited, &c.Unavailable}
	for i := range c.Latency {
		to = append(to, &c.Latency[i])
	}
	for i, number := range strings.SplitN(text, ",", len(to)) {
		n, err := strconv.ParseInt(number, 10, 64)
		if err == nil && n > 0 {
			*to[i] = n
		}
	}
	return c
}
