package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"centrala/configs"
	"centrala/internal/trace"
)

// TraceOptions is what to show of a running server's traces. Without an ID, Recent
// and From it is the list of calls.
type TraceOptions struct {
	Config string // whose admin listener is asked; empty: the embedded sample
	Admin  string // the address of the admin listener, such as http://127.0.0.1:9090; empty: that of Config
	ID     string // of an interaction, a leg or call, or a SIP Call-ID
	Recent bool   // messages that belong to no call
	From   string // only those of this address; implies Recent
	Whole  bool   // messages in full
	JSON   bool
	Pcap   string // the capture file to write in place of text; empty: none
}

// Trace shows what a running server remembers of its latest calls.
func Trace(o TraceOptions, out io.Writer) error {
	o.Recent = o.Recent || o.From != ""
	switch {
	case o.ID != "" && o.Recent:
		return fmt.Errorf("%w: an ID and --recent or --from do not go together", ErrUsage)
	case o.ID == "" && !o.Recent && o.Pcap != "":
		return fmt.Errorf("%w: --pcap needs an ID, --recent or --from", ErrUsage)
	case o.JSON && o.Pcap != "":
		return fmt.Errorf("%w: --json and --pcap do not go together", ErrUsage)
	}
	if o.From != "" {
		if _, err := netip.ParseAddr(o.From); err != nil {
			return fmt.Errorf("%w: --from: %q is not an IP address", ErrUsage, o.From)
		}
	}
	query := url.Values{}
	if o.ID != "" {
		query.Set("id", o.ID)
	}
	if o.Recent {
		query.Set("recent", "1")
		query.Set("from", o.From)
	}
	answer, err := askAdmin(o.Admin, o.Config, "/trace?"+query.Encode())
	if err != nil {
		return err
	}
	switch {
	case o.JSON:
		_, err := out.Write(answer)
		return err
	case o.ID == "" && !o.Recent:
		var calls []trace.Summary
		if err := json.Unmarshal(answer, &calls); err != nil {
			return fmt.Errorf("the server's answer: %w", err)
		}
		return trace.List(out, calls)
	}
	var t trace.Trace
	if err := json.Unmarshal(answer, &t); err != nil {
		return fmt.Errorf("the server's answer: %w", err)
	}
	if o.Pcap == "" {
		return trace.Ladder(out, t, o.Whole)
	}
	return writePcap(o.Pcap, t)
}

func writePcap(name string, t trace.Trace) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) // it tells who called whom
	if err != nil {
		return err
	}
	if err := trace.Pcap(f, t); err != nil {
		_ = f.Close() // the first error is the one to tell
		return err
	}
	return f.Close()
}

// askLimit bounds how long a running server may take to answer a command.
const askLimit = 10 * time.Second

// errRefused marks an answer other than 200 of the admin listener.
var errRefused = errors.New("the server answers")

// askAdmin gets a page of the admin listener at an address, or of the settings if
// that is empty.
func askAdmin(admin, config, page string) ([]byte, error) {
	if admin == "" {
		server, err := configs.Inspect(config)
		if err != nil {
			return nil, badConfig(err)
		}
		at := server.Listen.Admin
		if !at.IsValid() {
			return nil, fmt.Errorf("%w: listen has no admin address to ask the server by", ErrBadConfig)
		}
		if at.Addr().IsUnspecified() {
			loopback := netip.IPv6Loopback()
			if at.Addr().Is4() {
				loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})
			}
			at = netip.AddrPortFrom(loopback, at.Port())
		}
		admin = "http://" + at.String()
	}
	ctx, cancel := context.WithTimeout(context.Background(), askLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(admin, "/")+page, nil)
	if err != nil || req.URL.Scheme != "http" {
		return nil, fmt.Errorf("%w: --admin: %q is not an address such as http://127.0.0.1:9090", ErrUsage, admin)
	}
	client := http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w\nno server answers at %s: is it running, and is that listen: admin: of its settings? --config or --admin say which server is meant", err, admin)
	}
	defer func() { _ = res.Body.Close() }() // it was read
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("ask the server at %s: %w", admin, err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %s", errRefused, strings.TrimSpace(string(body)))
	}
	return body, nil
}

// Healthz asks a running server whether it works, or with ready whether calls should
// be sent to it, and writes its answer. An error tells why not.
func Healthz(config, admin string, ready bool, out io.Writer) error {
	page := "/healthz"
	if ready {
		page = "/readyz"
	}
	answer, err := askAdmin(admin, config, page)
	if err != nil {
		return err
	}
	_, err = out.Write(answer)
	return err
}
