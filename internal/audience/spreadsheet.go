package audience

import (
	"regexp"
	"strings"
)

// scientific matches a number in scientific notation, such as 1.23457E+14. It requires a sign, a
// point, or the short form 1E5, because a hexadecimal id may be digits around an E.
var scientific = regexp.MustCompile(`^[+-]?([0-9]+[eE][+-][0-9]+|([0-9]+[.,][0-9]*|[.,][0-9]+)[eE][+-]?[0-9]+|[0-9][eE][0-9]{1,3})$`)

// cellError matches what spreadsheets export for a formula that failed, in any language: #REF! is
// #BEZUG! in German and #¡REF! in Spanish. The forms of "not available" have no mark at their end.
var cellError = regexp.MustCompile(`^#(¡?[\p{Lu}0-9/_. ]+[!?]|N/A|N/D|N\.V\.|NV|NB|I/T|YOK|HIÁNYZIK|Н/Д)$`)

// formulaAdvice says what to do about ="00123", with which a spreadsheet keeps zeros. It is not
// read as 00123: no cell is repaired silently, and the quotes may be meant.
const formulaAdvice = `write 00123 in place of ="00123", by formatting the column as text before the export`

// isTextFormula reports whether a cell is a formula whose value is a text, such as ="00123".
func isTextFormula(cell string) bool {
	return len(cell) > 2 && cell[0] == '=' && cell[1] == '"' && cell[len(cell)-1] == '"'
}

// spreadsheetProblem says how a spreadsheet has destroyed an id; "" if it has not. Spreadsheets
// round long numbers, and their last digits are lost.
func spreadsheetProblem(id string) string {
	switch {
	case id == "" || id[0] > '9': // most ids need no closer look
		return ""
	case strings.ContainsAny(id, "eE") && scientific.MatchString(id):
		return "userId " + id + " was rounded by a spreadsheet: format its column as text, and export it again"
	case id[0] == '#' && cellError.MatchString(id):
		return "userId " + id + " is a spreadsheet's error: repair the formula of this cell, and export it again"
	}
	return ""
}
