package content

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"fanfare/internal/notification"
)

// The members beside "message" that give a message languages and variants.
const (
	memberLocales  = "locales"
	memberVariants = "variants"
	memberHoldout  = "holdout"
)

func isBesideMessage(member string) bool {
	return member == memberLocales || member == memberVariants || member == memberHoldout
}

// Limits of languages and variants, because all of their texts are compiled.
const (
	maxLocales  = 100
	maxVariants = 10
)

// patches are the patches for languages, by their names.
type patches map[string]*object

// variantSpec is one element of "variants".
type variantSpec struct {
	path    string
	name    string
	weight  uint64
	message *object
	locales patches
}

// choicesReader reads what is beside a message.
type choicesReader struct {
	reader

	base     *object
	names    []string
	tags     []language.Tag
	locales  patches
	variants []variantSpec
	holdout  uint64
}

// readChoices reads languages and variants, and compiles all of their texts. Faults are added to
// the reader's.
func readChoices(base *object, beside map[string]json.RawMessage) (*choices, notification.Faults) {
	r := &choicesReader{base: base}
	if raw, given := beside[memberLocales]; given {
		r.locales = r.readLocales(memberLocales, raw)
	}
	r.readHoldout(beside[memberHoldout])
	r.readVariants(beside[memberVariants])
	out := &choices{holdout: r.holdout, languages: newLanguages(r.names, r.tags)}
	for _, v := range r.variants {
		out.variants = append(out.variants, variant{name: v.name, weight: v.weight, texts: r.compileTexts(v)})
	}
	return out, r.faults
}

// readLocales reads an object of patches, and notes its languages.
func (r *choicesReader) readLocales(path string, raw json.RawMessage) patches {
	if raw[0] != '{' {
		r.addMismatch(path, "an object of patches by language", raw)
		return nil
	}
	out := patches{}
	eachMember(raw, func(name string, value json.RawMessage) {
		at := path + "." + name
		tag, ok := parseLocale(name)
		switch _, twice := out[name]; {
		case !ok:
			r.addFault(at, "is no language; write a BCP 47 tag such as pt or pt-BR")
		case twice || r.hasOtherSpelling(name, tag):
			r.addFault(at, "is given twice")
		default:
			out[name] = r.readMessagePatch(at, value)
			if !slices.Contains(r.names, name) {
				r.names, r.tags = append(r.names, name), append(r.tags, tag)
			}
		}
	})
	if len(r.names) > maxLocales {
		r.addFault(path, fmt.Sprintf("has %d languages, over %d", len(r.names), maxLocales))
	}
	return out
}

// hasOtherSpelling reports whether a language is known by another name, such as pt_BR for pt-BR.
func (r *choicesReader) hasOtherSpelling(name string, tag language.Tag) bool {
	at := slices.Index(r.tags, tag)
	return at >= 0 && r.names[at] != name
}

func (r *choicesReader) readMessagePatch(path string, raw json.RawMessage) *object {
	patch, is := r.readPatch(field{kind: record, members: messageSchema}, path, raw).(*object)
	if !is {
		r.addMismatch(path, "an object, the changes to the message", raw)
	}
	if _, isRequest := patch.get("message"); isRequest {
		r.addFault(path+".message", `is no field of a message: write the changes without "message" around them`)
		return nil
	}
	return patch
}

func (r *choicesReader) readHoldout(raw json.RawMessage) {
	if raw == nil {
		return
	}
	n, err := strconv.ParseUint(string(raw), 10, 8)
	if err != nil || n >= hundred {
		r.addMismatch(memberHoldout, "a whole number of percent below 100", raw)
		return
	}
	r.holdout = n
}

// readVariants reads the variants. Without any, there is one without a name.
func (r *choicesReader) readVariants(raw json.RawMessage) {
	if raw == nil {
		r.variants = []variantSpec{{weight: hundred - r.holdout}}
		return
	}
	if raw[0] != '[' {
		r.addMismatch(memberVariants, "a list", raw)
		return
	}
	sum, before := r.holdout, len(r.faults)
	eachElement(raw, func(i int, value json.RawMessage) {
		v := r.readVariant(fmt.Sprintf("%s[%d]", memberVariants, i), value)
		sum += v.weight
		r.variants = append(r.variants, v)
	})
	switch {
	case len(r.variants) > maxVariants:
		r.addFault(memberVariants, fmt.Sprintf("are %d, over %d", len(r.variants), maxVariants))
	case sum != hundred && len(r.faults) == before:
		r.addFault(memberVariants, fmt.Sprintf("have weights that add up to %d with the holdout of %d, not to 100", sum, r.holdout))
	}
}

var variantName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,32}$`)

func (r *choicesReader) readVariant(path string, raw json.RawMessage) variantSpec {
	v, before := variantSpec{path: path}, len(r.faults)
	if raw[0] != '{' {
		r.addMismatch(path, "an object", raw)
		return v
	}
	eachMember(raw, func(name string, value json.RawMessage) {
		at := path + "." + name
		switch name {
		case "name":
			v.name, _ = decodeString(value)
		case "weight":
			n, err := strconv.ParseUint(string(value), 10, 8)
			if v.weight = n; err != nil || n == 0 || n > hundred {
				r.addMismatch(at, "a whole number of percent", value)
			}
		case "message":
			v.message = r.readMessagePatch(at, value)
		case memberLocales:
			v.locales = r.readLocales(at, value)
		default:
			r.addFault(at, "is unknown; a variant has name, weight, message and locales")
		}
	})
	sameName := func(other variantSpec) bool { return other.name == v.name }
	switch {
	case !variantName.MatchString(v.name):
		r.addFault(path+".name", "must be 1 to 32 letters, digits, - or _")
	case slices.ContainsFunc(r.variants, sameName):
		r.addFault(path+".name", fmt.Sprintf("is %q, as that of another variant", v.name))
	case v.weight == 0 && len(r.faults) == before:
		r.addFault(path+".weight", "is missing")
	}
	return v
}

// compileTexts compiles a variant in the base language and in all others. The variant's own patch
// for a language comes last.
func (r *choicesReader) compileTexts(v variantSpec) []*Content {
	base := merge(r.base, v.message)
	texts := []*Content{r.compileText(v.path+".message", base)}
	for _, name := range r.names {
		path := memberLocales + "." + name
		if v.locales[name] != nil {
			path = v.path + "." + path
		}
		texts = append(texts, r.compileText(path, merge(merge(base, r.locales[name]), v.locales[name])))
	}
	return texts
}

// compileText checks a patched message. Its faults name the patch.
func (r *choicesReader) compileText(path string, message *object) *Content {
	c, err := compileSingle(appendNode(nil, message))
	for _, fault := range notification.FaultsOf(err) {
		if inside, is := strings.CutPrefix(fault.Field, root); is {
			fault.Field = path + inside
		} else {
			fault.Field = path + "." + fault.Field
		}
		if !slices.ContainsFunc(r.faults, func(f *notification.Fault) bool { return *f == *fault }) {
			r.faults = append(r.faults, fault)
		}
	}
	return c
}
