package audience

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// readAll reads a whole audience: its elements, and the rejected lines.
func readAll(r io.Reader, format Format) (elements []string, rejected []RowError, err error) {
	rows, err := Open(r, Options{Format: format})
	for err == nil {
		var element []byte
		element, err = rows.Next(nil)
		row, isRow := errors.AsType[RowError](err)
		switch {
		case isRow:
			rejected, err = append(rejected, row), nil
		case err == nil:
			elements = append(elements, string(element))
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return elements, rejected, err
}

func TestAudiencesAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		format Format
		text   string
		want   string // the elements, one per line
	}{
		"all columns": {CSV, "userId,fcmToken,locale,timeZone,platform,city\nu1,t1,pt-BR,Asia/Saigon,ios,Hue\n",
			`{"userId":"u1","fcmToken":"t1","vars":{"city":"Hue"},"locale":"pt-BR","timeZone":"Asia/Saigon","platform":"ios"}`},
		"only users":                {CSV, "userId\nu1\nu2", `{"userId":"u1"}` + "\n" + `{"userId":"u2"}`},
		"other spellings":           {CSV, "City,TOKEN,user_id,time_zone\nHue,t1,u1,UTC", `{"userId":"u1","fcmToken":"t1","vars":{"City":"Hue"},"timeZone":"UTC"}`},
		"empty fields":              {CSV, "userId,fcmToken,city,name\nu1,,,Ann", `{"userId":"u1","vars":{"name":"Ann"}}`},
		"byte order mark":           {CSV, "\xef\xbb\xbfuserId,fcmToken\nu1,t1", `{"userId":"u1","fcmToken":"t1"}`},
		"CRLF and blank lines":      {CSV, "userId,city\r\n\r\nu1,Hue\r\n\r\n", `{"userId":"u1","vars":{"city":"Hue"}}`},
		"address and tag":           {CSV, "userId,fid,tag,FID2\nu1,f1,order-17,x", `{"userId":"u1","fid":"f1","vars":{"FID2":"x"},"tag":"order-17"}`},
		"installation ID and token": {CSV, "userId,fcmToken,fid\nu1,f1:t,f1\nu2,t2,", `{"userId":"u1","devices":[{"fid":"f1"},{"token":"f1:t"}]}` + "\n" + `{"userId":"u2","fcmToken":"t2"}`},
		"spaces around names":       {CSV, "userId,platform,locale,timeZone\nu1, ios , pt-BR , UTC ", `{"userId":"u1","locale":"pt-BR","timeZone":"UTC","platform":"ios"}`},
		"spaces around ids":         {CSV, "userId , fcmToken\n u1 , t1 ", `{"userId":"u1","fcmToken":"t1"}`},
		"quotes":                    {CSV, "userId,city\nu1,\"\"\"New\"\" Delhi, IN\"", `{"userId":"u1","vars":{"city":"\"New\" Delhi, IN"}}`},
		"a field of several lines":  {CSV, "userId,text\nu1,\"a\nb\"", `{"userId":"u1","vars":{"text":"a\nb"}}`},
		"digits stay as they are":   {CSV, "userId\n0012345678901234567890", `{"userId":"0012345678901234567890"}`},
		"a backslash":               {CSV, "userId,path\nu1,C:\\new", `{"userId":"u1","vars":{"path":"C:\\new"}}`},
		"semicolons":                {CSV, "userId;fcmToken;city\n1;tok-1;Köln\n2;tok-2;\"New\nYork, \"\"NY\"\"\"", `{"userId":"1","fcmToken":"tok-1","vars":{"city":"Köln"}}` + "\n" + `{"userId":"2","fcmToken":"tok-2","vars":{"city":"New\nYork, \"NY\""}}`},
		"tabs":                      {CSV, "city\tuserId\nHue, Vietnam\tu1", `{"userId":"u1","vars":{"city":"Hue, Vietnam"}}`},
		"bars":                      {CSV, "userId|city\r\nu1|a;b", `{"userId":"u1","vars":{"city":"a;b"}}`},
		"commas before semicolons":  {CSV, "userId,\"a;b;c\"\nu1,x", `{"userId":"u1","vars":{"a;b;c":"x"}}`},
		"semicolons after a gap":    {CSV, "\r\n\nuserId;a,b\nu1;x", `{"userId":"u1","vars":{"a,b":"x"}}`},
		"spaces around vars":        {CSV, "userId, city ,lang\nu1,Hue,vi", `{"userId":"u1","vars":{"city":"Hue","lang":"vi"}}`},
		"other formulas":            {CSV, "userId;a;b;c\nu1;\"=\"\"1\"\"+A1\";=A1;\"x\"\"1\"\"\"", `{"userId":"u1","vars":{"a":"=\"1\"+A1","b":"=A1","c":"x\"1\""}}`},
		"a header of two lines":     {CSV, "\"first\nname\";userId\nAnn;u1", `{"userId":"u1","vars":{"first\u000aname":"Ann"}}`},
		"Excel's own line":          {CSV, "\xef\xbb\xbfsep=;\r\nuserId;a,b\r\nu1;x", `{"userId":"u1","vars":{"a,b":"x"}}`},
		"ids with an E":             {CSV, "userId\n1E5678\n12E5\nE+14\n1E+\n1F+14\n1E5a\n1.2.3", lines(`{"userId":"1E5678"}`, `{"userId":"12E5"}`, `{"userId":"E+14"}`, `{"userId":"1E+"}`, `{"userId":"1F+14"}`, `{"userId":"1E5a"}`, `{"userId":"1.2.3"}`)},
		"decorated tokens":          {CSV, "userId,fcmToken\nu1,\" \ufefft1\t\"\nu2,\"\"\"t2\"\"\"\nu3,a b", lines(`{"userId":"u1","fcmToken":"t1"}`, `{"userId":"u2","fcmToken":"t2"}`, `{"userId":"u3","fcmToken":"a b"}`)},
		"a token as an ID":          {CSV, "userId,fid\nu1,abc:token\nu2,two words", lines(`{"userId":"u1","fid":"abc:token"}`, `{"userId":"u2","fcmToken":"two words"}`)},
		"addresses of two phones":   {CSV, "userId,fid,fcmToken\nu1,abc,def:token", `{"userId":"u1","devices":[{"fid":"abc"},{"token":"def:token"}]}`},
		"a JSON array":              {NDJSON, " [{\"userId\":\"1\",\"fcmToken\":\"tok-1\"},\n {\"userId\":\"2\"}]\n", lines(`{"userId":"1","fcmToken":"tok-1"}`, `{"userId":"2"}`)},
		"one that is indented":      {NDJSON, "[\n  {\n    \"userId\" : 7,\n    \"vars\": {\"a\": \"]}, \\\"{\"}\n  },\n]", `{"userId":7,"vars":{"a":"]}, \"{"}}`},
		"one with much white space": {NDJSON, "\r\n\t [\t\r\n {\"userId\":\"1\"}\t,\r\t{\"userId\":\"2\"}\t\r\n ]\t\r\n ", lines(`{"userId":"1"}`, `{"userId":"2"}`)},
		"text that is JSON":         {Sniffed, "\n{\"userId\":\"u1\"}", `{"userId":"u1"}`},
		"text that is an array":     {Sniffed, "[{\"userId\":\"u1\"}]", `{"userId":"u1"}`},
		"text that is CSV":          {Sniffed, "userId\tcity\nu1\tHue", `{"userId":"u1","vars":{"city":"Hue"}}`},
		"UTF-16":                    {CSV, utf16("\ufeffuserId\tcity\r\nu1\tHuế 🎈", false), `{"userId":"u1","vars":{"city":"Huế 🎈"}}`},
		"UTF-16 of the other kind":  {CSV, utf16("\ufeffuserId,city\nu1,Huế", true), `{"userId":"u1","vars":{"city":"Huế"}}`},
		"UTF-16 without a mark":     {NDJSON, utf16(`{"userId":"ü"}`, false), `{"userId":"ü"}`},
		"UTF-16 likewise":           {NDJSON, utf16(`{"userId":"ü"}`, true), `{"userId":"ü"}`},
		"gzip":                      {CSV, gzipped("userId\nu1") + gzipped("\nu2"), lines(`{"userId":"u1"}`, `{"userId":"u2"}`)},
		"zstd":                      {NDJSON, zstandard(`[{"userId":"u1"}]`), `{"userId":"u1"}`},
		"a frame of other data":     {NDJSON, "\x50\x2a\x4d\x18\x01\x00\x00\x00x" + zstandard(`{"userId":"u1"}`), `{"userId":"u1"}`},
		"the last kind of frame":    {NDJSON, "\x5f\x2a\x4d\x18\x01\x00\x00\x00x" + zstandard(`{"userId":"u1"}`), `{"userId":"u1"}`},
		"all at once":               {Sniffed, zstandard(gzipped(utf16("\ufeffuserId;city\nu1;Hue", false))), `{"userId":"u1","vars":{"city":"Hue"}}`},
		"lines as they stand":       {NDJSON, `{"userId": 7, "other": [1]}`, `{"userId": 7, "other": [1]}`},
		"NDJSON with mark and CRLF": {NDJSON, "\xef\xbb\xbf{\"userId\":\"u1\"}\r\n\r\n  {\"userId\":\"u2\"}\r\n", `{"userId":"u1"}` + "\n" + `{"userId":"u2"}`},
	} {
		elements, rejected, err := readAll(strings.NewReader(c.text), c.format)
		if got := strings.Join(elements, "\n"); got != c.want || len(rejected) > 0 || err != nil {
			t.Errorf("%s: got\n%s\nwant\n%s\nrejected %v, error %v", name, got, c.want, rejected, err)
		}
	}
}

// A line may be longer than the read buffer if the limit of an element is.
func TestLongLinesAreReadUpToTheLimit(t *testing.T) {
	t.Parallel()
	const limit = 2 * readAhead
	for size, want := range map[int]int{readAhead + 100: 2, limit + 100: 1} {
		text := `{"userId":"u1","vars":{"a":"` + strings.Repeat("x", size) + "\"}}\n" + `{"userId":"u2"}`
		rows, err := Open(strings.NewReader(text), Options{Format: NDJSON, MaxElement: limit})
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		for !errors.Is(err, io.EOF) {
			if _, err = rows.Next(nil); err == nil {
				read++
			}
		}
		if read != want {
			t.Errorf("%d of two lines are read behind one of %d bytes, want %d", read, size, want)
		}
	}
}

// Each text has a good line after the bad one. A bad recipient does not affect the next.
func TestBadLinesAreNamed(t *testing.T) {
	long := strings.Repeat("x", queue.DefaultMaxElement)
	for name, c := range map[string]struct {
		format Format
		text   string
		want   string
	}{
		"no user":                {CSV, "userId,fcmToken\n,t1\nu2,t2", "line 2: userId is empty"},
		"a blank user":           {CSV, "userId\n\" \"\nu2", "line 2: userId is empty"},
		"a long user":            {CSV, "userId\n" + strings.Repeat("x", campaign.MaxUserID+1) + "\nu2", "line 2: userId is longer than 512 bytes"},
		"a long tag":             {CSV, "userId,tag\nu1," + strings.Repeat("x", campaign.MaxTag+1) + "\nu2," + strings.Repeat("x", campaign.MaxTag), "line 2: tag is longer than 64 bytes"},
		"a NUL":                  {CSV, "userId\na\x00b\nu2", "line 2: userId holds a NUL"},
		"Latin-1":                {CSV, "userId,city\nu1,Malm\xf6\nu2,x", "line 2: city is not valid UTF-8"},
		"too few fields":         {CSV, "userId,city\nu1\nu2,x", "line 2: the number of fields is 1, not the 2 of the first line"},
		"too many fields":        {CSV, "userId,city\nu1,x,y\nu2,x", "line 2: the number of fields is 3, not the 2 of the first line"},
		"behind a declaration":   {CSV, "sep=,\nuserId,city\nu1,\"x\nu2,x\nu3,\"x\"\nu4,x", `lines 3 to 5: extraneous or missing " in quoted-field`},
		"behind a long element":  {NDJSON, "[{\"userId\":\n\"u2\"},\n{}]", "line 3: element 2: userId is missing"},
		"a quote in a field":     {CSV, "userId,city\nu1,a\"b\nu2,x", `line 2: a quote (") is in a cell that does not begin with one: put the cell in quotes and double those in it, or write 00123`},
		"a formula for an id":    {CSV, "userId,city\n=\"00123\",x\nu2,x", `line 2: a quote (") is in a cell that does not begin with one`},
		"such a formula, quoted": {CSV, "userId,city\n\"=\"\"00123\"\"\",x\nu2,x", `line 2: column 1 has a spreadsheet's formula for a text: write 00123 in place of ="00123", by formatting the column as text before the export`},
		"one in another column":  {CSV, "userId;zip\nu1;\"=\"\"01067\"\"\"\nu2;x", `line 2: column 2 has a spreadsheet's formula for a text: write 00123`},
		"a quote not closed":     {CSV, "userId,city\nu1,\"x\nu2,x\nu3,\"x\"\nu4,x", `lines 2 to 4: extraneous or missing " in quoted-field`},
		"a huge row":             {CSV, "userId,city\nu1," + long + "\nu2,x", "line 2: is 65570 bytes as an element, over the limit of 65536 (queue.max_element)"},
		"a row over a mebibyte":  {CSV, "userId,city\n\nu1," + strings.Repeat("x", 5*maxRow) + "\nu2,x", "line 3: is longer than 1048576 bytes"},
		"such a row with quotes": {CSV, "userId,city\nu1,\"" + strings.Repeat("x,", 2*maxRow) + "\"\nu2,x", "line 2: is longer than 1048576 bytes"},
		"such a row at the end":  {CSV, "userId,city\nu2,x\nu1," + strings.Repeat("x", 2*maxRow), "line 3: is longer than 1048576 bytes"},
		"no JSON":                {NDJSON, "u1,t1\n{\"userId\":\"u2\"}", "line 1: it is not JSON"},
		"no object":              {NDJSON, "1\n{\"userId\":\"u2\"}", "line 1: it is not a JSON object"},
		"no object in an array":  {NDJSON, "[\n1 , {\"userId\":\"u2\"}]", "line 2: element 1: it is not a JSON object"},
		"an array in an array":   {NDJSON, "[{\"userId\":\"u2\"},\n[\"]\"]]", "line 2: element 2: it is not a JSON object"},
		"no JSON in an array":    {NDJSON, "[nope,{\"userId\":\"u2\"}]", "line 1: element 1: it is not JSON"},
		"a mark in an array":     {NDJSON, "[\ufeff{\"userId\":\"u1\"},{\"userId\":\"u2\"}]", "line 1: element 1: is not JSON: invalid character"},
		"no user in an array":    {NDJSON, "[{\"userId\":\"u2\"},{}]", "line 1: element 2: userId is missing"},
		"a huge element":         {NDJSON, `[{"userId":"u1","x":"` + long + `"},{"userId":"u2"}]`, "over the limit of 65536 (queue.max_element)"},
		"one beyond all memory":  {NDJSON, `[{"userId":"u1","x":"` + strings.Repeat(long, 20) + `"},{"userId":"u2"}]`, "element 1: is 1310742 bytes long, over the limit"},
		"a rounded id":           {CSV, "userId\n1.23457E+14\nu2", "line 2: userId 1.23457E+14 was rounded by a spreadsheet: format its column as text"},
		"one with a comma":       {CSV, "userId;x\n\"1,2e+15\";\nu2;", "line 2: userId 1,2e+15 was rounded"},
		"one without a point":    {NDJSON, "{\"userId\":\"1E+14\"}\n{\"userId\":\"u2\"}", "line 1: userId 1E+14 was rounded"},
		"one in an array":        {NDJSON, "[{\"userId\":\"-9.99E-12\"},{\"userId\":\"u2\"}]", "element 1: userId -9.99E-12 was rounded"},
		"one of a short number":  {CSV, "userId\n1E5\nu2", "line 2: userId 1E5 was rounded"},
		"one without a sign":     {CSV, "userId\n1.5e5\nu2", "line 2: userId 1.5e5 was rounded"},
		"one of thousands":       {CSV, "userId\n12.3E+14\nu2", "line 2: userId 12.3E+14 was rounded"},
		"one of one digit":       {CSV, "userId\n1E+1\nu2", "line 2: userId 1E+1 was rounded"},
		"a failed formula":       {CSV, "userId\n#N/A\nu2", "line 2: userId #N/A is a spreadsheet's error: repair the formula"},
		"a German error":         {CSV, "userId\n#NV\nu2", "line 2: userId #NV is a spreadsheet's error"},
		"another German error":   {CSV, "userId\n#BEZUG!\nu2", "line 2: userId #BEZUG! is a spreadsheet's error"},
		"a Spanish error":        {CSV, "userId\n#¡REF!\nu2", "line 2: userId #¡REF! is a spreadsheet's error"},
		"a lost cell":            {NDJSON, "{\"userId\":\"#REF!\"}\n{\"userId\":\"u2\"}", "line 1: userId #REF! is a spreadsheet's error"},
		"one below one":          {NDJSON, "{\"userId\":\"+.5E-3\"}\n{\"userId\":\"u2\"}", "line 1: userId +.5E-3 was rounded"},
		"no user in it":          {NDJSON, "\n{\"fcmToken\":\"t1\"}\n{\"userId\":\"u2\"}", "line 2: userId is missing"},
		"a number as token":      {NDJSON, "{\"userId\":\"u1\",\"fcmToken\":1}\n{\"userId\":\"u2\"}", "line 1: fcmToken is not a string"},
		"no language":            {CSV, "userId,locale\nu1,portuguese!\nu2, pt_BR.UTF-8", `line 2: locale "portuguese!" is no language; write a BCP 47 tag such as pt or pt-BR`},
		"no language in JSON":    {NDJSON, "{\"userId\":\"u1\",\"locale\":\"x\"}\n{\"userId\":\"u2\",\"locale\":7}", `line 1: locale "x" is no language`},
		"no language of a phone": {NDJSON, "{\"userId\":\"u1\",\"devices\":[{\"token\":\"a\"},{\"token\":\"b\",\"locale\":\"?\"}]}\n{\"userId\":\"u2\"}", `line 1: devices[1]: locale "?" is no language`},
		"a huge line":            {NDJSON, `{"userId":"u1","x":"` + long + "\"}\n{\"userId\":\"u2\"}", "over the limit of 65536 (queue.max_element)"},
		"a line without an end":  {NDJSON, strings.Repeat("x", 3*readAhead) + "\n{\"userId\":\"u2\"}", "line 1: is 786433 bytes long, over the limit"},
	} {
		elements, rejected, err := readAll(strings.NewReader(c.text), c.format)
		if len(elements) != 1 || len(rejected) != 1 || err != nil {
			t.Errorf("%s: elements %.100q, rejected %v, error %v", name, elements, rejected, err)
			continue
		}
		if got := rejected[0].Error(); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestWhatIsNoAudience(t *testing.T) {
	for name, c := range map[string]struct {
		format Format
		text   string
		want   string
	}{
		"empty":                {CSV, "", "it is empty"},
		"only a mark":          {CSV, "\xef\xbb\xbf", "it is empty"},
		"no column of users":   {CSV, "id,token\nu1,t1", `no column of its first line, "id,token", is called userId`},
		"another user column":  {CSV, "name;User ID;token\nx;u1;t1", `first line, "name;User ID;token", is called userId; column 2, "User ID", is probably it: call it userId`},
		"a column twice":       {CSV, "userId,token,fcmToken\nu1,a,b", "its columns 2 and 3, token and fcmToken, are the same"},
		"two columns of users": {CSV, "userId,user_id\nu1,u2", "its columns 1 and 2, userId and user_id, are the same"},
		"a var twice":          {CSV, "userId,city,city\nu1,a,b", "its columns 2 and 3, city and city, are the same"},
		"a column unnamed":     {CSV, "userId,,city\nu1,a,b", "its column 2 has no name"},
		"a name in Latin-1":    {CSV, "userId,stra\xdfe\nu1,a", "column 2 is not valid UTF-8"},
		"a broken header":      {CSV, "userId,\"city\nu1,a", "its first line names no columns"},
		"UTF-32":               {CSV, "\xff\xfe\x00\x00u\x00\x00\x00", "it is UTF-32: save it as UTF-8"},
		"an Excel workbook":    {CSV, "PK\x03\x04\x14\x00", "an Excel workbook: unpack it, or save the sheet as CSV"},
		"an old workbook":      {CSV, "\xd0\xcf\x11\xe0\xa1\xb1", "it is an Excel workbook"},
		"xz":                   {NDJSON, "\xfd7zXZ\x00\x00", "it is compressed with xz"},
		"bzip2":                {NDJSON, "BZh91AY", "it is compressed with bzip2"},
		"broken gzip":          {CSV, "\x1f\x8b\x09\x00", "it begins as gzip does"},
		"too many layers":      {CSV, gzipped(gzipped(gzipped("userId"))), "it is compressed more than 2 times"},
		"a bomb's window":      {CSV, "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", "it needs more than 32 MiB to be decompressed"},
		"a bomb of one line":   {CSV, gzipped(strings.Repeat("x", 50<<20)), "its first line takes more than 1048576 bytes"},
		"a bomb of one quote":  {CSV, zstandard("userId\n\"" + strings.Repeat("x\n", 25<<20)), "close its quote"},
		"no such format":       {"xml", "<a/>", `there is no format "xml": use csv, ndjson or parquet`},
		"a quote for ever":     {CSV, "userId,city\nu1,\"" + strings.Repeat("x\n", maxRow), "the row after line 1 takes more than 1048576 bytes: close its quote"},
		"a quote, a long line": {CSV, "userId\n\"" + strings.Repeat("x\n", readAhead-4) + strings.Repeat("x", 2*maxRow), "the row after line 1 takes more than 1048576 bytes: close its quote"},
		"carriage returns":     {CSV, "userId,city\ru1,Hue\ru2,Hue\r", "its lines end in carriage returns alone: save it with line feeds"},
		"many of them":         {CSV, "userId,city\r" + strings.Repeat("u1,Hue\r", maxRow), "end each line with a line feed"},
	} {
		_, _, err := readAll(strings.NewReader(c.text), c.format)
		if file, is := errors.AsType[*FileError](err); !is || !strings.Contains(file.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// Rows after a skipped one keep their line numbers and number of fields.
func TestLinesBehindALongRow(t *testing.T) {
	text := "userId,city\nu1,Hue\nu2," + strings.Repeat("x", 2*maxRow) + "\r\nu3\nu4,Hue\n,Hue\n"
	elements, rejected, err := readAll(strings.NewReader(text), CSV)
	if len(elements) != 2 || err != nil {
		t.Fatalf("elements %.200q, error %v", elements, err)
	}
	var lines []int
	for _, row := range rejected {
		lines = append(lines, row.Line)
	}
	if want := []int{3, 4, 6}; !slices.Equal(lines, want) {
		t.Errorf("rejected %v, want those in lines %v", rejected, want)
	}
}

// TestWhatIsLoadedCanBeSent compares the loader's checks with the dispatcher's. The loader turns
// a row into an element that decodes to the same recipient. Otherwise it refuses it, and the
// dispatcher would refuse it or replace a character.
func TestWhatIsLoadedCanBeSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.OneOf(
			rapid.StringN(0, 20, -1),
			rapid.StringOfN(rapid.RuneFrom([]rune("ab \"\\,\n\t\x00\x7fé\u2028�")), 0, 10, -1),
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 6), func(b []byte) string { return string(b) }),
			rapid.Just(strings.Repeat("x", campaign.MaxUserID+1)),
		)
		locale := rapid.SampledFrom([]string{"", " pt-BR\t", "vi", "no language"})
		row := []string{field.Draw(t, "user"), field.Draw(t, "token"), locale.Draw(t, "locale"), field.Draw(t, "var")}
		for i := range row {
			row[i] = strings.ReplaceAll(row[i], "\r", "") // CSV does not distinguish it from line ends
		}
		var text strings.Builder
		w := csv.NewWriter(&text)
		if err := w.WriteAll([][]string{{"userId", "fcmToken", "locale", "city"}, row}); err != nil {
			t.Fatal(err)
		}
		elements, rejected, err := readAll(strings.NewReader(text.String()), CSV)
		if err != nil || len(elements)+len(rejected) != 1 {
			t.Fatalf("%d elements, rejected %v, error %v", len(elements), rejected, err)
		}
		user, token := strings.TrimSpace(row[0]), notification.ParseToken(row[1])
		if len(rejected) == 1 {
			joined := strings.Join(row, " ") // with a space: the bytes of two broken fields may form a character
			valid := utf8.ValidString(joined)
			if valid && row[2] != "no language" && user != "" && len(user) <= campaign.MaxUserID && !strings.ContainsAny(user, "\x00�") {
				t.Fatalf("rejected without need: %v", rejected)
			}
			return
		}
		r, err := campaign.DecodeRecipient([]byte(elements[0]))
		if err != nil {
			t.Fatalf("loaded %q, which cannot be read: %v", elements[0], err)
		}
		if r.UserID != user || !r.Target.IsSame(token) || r.Locale != strings.TrimSpace(row[2]) {
			t.Fatalf("row %q was read as %+v", row, r)
		}
		want := map[string]string{"city": row[3]}
		maps.DeleteFunc(want, func(_, value string) bool { return value == "" })
		if got := textsOf(t, r.Vars); !maps.Equal(got, want) {
			t.Fatalf("vars %q were read as %q", want, got)
		}
	})
}

// textsOf decodes vars that are all strings.
func textsOf(t *rapid.T, vars map[string]json.RawMessage) map[string]string {
	texts := make(map[string]string)
	for name, value := range vars {
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			t.Fatalf("var %s: %v", name, err)
		}
		texts[name] = text
	}
	return texts
}
