package bounds_test

import (
	"fmt"
	"math"

	"fanfare/internal/bounds"
)

func ExampleMilli() {
	fmt.Println(bounds.Milli(math.MaxInt64).Year(), bounds.Milli(-1).Year())
	// Output: 9999 1970
}
