package console

import (
	"cmp"
	"slices"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// stage is a step of the funnel: how many came here, and who did not.
type stage struct {
	Name  string
	N     int64
	Share string // of what was loaded; "" for the first stage
	Lost  []count
	Zoom  []loss // Lost, each with its bar
	Sum   int64  // of Lost
	Good  bool   // drawn as sent
	Last  bool
	// Unknown says that N is not known, and why. Such a stage has no height.
	Unknown string

	// Geometry in a box of 200 by 80.
	Base, Height, LostAt, LostHeight float64
	LostClass                        string
}

// loss is one of a stage's losses with its bar.
type loss struct {
	count

	Bar bar
}

const funnelHeight = 80.0

// draw sets the geometry on a scale on which all is what was loaded.
func (s *stage) draw(all int64) {
	if all == 0 {
		s.Base = funnelHeight
		return
	}
	s.Height = funnelHeight * float64(s.N) / float64(all)
	s.Base = funnelHeight - s.Height
	if s.Sum > 0 {
		s.LostHeight = max(2, funnelHeight*float64(s.Sum)/float64(all)-1)
		s.LostAt = max(0, s.Base-s.LostHeight-1)
	}
}

// Join is the height of the line to the next stage.
func (s stage) Join() float64 { return s.Base + 0.5 }

// funnelOf follows the recipients from the list to SQL. Each stage is the one before it, less its
// losses.
func funnelOf(c *Campaign, inSQL *written) []stage {
	b := c.Books
	pushed, accepted := lossesOf(b)
	stages := []stage{
		{Name: "Loaded", N: b.Loaded},
		{Name: "Claimed", Lost: nonZero(count{"waiting in the list", "", "", b.Waiting}, count{"missing", "is-broken", "", b.Missing})},
		{Name: "Pushed", Lost: append(nonZero(count{"retrying", "is-paused", "", b.Retrying}, count{"in flight", "is-running", "", b.InFlight}), pushed...)},
		{Name: "Accepted", Lost: accepted, Good: true},
	}
	switch {
	case inSQL == nil:
	case inSQL.Problem != "":
		stages = append(stages, stage{Name: "Written to SQL", Unknown: "SQL does not answer"})
	default:
		stages = append(stages, stage{Name: "Written to SQL", Lost: nonZero(count{"on the way to SQL", "", "", b.Sent - inSQL.Sent}), Good: true})
	}
	for i := range stages {
		s := &stages[i]
		for _, lost := range s.Lost {
			s.Sum += lost.N
		}
		if i > 0 {
			s.N = stages[i-1].N - s.Sum
			s.Share = share(s.N, b.Loaded)
		}
		s.LostClass = lossClass(s.Lost)
		s.Last = i == len(stages)-1
		if s.Unknown == "" {
			s.draw(b.Loaded)
		}
	}
	lossBars(stages)
	return stages
}

func lossClass(lost []count) string {
	largest := count{}
	for _, l := range lost {
		if l.N > largest.N {
			largest = l
		}
	}
	return largest.State
}

func nonZero(all ...count) []count {
	return slices.DeleteFunc(all, func(c count) bool { return c.N == 0 })
}

// lossesOf are the codes of those who ended without a push, and of those whose push was not
// accepted. Rare ones are one line each.
func lossesOf(b campaign.Books) (unpushed, refused []count) {
	for label, n := range b.Codes {
		status, name, _ := strings.Cut(label, ":")
		switch status {
		case "skipped":
			unpushed = append(unpushed, count{name, "is-cancelled", "", n})
		case "expired":
			unpushed = append(unpushed, count{name, "is-expired", "", n})
		case "failed":
			refused = append(refused, count{name, "is-broken", "", n})
		case "unknown":
			refused = append(refused, count{name, "is-held", "", n})
		}
	}
	return largest(unpushed), largest(refused)
}

// lossLines is how many codes the funnel names; the rest is one line.
const lossLines = 5

func largest(all []count) []count {
	slices.SortFunc(all, func(a, b count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	if len(all) <= lossLines {
		return all
	}
	rest := count{Name: "other codes", State: all[lossLines-1].State}
	for _, c := range all[lossLines-1:] {
		rest.N += c.N
	}
	return append(slices.Clone(all[:lossLines-1]), rest)
}

// code is why recipients were not delivered to.
type code struct {
	Name, State, Share string
	Meaning            string // of a code that people decided on; "" for others
	N                  int64
	Bar                bar
}

// meaningsOfSkips say why recipients get no push, by codes that are not FCM's.
var meaningsOfSkips = map[string]string{
	notification.CodeCapped:     "as many pushes as the caps allow",
	notification.CodeDuplicate:  "sent for another element",
	notification.CodeHoldout:    "held out, as the campaign wants",
	notification.CodeSuppressed: "gets no push from any campaign",
	notification.CodeNoToken:    "no device is known",
	notification.CodeUnfilled:   "a placeholder has no value",
}

func codesOf(b campaign.Books) (all []code, lost int64) {
	fills := map[string]struct{ state, fill string }{
		"failed": {"is-broken", "f-failed"}, "skipped": {"is-cancelled", "f-skipped"}, "expired": {"is-expired", "f-expired"}, "unknown": {"is-held", "f-unknown"},
	}
	most := int64(0)
	for label, n := range b.Codes {
		if status, _, _ := strings.Cut(label, ":"); status != "sent" {
			most = max(most, n)
		}
	}
	for label, n := range b.Codes {
		status, name, _ := strings.Cut(label, ":")
		look, ok := fills[status]
		if !ok {
			continue
		}
		lost += n
		all = append(all, code{name, look.state, share(n, b.CountEnded()), meaningsOfSkips[name], n, barTo(look.fill, name+": "+operator.Thousands(n), n, most)})
	}
	slices.SortFunc(all, func(a, b code) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	return all, lost
}
