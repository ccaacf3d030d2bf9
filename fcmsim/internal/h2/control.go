package h2

import "golang.org/x/net/http2"

// readSettings adopts what the peer wants.
func (c *conn) readSettings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := f.ForeachSetting(c.adopt); err != nil {
		return err
	}
	_ = c.frames.WriteSettingsAck()
	c.unblock()
	return nil
}

func (c *conn) adopt(s http2.Setting) error {
	if err := s.Valid(); err != nil {
		return err
	}
	switch s.ID {
	case http2.SettingInitialWindowSize:
		for _, st := range c.streams {
			st.window += int64(s.Val) - c.initial
		}
		c.initial = int64(s.Val)
	case http2.SettingMaxFrameSize:
		c.frame = int(s.Val)
	case http2.SettingHeaderTableSize:
		c.encoder.SetMaxDynamicTableSize(min(s.Val, tableSize))
	}
	return nil
}

func (c *conn) readWindow(f *http2.WindowUpdateFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.StreamID == 0 {
		if c.window += int64(f.Increment); c.window > maxWindow {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		c.unblock()
		return nil
	}
	st := c.streams[f.StreamID]
	if st == nil {
		return c.gone(f.StreamID)
	}
	if st.window += int64(f.Increment); st.window > maxWindow {
		return http2.StreamError{StreamID: st.id, Code: http2.ErrCodeFlowControl}
	}
	c.unblock()
	return nil
}

// readReset ends a stream whose sender has left.
func (c *conn) readReset(id uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st := c.streams[id]; st != nil {
		c.finish(st, true)
		return nil
	}
	return c.gone(id)
}

func (c *conn) readPing(f *http2.PingFrame) {
	if f.IsAck() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.frames.WritePing(true, f.Data)
}
