package fcmsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sync"
)

var parsers = sync.Pool{New: func() any { return new(parser) }}

type parser struct {
	body         bytes.Buffer
	validateOnly bool
	to           target
	message      []byte
}

func (p *parser) read(r io.Reader) error {
	p.body.Reset()
	n, err := p.body.ReadFrom(io.LimitReader(r, maxBody+1))
	if n > maxBody {
		return errors.New("Your client issued a request that was too large.")
	}
	return err
}

func (p *parser) parse() *status {
	var req struct {
		ValidateOnly bool `json:"validate_only"`
		Message      json.RawMessage
	}
	if err := json.Unmarshal(p.body.Bytes(), &req); err != nil {
		s := invalidArgument(err.Error())
		return &s
	}
	var msg struct{ Token, Topic, Condition string }
	if err := json.Unmarshal(req.Message, &msg); err != nil {
		s := invalidArgument(err.Error())
		return &s
	}
	p.validateOnly, p.message = req.ValidateOnly, req.Message
	p.to = target{targetToken, msg.Token}
	return nil
}

func (p *parser) contentHash() uint64 { return 0 }
