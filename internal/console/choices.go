package console

import (
	"cmp"
	"slices"

	"fanfare/internal/operator"
)

// choiceTable is what became of the recipients by one thing that was picked for them, with the sums
// of its rows.
type choiceTable struct {
	ID, Title, Label, Column string
	Weighted                 bool // it has a column of weights
	Rows                     []choiceRow
	Sum                      choiceRow
}

// choiceRow is one variant or language, or a group without one.
type choiceRow struct {
	Name, Weight string
	// Share is how many of the recipients were sent to.
	Share string
	operator.OutcomeSums
}

// choiceTablesOf returns the tables of variants and of languages, if the campaign has them.
func choiceTablesOf(c operator.Choices) []choiceTable {
	var tables []choiceTable
	if len(c.Variants) > 0 {
		t := choiceTable{ID: "var-h", Title: "Variants", Label: "Outcomes of each variant", Column: "Variant", Weighted: true, Sum: choiceRowOf("All", c.Ended)}
		for _, n := range c.Variants {
			t.Rows = append(t.Rows, variantRow(n))
		}
		tables = append(tables, t)
	}
	if len(c.Languages) > 0 {
		t := choiceTable{ID: "lang-h", Title: "Languages", Label: "Outcomes of each language", Column: "Language", Sum: choiceRowOf("All", c.Ended)}
		for _, n := range foldLanguages(c.Languages) {
			t.Rows = append(t.Rows, choiceRowOf(languageName(n), n.OutcomeSums))
		}
		if n := len(c.Languages) - len(t.Rows); n > 0 {
			t.Rows[len(t.Rows)-1].Name = operator.Thousands(n+1) + " others"
		}
		tables = append(tables, t)
	}
	return tables
}

func choiceRowOf(name string, n operator.OutcomeSums) choiceRow {
	return choiceRow{name, "", share(n.Sent, n.Recipients), n}
}

func variantRow(n operator.VariantCount) choiceRow {
	row := choiceRowOf(n.Name, n.OutcomeSums)
	switch {
	case n.HeldOut:
		row.Name = "Hold-out group"
	case n.Name == "":
		row.Name = "Neither: ended before"
	}
	row.Weight = "–"
	if n.Percent > 0 {
		row.Weight = operator.Thousands(n.Percent) + "%"
	}
	return row
}

// maxLanguages is how many languages a table lists. A message may have a hundred.
const maxLanguages = 12

// foldLanguages returns the largest languages in the order of the message, and the sum of the
// others as the last.
func foldLanguages(all []operator.LanguageCount) []operator.LanguageCount {
	if len(all) <= maxLanguages {
		return all
	}
	bySize := slices.Clone(all)
	slices.SortStableFunc(bySize, func(a, b operator.LanguageCount) int { return cmp.Compare(b.Recipients, a.Recipients) })
	largest := bySize[:maxLanguages-1]
	var shown []operator.LanguageCount
	var others operator.LanguageCount
	for _, n := range all {
		if slices.Contains(largest, n) {
			shown = append(shown, n)
			continue
		}
		others.Recipients += n.Recipients
		others.Sent += n.Sent
		others.Failed += n.Failed
		others.Others += n.Others
	}
	return append(shown, others)
}

func languageName(n operator.LanguageCount) string {
	switch {
	case n.None:
		return "None: no text was picked"
	case n.Locale == "":
		return "Base language"
	}
	return n.Locale
}
