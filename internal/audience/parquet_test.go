package audience

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// writeParquet writes rows to a file, with a row group every groupRows.
func writeParquet[T any](t *testing.T, groupRows int, rows []T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "audience.parquet")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[T](file, parquet.MaxRowsPerRowGroup(int64(groupRows)))
	_, err = w.Write(rows)
	if err := errors.Join(err, w.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return name
}

// readFile reads a whole file as an audience.
func readFile(t *testing.T, name string) ([]string, []RowError, error) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return readAll(file, FormatOf(name))
}

// every kind of column that has a text form.
type everything struct {
	UserID  int64     `parquet:"user_id"`
	Token   *string   `parquet:"fcmToken,optional"`
	City    string    `parquet:"city,dict,snappy"`
	Bool    bool      `parquet:"bool"`
	Int     int32     `parquet:"int"`
	Uint    uint64    `parquet:"uint"`
	Uint32  uint32    `parquet:"uint32"`
	Float   float32   `parquet:"float"`
	Double  float64   `parquet:"double,zstd"`
	Day     int32     `parquet:"day,date"`
	At      int64     `parquet:"at,timestamp(millisecond)"`
	Local   int64     `parquet:"local,timestamp(microsecond:local)"`
	Time    int32     `parquet:"time,time(millisecond)"`
	Price   int64     `parquet:"price,decimal(2:18)"`
	Small   int32     `parquet:"small,decimal(1:9)"`
	Huge    [13]byte  `parquet:"huge,decimal(3:30)"`
	UUID    [16]byte  `parquet:"uuid,uuid"`
	Binary  []byte    `parquet:"binary"`
	Missing *int32    `parquet:"missing,optional"`
	JSON    string    `parquet:"json,json"`
	Enum    string    `parquet:"enum,enum"`
	Stamp   time.Time `parquet:"stamp,timestamp(nanosecond)"`
}

func TestParquetHasTheColumnsOfCSV(t *testing.T) {
	t.Parallel()
	at := time.Date(1969, 12, 31, 23, 59, 58, 500e6, time.UTC)
	token := "t1"
	row := everything{
		UserID: 9007199254740993, Token: &token, City: "Huế \"x\"", Bool: true, Int: -3, Uint: 1<<64 - 1, Uint32: 1<<32 - 1, Float: 0.1, Double: 1e21, Day: -1,
		At: at.UnixMilli(), Local: at.UnixMicro(), Time: int32(90*time.Minute/time.Millisecond) + 5, Price: -5, Small: 125, Binary: []byte("b"), JSON: "{}", Enum: "e", Stamp: at,
	}
	negative := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 8*uint(len(row.Huge))), big.NewInt(-12345))
	negative.FillBytes(row.Huge[:])
	for i := range row.UUID {
		row.UUID[i] = byte(i)
	}
	elements, rejected, err := readFile(t, writeParquet(t, 10, []everything{row, {}}))
	want := `{"userId":"9007199254740993","fcmToken":"t1","vars":{"at":"1969-12-31T23:59:58.5Z","binary":"b","bool":true,` +
		`"city":"Huế \"x\"","day":"1969-12-31","double":1000000000000000000000,"enum":"e","float":0.1,"huge":-12.345,"int":-3,"json":"{}",` +
		`"local":"1969-12-31T23:59:58.5","price":-0.05,"small":12.5,"stamp":"1969-12-31T23:59:58.5Z","time":"01:30:00.005","uint":18446744073709551615,"uint32":4294967295,` +
		`"uuid":"00010203-0405-0607-0809-0a0b0c0d0e0f"}}`
	if err != nil || len(rejected) > 0 || len(elements) != 2 || elements[0] != want {
		t.Errorf("got\n%s\nwant\n%s\nrejected %v, error %v", strings.Join(elements, "\n"), want, rejected, err)
	}
}

// What is no number in JSON stays a text.
func TestParquetNumbersThatJSONLacks(t *testing.T) {
	t.Parallel()
	type row struct {
		UserID string  `parquet:"userId"`
		Score  float64 `parquet:"score"`
		Rate   float32 `parquet:"rate"`
	}
	elements, rejected, err := readFile(t, writeParquet(t, 10, []row{{"u1", math.NaN(), 0.5}, {"u2", 2, float32(math.Inf(-1))}}))
	want := `{"userId":"u1","vars":{"rate":0.5,"score":"NaN"}}` + "\n" + `{"userId":"u2","vars":{"rate":"-Inf","score":2}}`
	if got := strings.Join(elements, "\n"); got != want || len(rejected) > 0 || err != nil {
		t.Errorf("got\n%s\nwant\n%s\nrejected %v, error %v", got, want, rejected, err)
	}
}

// A null is no value: the row does not take that of the row before.
func TestParquetNullsAreEmpty(t *testing.T) {
	t.Parallel()
	type reach struct {
		UserID string  `parquet:"userId"`
		Token  *string `parquet:"fcmToken,optional"`
	}
	token := "t1"
	elements, rejected, err := readFile(t, writeParquet(t, 10, []reach{{"u1", &token}, {"u2", nil}}))
	want := `{"userId":"u1","fcmToken":"t1"} {"userId":"u2"}`
	if got := strings.Join(elements, " "); got != want || len(rejected) > 0 || err != nil {
		t.Errorf("got %s, want %s; rejected %v, error %v", got, want, rejected, err)
	}
}

type person struct {
	UserID string `parquet:"userId"`
	City   string `parquet:"city,optional"`
}

func people(n int) []person {
	all := make([]person, n)
	for i := range all {
		all[i] = person{UserID: fmt.Sprint("u", i), City: "Hue"}
	}
	return all
}

// Rows of all groups come in their order, and a bad row is named.
func TestParquetRowsComeInOrder(t *testing.T) {
	t.Parallel()
	const n = 2500
	rows := people(n)
	rows[1700].UserID = " "
	rows[1800].City = "Malm\xf6"
	elements, rejected, err := readFile(t, writeParquet(t, 700, rows))
	if err != nil || len(elements) != n-2 || fmt.Sprint(rejected) != "[line 1701: userId is empty line 1801: city is not valid UTF-8]" {
		t.Fatalf("%d elements, rejected %v, error %v", len(elements), rejected, err)
	}
	if want := `{"userId":"u2499","vars":{"city":"Hue"}}`; elements[n-3] != want || elements[0] != `{"userId":"u0","vars":{"city":"Hue"}}` {
		t.Errorf("the first is %s, the last %s", elements[0], elements[n-3])
	}
}

func TestParquetThatIsNoAudience(t *testing.T) {
	t.Parallel()
	type list struct {
		UserID string   `parquet:"userId"`
		Tags   []string `parquet:"tags"`
	}
	type nested struct {
		UserID string `parquet:"userId"`
		Home   struct {
			City string `parquet:"city"`
		} `parquet:"home"`
	}
	type rounded struct {
		UserID float64 `parquet:"userId"`
	}
	type day struct {
		UserID string `parquet:"userId"`
		Zone   int32  `parquet:"time_zone,date"`
	}
	type fixed struct {
		UserID string  `parquet:"userId"`
		Hash   [5]byte `parquet:"hash"`
	}
	type unnamed struct {
		ID string `parquet:"id"`
	}
	whole, err := os.ReadFile(writeParquet(t, 10, people(100)))
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.parquet")
	if err := os.WriteFile(cut, whole[:len(whole)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "text.parquet")
	if err := os.WriteFile(other, []byte("userId\nu1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty.parquet")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, name := range map[string]string{
		"it is empty":                                         empty,
		"its column tags is a list":                           writeParquet(t, 1, []list{{}}),
		"its column home has fields of its own":               writeParquet(t, 1, []nested{{}}),
		"its column userId has the type DOUBLE: write it":     writeParquet(t, 1, []rounded{{}}),
		"its column time_zone has the type DATE: write it":    writeParquet(t, 1, []day{{}}),
		"its column hash has the type FIXED_LEN_BYTE_ARRAY":   writeParquet(t, 1, []fixed{{}}),
		`no column of its first line, "id", is called userId`: writeParquet(t, 1, []unnamed{{}}),
		"it is not Parquet, or cut off: invalid magic footer": cut,
		"it is not Parquet, or cut off: invalid magic header": other,
	} {
		_, _, err := readFile(t, name)
		if _, file := errors.AsType[*FileError](err); !file || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	_, _, err = readAll(io.LimitReader(bytes.NewReader(whole), 1<<30), CSV)
	if err == nil || !strings.Contains(err.Error(), "it is Parquet, which is read from its end: name the file") {
		t.Errorf("through a pipe: %v", err)
	}
}

// Whatever is broken inside a file, it is an error and not a panic.
func TestBrokenParquetIsAnError(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(writeParquet(t, 100, people(1000)))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "broken.parquet")
	failed := 0
	for at := 4; at < len(whole)-8; at += 7 {
		broken := bytes.Clone(whole)
		broken[at] ^= 0xff
		if err := os.WriteFile(name, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := readFile(t, name); err != nil {
			failed++
			if _, file := errors.AsType[*FileError](err); !file {
				t.Errorf("byte %d: %v is not an error of the file", at, err)
			}
		}
	}
	if failed == 0 {
		t.Error("no broken file was refused: this proves nothing")
	}
}

// However many rows a file has, few are in memory.
func TestParquetTakesLittleMemory(t *testing.T) {
	name := writeParquet(t, 100_000, people(400_000))
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := Open(file, Options{Format: Parquet})
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var peak uint64
	element := make([]byte, 0, 100)
	n := 0
	for ; err == nil; n++ {
		if _, err = rows.Next(element); n%100_000 == 50_000 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}
	if !errors.Is(err, io.EOF) || n != 400_001 {
		t.Errorf("%d rows, %v", n-1, err)
	}
	const most = 16 << 20
	if peak > before.HeapAlloc+most {
		t.Errorf("reading took %d MiB", (peak-before.HeapAlloc)>>20)
	}
}
