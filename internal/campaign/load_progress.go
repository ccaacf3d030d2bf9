package campaign

import (
	"fmt"
	"hash/crc32"
	"strings"
)

// progressNote is the prefix of a field of counts that holds the progress of a load. The field is
// removed when the load is done.
const progressNote = "progress:"

// progress is how far a load has come. Its checksums identify a load of the same file, which can
// continue it.
type progress struct {
	rows            int64 // pushed so far
	firstRows       int   // in its first batch
	firstSum, total uint32
}

var sums = crc32.MakeTable(crc32.Castagnoli) // computed by hardware

// sumOf extends a checksum with more recipients.
func sumOf(sum uint32, elements [][]byte) uint32 {
	for _, element := range elements {
		sum = crc32.Update(sum, sums, element)
		sum = crc32.Update(sum, sums, []byte{'\n'})
	}
	return sum
}

// plus returns the progress after another batch.
func (p progress) plus(elements [][]byte) progress {
	p.total = sumOf(p.total, elements)
	if p.rows == 0 {
		p.firstRows, p.firstSum = len(elements), p.total
	}
	p.rows += int64(len(elements))
	return p
}

// startsWith reports whether the load began with this batch.
func (p progress) startsWith(batch [][]byte) bool {
	return p.rows > 0 && p.firstRows == len(batch) && p.firstSum == sumOf(0, batch)
}

// text encodes the progress for counts. The scripts read the number of rows at its beginning.
func (p progress) text() string {
	return fmt.Sprintf("%d %d %x %x", p.rows, p.firstRows, p.firstSum, p.total)
}

func parseProgress(text string) (p progress, ok bool) {
	n, err := fmt.Sscanf(text, "%d %d %x %x", &p.rows, &p.firstRows, &p.firstSum, &p.total)
	return p, n == 4 && err == nil
}

// loadsIn returns the unfinished loads from the fields of counts.
func loadsIn(notes map[string]string) map[string]progress {
	all := make(map[string]progress)
	for field, value := range notes {
		load, found := strings.CutPrefix(field, progressNote)
		if p, ok := parseProgress(value); found && ok {
			all[load] = p
		}
	}
	return all
}
