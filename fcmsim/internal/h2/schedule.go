package h2

import "container/heap"

// tick is the grain of delays: what falls due within the same one leaves in one write. Nothing leaves too early.
const tick = int64(1e6) // nanoseconds

// schedule is a heap of streams by the time at which something is due to them.
type schedule []*stream

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].due < s[j].due }

func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}

// Push is for container/heap.
func (s *schedule) Push(x any) {
	st := x.(*stream)
	st.place = len(*s)
	*s = append(*s, st)
}

// Pop is for container/heap.
func (s *schedule) Pop() any {
	old := *s
	st := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	st.place = nowhere
	return st
}

// nowhere is the place of a stream that waits for no time.
const nowhere = -1

func (s *schedule) add(st *stream, due int64) {
	st.due = (due + tick - 1) / tick * tick
	heap.Push(s, st)
}

func (s *schedule) remove(st *stream) {
	if st.place != nowhere {
		heap.Remove(s, st.place)
	}
}

// next gives a stream to which something is due by now, nil if there is none.
func (s *schedule) next(now int64) *stream {
	if len(*s) == 0 || (*s)[0].due > now {
		return nil
	}
	return heap.Pop(s).(*stream)
}
