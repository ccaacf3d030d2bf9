package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// host is what all CPUs of the machine have done since it started, in ticks. It tells whether a figure was the program's
// limit or the machine's.
type host struct{ idle, steal, all float64 }

// readHost reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
func readHost(b *testing.B) (h host) {
	b.Helper()
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		b.Fatal(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 {
		b.Fatalf("read /proc/stat: %q", line)
	}
	for i, field := range fields[1:9] {
		ticks, err := strconv.ParseFloat(field, 64)
		if err != nil {
			b.Fatalf("read /proc/stat: %v", err)
		}
		h.all += ticks
		switch i {
		case 3, 4:
			h.idle += ticks
		case 7:
			h.steal += ticks
		}
	}
	return h
}

// since tells what the CPUs did from a moment on.
func (h host) since(before host) string {
	all := h.all - before.all
	if all == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%.0f%% idle, %.0f%% stolen", 100*(h.idle-before.idle)/all, 100*(h.steal-before.steal)/all)
}
