// Command floor sends the requests with as little work as HTTP/2 over TLS allows: one writer and
// one reader for each connection, and all requests that have room in one write. It has no queue, no
// deadlines, no retries, and gives up at the first thing it does not expect.
package main

import (
	"sync"

	"fanfare/test/bench/peers/internal/job"
)

func main() {
	j := job.Read()
	j.End(run(j))
}

func run(j *job.Job) error {
	conns := make([]*conn, j.Connections())
	for i := range conns {
		var err error
		if conns[i], err = dial(j, (j.InFlight+i)/len(conns)); err != nil {
			return err
		}
	}
	var group sync.WaitGroup
	errs := make([]error, len(conns))
	for i, c := range conns {
		group.Go(func() { errs[i] = c.read() })
		group.Go(func() { c.write(j) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
