package main

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"time"
)

// The measures of the picture, in pixels. charWidth is enforced with textLength, whatever font
// there is.
const (
	charWidth  = 8.4
	lineHeight = 19
	margin     = 18
	header     = 34
	lead       = 900 * time.Millisecond // how long the prompt stands alone
	hold       = 6 * time.Second        // how long the last picture stays
)

// style has a dark terminal, and a light one for readers that prefer it. Without animation all rows
// show their last state.
const style = `
.back{fill:#16181d;stroke:#3a3f4b}.dot{fill:#4b5160}text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d7dae0;white-space:pre}
.b{font-weight:700;fill:#fff}.p{fill:#7ec699}.full{fill:#7ec699}.empty{fill:#3a3f4b}.rule{fill:#5b6270}.gone{visibility:hidden}
@media(prefers-color-scheme:light){.back{fill:#fbfbfc;stroke:#c9ccd3}.dot{fill:#c9ccd3}text{fill:#2b2f38}.b{fill:#000}.p{fill:#1c7c43}.full{fill:#2c9a5b}.empty{fill:#dcdfe5}.rule{fill:#a3a8b3}}
@media(prefers-reduced-motion:reduce){g{animation:none!important}}
`

// draw makes an SVG that repeats the recording for ever and loads nothing.
func draw(command string, frames []frame) []byte {
	var rows int
	var end time.Duration
	for _, f := range frames {
		rows, end = max(rows, f.row+1), max(end, f.from)
	}
	total := lead + end + hold
	width, height := 2*margin+columns*charWidth, header+(rows+1)*lineHeight+margin
	var b, keys bytes.Buffer
	for i, f := range frames {
		class := ""
		if f.to > 0 {
			class = ` class="gone"`
		}
		fmt.Fprintf(&keys, "@keyframes k%d{0%%{visibility:hidden}%s{visibility:visible}", i, percent(lead+f.from, total))
		if f.to > 0 {
			fmt.Fprintf(&keys, "%s{visibility:hidden}", percent(lead+f.to, total))
		}
		keys.WriteString("}\n")
		fmt.Fprintf(&b, "<g%s style=\"animation:k%d %.1fs step-end infinite\">", class, i, total.Seconds())
		drawRow(&b, f.row+1, f.cells)
		b.WriteString("</g>\n")
	}
	var svg bytes.Buffer
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" width="%.0f" height="%d" role="img" aria-label="A recording of %s">`,
		width, height, width, height, html.EscapeString(command))
	fmt.Fprintf(&svg, "\n<style>%s%s</style>\n", style, keys.String())
	fmt.Fprintf(&svg, "<rect class=\"back\" x=\".5\" y=\".5\" width=\"%.0f\" height=\"%d\" rx=\"8\"/>\n", width-1, height-1)
	for i := range 3 {
		fmt.Fprintf(&svg, "<circle class=\"dot\" cx=\"%d\" cy=\"17\" r=\"5\"/>\n", margin+5+i*18)
	}
	fmt.Fprintf(&svg, "<text x=\"%d\" y=\"%d\"><tspan class=\"p\">$</tspan> <tspan class=\"b\">%s</tspan></text>\n",
		margin, header+lineHeight-5, html.EscapeString(command))
	svg.Write(b.Bytes())
	svg.WriteString("</svg>\n")
	return svg.Bytes()
}

func percent(at, total time.Duration) string {
	return fmt.Sprintf("%.2f%%", 100*at.Seconds()/total.Seconds())
}

// shapes are the characters that fonts draw in different widths. They become rectangles: class, y
// and height.
var shapes = map[rune]struct {
	class     string
	y, height float64
}{
	'█': {"full", 2, lineHeight - 5},
	'░': {"empty", 2, lineHeight - 5},
	'─': {"rule", lineHeight / 2, 1},
}

// drawRow draws runs of cells that look alike.
func drawRow(b *bytes.Buffer, row int, cells []cell) {
	top := float64(header + row*lineHeight)
	for start := 0; start < len(cells); {
		end := start + 1
		shape, isShape := shapes[cells[start].char]
		for end < len(cells) && alike(cells[start], cells[end]) {
			end++
		}
		x, width := margin+float64(start)*charWidth, float64(end-start)*charWidth
		if isShape {
			fmt.Fprintf(b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`,
				shape.class, x, top+shape.y, width, shape.height)
		} else {
			drawText(b, x, top+lineHeight-5, cells[start:end])
		}
		start = end
	}
}

// alike reports whether two cells belong to one run.
func alike(a, b cell) bool {
	_, shapeA := shapes[a.char]
	_, shapeB := shapes[b.char]
	return a.bold == b.bold && shapeA == shapeB && (!shapeA || a.char == b.char)
}

// drawText leaves out blanks at both ends, which some readers of SVG drop.
func drawText(b *bytes.Buffer, x, y float64, cells []cell) {
	var text strings.Builder
	for _, c := range cells {
		text.WriteRune(c.char)
	}
	trimmed := strings.TrimLeft(text.String(), " ")
	x += float64(text.Len()-len(trimmed)) * charWidth
	trimmed = strings.TrimRight(trimmed, " ")
	if trimmed == "" {
		return
	}
	class := ""
	if cells[0].bold {
		class = ` class="b"`
	}
	fmt.Fprintf(b, `<text%s x="%.1f" y="%.1f" textLength="%.1f">%s</text>`,
		class, x, y, float64(len([]rune(trimmed)))*charWidth, html.EscapeString(trimmed))
}
