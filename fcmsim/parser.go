package fcmsim

import "sync"

var parsers = sync.Pool{New: func() any { return new(parser) }}

// parser validates request bodies. A parser is reused to save allocations.
type parser struct {
	scan  scanner
	path  []step
	depth int

	malformed []violation // not a SendMessageRequest; refused by Google's front end, without FcmError
	invalid   []violation // refused by FCM itself

	validateOnly bool
	to           target
	message      []byte // the object as it was sent
	messageAt    int
	omitted      []span // parts of the body that are not the message's content
	targetSize   int    // bytes of the members that name a target
}

// step of the path to a value: a field, and an index for lists and maps.
type step struct {
	name    string
	index   int // -1: none
	isEntry bool
}

type span struct{ from, to int }

// parse validates a body. It returns the response to an invalid one, nil for a valid one.
func (p *parser) parse(body []byte) *status {
	// Only the memory of the previous request is kept.
	*p = parser{
		scan: scanner{data: body}, path: p.path[:0], malformed: p.malformed[:0], invalid: p.invalid[:0], omitted: p.omitted[:0],
	}
	if err := p.readRoot(); err != nil {
		text := err.describe(p.scan.data)
		s := invalidArgument(text, newBadRequest(violation{Description: text}))
		return &s
	}
	return p.refuse()
}

func (p *parser) readRoot() *syntaxError {
	switch p.scan.peek() {
	case 0:
		return nil // an empty body is an empty request
	case '{':
		if err := p.readObject(requestSchema); err != nil {
			return err
		}
	default:
		if err := p.scan.skip(0); err != nil {
			return err
		}
		p.rejectUnknown("", "", "Root element must be a message.")
	}
	if p.scan.peek() != 0 {
		return p.scan.fail("Unexpected token.")
	}
	return nil
}

// readObject reads the members of a message.
func (p *parser) readObject(s *schema) *syntaxError {
	var set uint64
	p.depth++
	err := p.scan.readMembers(p.depth, func(key []byte) *syntaxError {
		f := s.fields[string(key)]
		if f == nil {
			p.rejectUnknown(string(key), p.fieldPath(), "Cannot find field.")
			return p.scan.skip(p.depth)
		}
		if p.scan.peek() == 'n' {
			return p.scan.skip(p.depth) // null means absent
		}
		if set&f.rivals != 0 {
			p.rejectRival(f)
		}
		set |= 1 << f.index
		return p.readMember(f)
	})
	p.depth--
	for _, f := range s.required {
		if set&(1<<f.index) == 0 {
			p.addInvalid(f.name+" is required.", "."+f.name)
		}
	}
	return err
}

// readMember reads the value of a field and keeps what the simulator needs.
func (p *parser) readMember(f *field) *syntaxError {
	memberAt, valueAt := p.scan.keyAt, p.scan.pos
	p.path = append(p.path, step{name: f.name, index: -1})
	text, err := p.readValue(f)
	p.path = p.path[:len(p.path)-1]
	end := p.scan.pos
	switch f.role {
	case roleMessage:
		p.message, p.messageAt = p.scan.data[valueAt:end], valueAt
	case roleTarget:
		p.to = target{targetKinds[f.name], string(text)}
		p.omit(memberAt, end)
		p.targetSize += end - memberAt
	case roleLifetime:
		p.omit(valueAt, end)
	case roleValidateOnly:
		p.validateOnly = string(text) == "true"
	}
	return err
}

func (p *parser) omit(from, to int) { p.omitted = append(p.omitted, span{from, to}) }

// readValue reads the value of a field. It returns the text of a single scalar that is valid.
func (p *parser) readValue(f *field) ([]byte, *syntaxError) {
	switch c := p.scan.peek(); {
	case c == '[' && f.repeated:
		return nil, p.scan.readElements(p.depth, func(i int) *syntaxError {
			p.path[len(p.path)-1].index = i
			_, err := p.readSingle(f)
			return err
		})
	case c == '[':
		p.rejectList(f)
		return nil, p.scan.skip(p.depth)
	case c == '{' && f.kind == kindTextMap:
		return nil, p.readTextMap(f)
	case c == '{' && f.kind == kindStruct:
		return nil, p.scan.skip(p.depth)
	default:
		return p.readSingle(f)
	}
}

func (p *parser) readSingle(f *field) ([]byte, *syntaxError) {
	at := p.scan.pos
	switch p.scan.peek() {
	case '{':
		if f.kind == kindObject {
			return nil, p.readObject(f.schema)
		}
		return nil, p.rejectMembers(f)
	case '"':
		text, err := p.scan.readText()
		if err == nil {
			p.checkScalar(f, text, true, at)
		}
		return text, err
	default:
		raw, err := p.scan.readScalar()
		if err == nil {
			p.checkScalar(f, raw, false, at)
		}
		return raw, err
	}
}

// checkScalar checks the type of a scalar, then FCM's rules for the field.
func (p *parser) checkScalar(f *field, text []byte, quoted bool, at int) {
	if !f.canHold(text, quoted) {
		p.rejectValue(f, p.scan.data[at:p.scan.pos])
		return
	}
	if f.check != nil {
		if description := f.check(text); description != "" {
			p.addInvalid(description, "")
		}
	}
}

// readTextMap reads a map of strings. Google numbers its entries in their order.
func (p *parser) readTextMap(f *field) *syntaxError {
	top, i := len(p.path)-1, -1
	return p.scan.readMembers(p.depth+1, func(key []byte) *syntaxError {
		i++
		p.path[top].index, p.path[top].isEntry = i, true
		valueAt := p.scan.pos
		if p.scan.peek() != '"' {
			return p.rejectEntry()
		}
		value, err := p.scan.readText()
		if err != nil {
			return err
		}
		if f.role == roleHeaders && isLifetimeHeader(key) {
			p.omit(valueAt, p.scan.pos)
		}
		p.path[top].index, p.path[top].isEntry = -1, false
		if wrong := f.entry(key, value); wrong.description != "" {
			p.addInvalid(wrong.description, wrong.suffix)
		}
		return nil
	})
}

// contentHash hashes the content of the message, without its target and times to live.
func (p *parser) contentHash() uint64 {
	hash, from := uint64(0), p.messageAt
	for _, gap := range p.omitted {
		hash = fingerprint(hash, p.scan.data[from:gap.from])
		from = gap.to
	}
	return fingerprint(hash, p.scan.data[from:p.messageAt+len(p.message)])
}
