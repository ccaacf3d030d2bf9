package main

import (
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The chart has a panel for each figure, one below the other. All measures are in pixels.
const (
	width     = 880
	margin    = 24
	barsAt    = 330 // left end of the bars
	barsWide  = 400
	rowHigh   = 26
	barHigh   = 16
	panelHead = 52
	panelGap  = 22
	noteHigh  = 18
)

// style has the colors of both schemes. The picture follows the reader's.
const style = `
  svg { --page: #fff; --ink: #1c2128; --soft: #57606a; --grid: #d8dee4; --ours: #0969da; --ours-redis: #80b6f4; --theirs: #8c959f; --theirs-redis: #cdd3d9 }
  @media (prefers-color-scheme: dark) {
    svg { --page: #0d1117; --ink: #e6edf3; --soft: #9198a1; --grid: #30363d; --ours: #4493f8; --ours-redis: #1f4e8c; --theirs: #7d8590; --theirs-redis: #444c56 }
  }
  .page { fill: var(--page) }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: var(--ink) }
  .title { font-size: 15px; font-weight: 600 }
  .note { font-size: 12px; fill: var(--soft) }
  .own { font-weight: 600 }
  .ours { fill: var(--ours) } .ours-redis { fill: var(--ours-redis) }
  .theirs { fill: var(--theirs) } .theirs-redis { fill: var(--theirs-redis) }
  .limit { fill: none; stroke: var(--theirs); stroke-dasharray: 3 2 }
  .range { stroke: var(--ink); stroke-width: 1.5 }
  .axis { stroke: var(--grid) }
`

// panel is one figure of all senders.
type panel struct {
	title, note string
	senders     []sender
	dark, light func(round) float64 // the parts of a bar; light may be nil
	text        func(sender) string // at its end
}

func panels(r *result) []panel {
	var all []panel
	for _, s := range r.Settings {
		all = append(all, panel{
			title: "CPU for one push: " + s.Name, note: "µs; the sender, and then Redis. Shorter is better.",
			senders: s.Senders, dark: cpu, light: redis, text: cpuText,
		})
	}
	last := r.Settings[len(r.Settings)-1]
	return append(all, panel{
		title: "Pushes a second: " + last.Name, note: "Simulator and Redis share the cores with the sender. Longer is better.",
		senders: last.Senders, dark: rate, text: func(s sender) string { return thousands(s.median(rate)) },
	})
}

// cpuText names both parts of a bar.
func cpuText(s sender) string {
	if s.usesRedis() {
		return fmt.Sprintf("%.1f + %.1f µs", s.median(cpu), s.median(redis))
	}
	return fmt.Sprintf("%.1f µs", s.median(cpu))
}

func (p panel) high() int { return panelHead + rowHigh*len(p.senders) + panelGap }

// draw returns the picture.
func draw(r *result) string {
	high := 2*margin + noteHigh
	for _, p := range panels(r) {
		high += p.high()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n", width, high, width, high)
	fmt.Fprintf(&b, "<title>%s</title>\n<style>%s</style>\n<rect class=\"page\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", "What a push costs: Fanfare's dispatcher against other senders", style, width, high)
	top := margin
	for _, p := range panels(r) {
		p.draw(&b, top)
		top += p.high()
	}
	rounds := len(r.Settings[0].Senders[0].Rounds)
	write(&b, margin, top+4, "note", fmt.Sprintf("Bars are medians of %d rounds, in which all senders took turns. Thin lines reach from the least round to the greatest.", rounds))
	write(&b, margin, top+22, "note", fmt.Sprintf("%s, %d cores of %s", r.At.Format("2 January 2006"), r.Machine.Cores, r.Machine.CPU))
	b.WriteString("</svg>\n")
	return b.String()
}

func (p panel) draw(b *strings.Builder, top int) {
	write(b, margin, top+14, "title", p.title)
	write(b, margin, top+34, "note", p.note)
	most := 0.0
	for _, s := range p.senders {
		most = max(most, p.part(s, p.dark)+p.part(s, p.light), slices.Max(s.values(p.dark)))
	}
	scale := barsWide / most
	top += panelHead
	fmt.Fprintf(b, "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", barsAt, top-2, barsAt, top+rowHigh*len(p.senders)-4)
	for i, s := range p.senders {
		p.row(b, s, top+i*rowHigh, scale)
	}
}

// part is the median of a part of a bar, 0 if the panel has no such part.
func (p panel) part(s sender, of func(round) float64) float64 {
	if of == nil {
		return 0
	}
	return s.median(of)
}

func (p panel) row(b *strings.Builder, s sender, top int, scale float64) {
	kind, label := "theirs", ""
	if s.Name == ours || s.Name == "lookup" {
		kind, label = "ours", "own"
	}
	write(b, margin, top+rowHigh/2+1, label, s.Label)
	dark, light := p.part(s, p.dark)*scale, p.part(s, p.light)*scale
	if s.Name == "floor" { // a limit, no competitor
		kind = "limit"
	}
	fmt.Fprintf(b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", kind, barsAt, top, dark, barHigh)
	if light > 0 {
		fmt.Fprintf(b, "<rect class=\"%s-redis\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", kind, barsAt+dark, top, light, barHigh)
	}
	least, greatest := slices.Min(s.values(p.dark))*scale, slices.Max(s.values(p.dark))*scale
	fmt.Fprintf(b, "<line class=\"range\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", barsAt+least, top+barHigh/2, barsAt+greatest, top+barHigh/2)
	write(b, barsAt+int(math.Max(dark+light, greatest))+8, top+rowHigh/2+1, label, p.text(s))
}

func write(b *strings.Builder, x, y int, class, text string) {
	fmt.Fprintf(b, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y)
	_ = xml.EscapeText(b, []byte(text)) // a builder takes all
	b.WriteString("</text>\n")
}
