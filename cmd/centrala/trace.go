package main

import (
	"os"

	"centrala/internal/app"
)

type traceCmd struct {
	configFlag
	ID     string `arg:"" optional:"" help:"An interaction, a leg, or a SIP Call-ID. Without it, the list of the calls that are remembered."`
	Recent bool   `help:"Messages that belong to no call: REGISTER, OPTIONS, and calls of strangers."`
	From   string `placeholder:"ADDRESS" help:"As --recent, only those of this IP address."`
	Whole  bool   `help:"Show each message in full."`
	JSON   bool   `name:"json" help:"Print it for programs."`
	Pcap   string `type:"path" placeholder:"FILE" help:"Write the messages to a capture file, for Wireshark."`
	Admin  string `placeholder:"URL" help:"The admin listener of the server; by default that of its configuration."`
}

// Run shows the trace of a call on a running server.
func (c *traceCmd) Run() error {
	return app.Trace(app.TraceOptions{
		Config: c.Config, Admin: c.Admin, ID: c.ID, Recent: c.Recent, From: c.From, Whole: c.Whole, JSON: c.JSON, Pcap: c.Pcap,
	}, os.Stdout)
}
