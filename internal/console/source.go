package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// The kinds of a source in a form. The third is none, "".
const (
	sourceFiles = "files"
	sourceQuery = "query"
)

// sourceField is the field of a spec, and of a form, that says where an audience comes from.
const sourceField = "source"

// sourceForm are the fields of a form for a campaign's source.
type sourceForm struct {
	campaign.Source

	Kind    string
	Lines   string // the files, one a line
	Formats []string
	// Partly is how much of it is loaded, if not all is: another source replaces it only if the
	// rest is given up.
	Partly *campaign.SourceProgress
}

func sourceFormOf(s campaign.Source) sourceForm {
	f := sourceForm{Source: s, Lines: strings.Join(s.Files, "\n"), Formats: campaign.SourceFormats}
	switch {
	case s.Query != "":
		f.Kind = sourceQuery
	case len(s.Files) > 0:
		f.Kind = sourceFiles
	}
	return f
}

// sourceOf reads the source in a form. Only the fields of its kind count: the others are hidden,
// and keep what was typed. The error is that of the commands, and follows the word "source".
func sourceOf(form url.Values) (campaign.Source, error) {
	value := func(name string) string { return strings.TrimSpace(form.Get(sourceField + "_" + name)) }
	s := campaign.Source{Where: value("where")}
	switch form.Get(sourceField) {
	case "":
		return campaign.Source{}, nil
	case sourceFiles:
		for line := range strings.Lines(form.Get(sourceField + "_files")) {
			if name := strings.TrimSpace(line); name != "" {
				s.Files = append(s.Files, name)
			}
		}
		s.Format, s.Separator = value("format"), value("separator")
		if len(s.Files) == 0 {
			return s, errors.New("has no file: write the path of one")
		}
	case sourceQuery:
		s.Query, s.Key = value("query"), value("key")
		if s.Query == "" {
			return s, errors.New("has no query: write a SELECT")
		}
	default:
		return s, errors.New("is of no known kind")
	}
	return s, s.Validate()
}

// longestSource is how much of a source the page of a campaign shows, in bytes.
const longestSource = 160

// sourceFact says where an audience comes from. For those who operate it leads to where that can
// change.
func (c *Console) sourceFact(v operator.View, operate bool) []fact {
	if v.Spec.Source.IsZero() {
		return nil
	}
	f := fact{Label: "Source", Value: clip(operator.DescribeSource(v.Spec.Source), longestSource), After: ", " + v.SourceProgress()}
	if operate {
		f.URL = c.campaignURL(v.Spec.ID) + "/audience"
	}
	return []fact{f}
}

// changeSource sets the source of a campaign, or removes it. The rest of one that is loaded in part
// is given up only if the form says so.
func (c *Console) changeSource(r *http.Request) (done, error) {
	id := r.PathValue("id")
	source, err := sourceOf(r.PostForm)
	if err != nil {
		return done{}, &inputError{"The source " + err.Error() + "."}
	}
	err = c.deps.System.Change(r.Context(), id, campaign.Change{Source: &source, Partial: r.PostForm.Get("partial") != ""})
	if refused, ok := errors.AsType[*campaign.SpecError](err); ok && refused.Field == sourceField {
		return done{}, &inputError{"The source " + refused.Problem + "."}
	}
	if source.IsZero() || err != nil {
		return done{Message: "Removed the source of " + id + "."}, err
	}
	view, err := c.deps.System.Show(r.Context(), id)
	return done{Message: "Saved the source of " + id + ". Load it with " + view.Books.LoadCommand(view.Spec) + "."}, err
}
