package tokens_test

import (
	"fmt"
	"sync"
)

const rounds = 300

// refreshedTokenSurvives: the application stores a new token while the answer to the old one arrives, and others look
// the user up in an SQL that still has the old one.
func refreshedTokenSurvives(b *rig) {
	lost := 0
	for round := range rounds {
		user, dead, fresh := fmt.Sprint("u", round), fmt.Sprint("old", round), fmt.Sprint("new", round)
		b.sql.rows[user] = dead
		if round%3 > 0 { // else only SQL has it
			b.set(user, dead)
		}
		together(
			func() { b.set(user, fresh) },
			func() { b.forget(user, dead) },
			func() { b.forget(user, dead) },
			func() { b.get(user) },
		)
		if b.held(user) != fresh || b.get(user) != fresh {
			lost++
		}
	}
	if lost > 0 {
		b.Errorf("%d of %d new tokens were lost", lost, rounds)
	}
}

// deadTokenStaysAway: nobody who read SQL before the proof writes the dead token back after it.
func deadTokenStaysAway(b *rig) {
	back := 0
	for round := range rounds {
		user, dead := fmt.Sprint("u", round), fmt.Sprint("old", round)
		b.sql.rows[user] = dead
		together(
			func() { b.get(user) },
			func() { b.forget(user, dead) },
			func() { b.get(user) },
		)
		if b.held(user) != "" || b.get(user) != "" {
			back++
		}
	}
	if back > 0 {
		b.Errorf("%d of %d dead tokens came back", back, rounds)
	}
}

// together starts all at the same moment and waits for all.
func together(acts ...func()) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for _, act := range acts {
		wg.Go(func() {
			<-start
			act()
		})
	}
	close(start)
	wg.Wait()
}
