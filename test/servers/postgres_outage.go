package servers

import "syscall"

// Halt ends the server at once and keeps its data, as an outage does: connections break, and new ones are refused.
func (p *PostgresServer) Halt() {
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	p.reading.Wait()
	_ = p.cmd.Wait()
}

// Resume ends an outage: the server takes connections again, at the same address.
func (p *PostgresServer) Resume() error {
	program, err := postgresProgram("postgres")
	if err != nil {
		return err
	}
	return p.listen(program, PostgresOptions{}, p.port)
}
