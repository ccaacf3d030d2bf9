package config

import "fmt"

// limitError is the verdict on a value of the right kind that is too small or too large.
type limitError struct{ word, limit string }

func (e *limitError) Error() string { return fmt.Sprintf("is %s %s", e.word, e.limit) }

func (k Key) checkLimits(n int64) error {
	if k.min != "" && n < k.limit(k.min) {
		return &limitError{"below", k.min}
	}
	if k.max != "" && n > k.limit(k.max) {
		return &limitError{"above", k.max}
	}
	return nil
}

// limit reads a bound from the struct tags, with the key's own syntax.
func (k Key) limit(text string) int64 {
	bound := k
	bound.min, bound.max = "", ""
	value, err := bound.parse(text)
	if err != nil {
		panic(fmt.Sprintf("config: the limit %q of %s cannot be read", text, k.Name))
	}
	return value.Int()
}
