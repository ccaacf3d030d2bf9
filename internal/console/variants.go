package console

import (
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// variantsTable is what became of each variant, with the sums of its rows.
type variantsTable struct {
	Rows                             []variantRow
	Recipients, Sent, Failed, Others int64
}

// variantRow is one variant, the hold-out group, or the recipients of neither.
type variantRow struct {
	Name, Weight string
	// Share is how many of the variant's recipients were sent to.
	Share                            string
	Recipients, Sent, Failed, Others int64
}

// variantsOf returns nil for a campaign without variants and hold-out group.
func variantsOf(v operator.View) *variantsTable {
	all := v.Variants()
	if len(all) == 0 {
		return nil
	}
	var out variantsTable
	for _, n := range all {
		row := variantRow{n.Name, "–", share(n.Sent, n.Recipients), n.Recipients, n.Sent, n.Failed, n.Others}
		switch {
		case n.HeldOut:
			row.Name = "Hold-out group"
		case n.Name == "":
			row.Name = "Neither: ended before"
		}
		if n.Percent > 0 {
			row.Weight = operator.Thousands(n.Percent) + "%"
		}
		out.Rows = append(out.Rows, row)
		out.Recipients += n.Recipients
		out.Sent += n.Sent
		out.Failed += n.Failed
		out.Others += n.Others
	}
	return &out
}

// deviceSum is the equation of the devices of all ended recipients.
type deviceSum struct {
	Total    int64
	Equation []term
	Balanced bool
}

// deviceSumOf returns nil if no recipient had several devices.
func deviceSumOf(d *campaign.DeviceBooks) *deviceSum {
	if d == nil {
		return nil
	}
	out := &deviceSum{Total: d.Total, Balanced: d.IsBalanced()}
	for _, t := range []term{{d.Sent, "sent"}, {d.Failed, "failed"}, {d.Skipped, "skipped"}, {d.Expired, "expired"}, {d.Unknown, "unknown"}} {
		if t.N > 0 {
			out.Equation = append(out.Equation, t)
		}
	}
	return out
}

// languagesOf lists the languages beside that of the base message; "" if there are none.
func languagesOf(v operator.View) string { return strings.Join(v.Languages(), ", ") }
