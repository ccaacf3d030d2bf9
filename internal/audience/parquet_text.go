package audience

import (
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// formatValue writes a value of a column that is not null as CSV would have it.
type formatValue func(parquet.Value) string

// Kinds of columns that may hold more than vars. The name of any other kind is that of its type.
const (
	kindText    = "STRING"
	kindInteger = "INTEGER"
)

// isJSONKind reports whether values of a kind are JSON in vars, as an element of NDJSON has them.
func isJSONKind(kind string) bool {
	switch kind {
	case kindInteger, "BOOLEAN", "FLOAT", "DOUBLE", "DECIMAL":
		return true
	}
	return false
}

// formatOfType returns how values of a type are written, and the type's kind. The format is nil if
// the type has no text form.
func formatOfType(t parquet.Type) (formatValue, string) {
	if logical := t.LogicalType(); logical != nil && logical.Value != nil {
		if write, kind := formatOfLogical(logical.Value, t); kind != "" {
			return write, kind
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return func(v parquet.Value) string { return strconv.FormatBool(v.Boolean()) }, "BOOLEAN"
	case parquet.Int32, parquet.Int64:
		return formatInteger, kindInteger
	case parquet.Float:
		return func(v parquet.Value) string { return strconv.FormatFloat(float64(v.Float()), 'f', -1, 32) }, "FLOAT"
	case parquet.Double:
		return func(v parquet.Value) string { return strconv.FormatFloat(v.Double(), 'f', -1, 64) }, "DOUBLE"
	case parquet.ByteArray: // older writers do not say that it is text; each row is checked
		return func(v parquet.Value) string { return string(v.ByteArray()) }, kindText
	}
	return nil, t.String()
}

// formatOfLogical returns an empty kind for a type that is written as its physical one.
func formatOfLogical(logical format.LogicalTypeValue, t parquet.Type) (formatValue, string) {
	switch l := logical.(type) {
	case *format.IntType:
		if !l.IsSigned {
			return formatUnsigned, kindInteger
		}
	case *format.UUIDType:
		return formatUUID, kindText
	case *format.DateType:
		return func(v parquet.Value) string {
			return time.Unix(int64(v.Int32())*secondsOfDay, 0).UTC().Format(time.DateOnly)
		}, "DATE"
	case *format.TimestampType:
		return timestampFormat(l), "TIMESTAMP"
	case *format.TimeType:
		return timeFormat(l), "TIME"
	case *format.DecimalType:
		return decimalFormat(int(l.Scale)), "DECIMAL"
	case *format.BsonType, *format.VariantType, *format.GeometryType, *format.GeographyType, *format.Float16Type:
		return nil, t.String()
	}
	return nil, ""
}

const secondsOfDay = 24 * 60 * 60

func formatInteger(v parquet.Value) string {
	if v.Kind() == parquet.Int32 {
		return strconv.FormatInt(int64(v.Int32()), 10)
	}
	return strconv.FormatInt(v.Int64(), 10)
}

func formatUnsigned(v parquet.Value) string {
	if v.Kind() == parquet.Int32 {
		return strconv.FormatUint(uint64(v.Uint32()), 10)
	}
	return strconv.FormatUint(v.Uint64(), 10)
}

// formatUUID writes the form with hyphens (RFC 9562).
func formatUUID(v parquet.Value) string {
	text := hex.EncodeToString(v.ByteArray())
	if len(text) != 32 {
		return text
	}
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// timestampFormat writes RFC 3339. A local time has no zone.
func timestampFormat(t *format.TimestampType) formatValue {
	layout := time.RFC3339Nano
	if !t.IsAdjustedToUTC {
		layout = "2006-01-02T15:04:05.999999999"
	}
	perSecond := int64(time.Second / t.Unit.Value.Duration())
	return func(v parquet.Value) string {
		n := v.Int64()
		seconds, rest := n/perSecond, n%perSecond
		return time.Unix(seconds, rest*int64(t.Unit.Value.Duration())).UTC().Format(layout)
	}
}

// timeFormat writes a time of day.
func timeFormat(t *format.TimeType) formatValue {
	return func(v parquet.Value) string {
		n := v.Int64()
		if v.Kind() == parquet.Int32 {
			n = int64(v.Int32())
		}
		return time.Unix(0, n*int64(t.Unit.Value.Duration())).UTC().Format("15:04:05.999999999")
	}
}

// decimalFormat writes all digits of a scale.
func decimalFormat(scale int) formatValue {
	return func(v parquet.Value) string {
		if k := v.Kind(); k == parquet.Int32 || k == parquet.Int64 {
			return placePoint(formatInteger(v), scale)
		}
		raw := v.ByteArray() // two's complement, the highest byte first
		n := new(big.Int).SetBytes(raw)
		if len(raw) > 0 && raw[0]&0x80 != 0 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
		}
		return placePoint(n.String(), scale)
	}
}

// placePoint puts a decimal point before the last scale digits.
func placePoint(digits string, scale int) string {
	if scale <= 0 {
		return digits
	}
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - scale
	return sign + digits[:point] + "." + digits[point:]
}
