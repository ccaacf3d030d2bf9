package main

import (
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// heldMark follows the state of a running campaign of which nothing moves.
const heldMark = ", held"

// stateColors are the colours of states. The word always stands beside its colour.
var stateColors = map[campaign.State]terminal.Color{
	campaign.Running:   terminal.Blue,
	campaign.Paused:    terminal.Yellow,
	campaign.Completed: terminal.Green,
	campaign.Expired:   terminal.DimRed,
	campaign.Cancelled: terminal.Grey,
	operator.Broken:    terminal.Red,
}

// stateColor returns the colour of a state as stateOf formats it.
func stateColor(state string) terminal.Color {
	if strings.HasSuffix(state, heldMark) {
		return terminal.Magenta
	}
	return stateColors[campaign.State(state)]
}

// painted returns the column with its cells in colours.
func (c column) painted(paint func(text string) terminal.Color) column {
	c.paint = paint
	return c
}
