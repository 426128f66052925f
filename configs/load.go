package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"centrala/queuegroups"
	"centrala/queuegroups/strictyaml"
)

// load reads the settings; those with mistakes have their zero value. An empty
// file is the embedded one. With noEnv variables of the environment need not be set.
func load(file string, noEnv bool) (*Server, *strictyaml.Report) {
	l := &loader{server: &Server{noEnv: noEnv}}
	var data []byte
	var err error
	if file == "" {
		file = sampleFile
		data, err = sample.ReadFile(sampleFile)
	} else {
		l.server.file, l.server.folder = file, filepath.Dir(file)
		data, err = os.ReadFile(file)
	}
	if err != nil {
		l.report.Add(strictyaml.NewSource(file, nil).At(1, 1), "", "%s", reason(err))
		return l.server, &l.report
	}
	var d document
	if strictyaml.Decode(strictyaml.NewSource(file, data), &d, &l.report) {
		l.build(&d)
	}
	return l.server, &l.report
}

// reason says why a file cannot be read.
func reason(err error) string {
	var pathError *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.As(err, &pathError):
		return fmt.Sprintf("cannot be read: %v", pathError.Err)
	default:
		return fmt.Sprintf("cannot be read: %v", err)
	}
}

type loader struct {
	report strictyaml.Report
	server *Server
}

func (l *loader) build(d *document) {
	s := l.server
	s.Domain = l.domain(d.Domain)
	s.Region = d.Region.V
	if !d.Region.Bad && !queuegroups.KnownRegion(s.Region) {
		hint := ""
		if upper := strings.ToUpper(s.Region); queuegroups.KnownRegion(upper) {
			hint = "did you mean " + upper + "?"
		}
		l.report.Add(d.Region.At, hint, "%q is not a country's code such as PL", s.Region)
		s.Region = ""
	}
	s.Data = l.path(l.filled(d.Data, "data"))
	l.listen(&d.Listen)
	if a := d.Advertise; a.V != "" {
		addr, err := netip.ParseAddr(a.V)
		if err != nil || addr.IsUnspecified() {
			l.report.Add(a.At, "", "advertise must be an IP address that others can reach, not %q", a.V)
		}
		s.Advertise = addr.Unmap()
	}
	s.RTP = l.ports(d.RTP)
	l.tls(&d.TLS)
	s.Log = Log{Level: d.Log.Level.V, Format: d.Log.Format.V}
	s.Trace = Trace{Calls: d.Trace.Calls.V, Messages: d.Trace.Messages.V, Megabytes: d.Trace.Megabytes.V, Keys: d.Trace.Keys.V}
	s.Webhooks.Allow = l.networks(d.Webhooks.Allow)
	l.connectors(&d.Connectors)
	l.mail(&d.Mail)
	s.Record = Record{KeepDays: d.Record.KeepDays.V}
	s.Engine = l.engine(d.Engine)
	s.Database = d.Database.V
	if v := d.Database; !v.Bad && v.V != DatabaseSQLite && !strings.HasPrefix(v.V, "postgres://") {
		l.report.Add(v.At, strictyaml.DidYouMean(v.V, []string{DatabaseSQLite}), "database must be sqlite, or begin with postgres://")
	}
	s.QueueGroups, s.groups = l.filled(d.QueueGroups, "queuegroups"), d.QueueGroups.At
}

func (l *loader) mail(k *mailKeys) {
	m := &l.server.Mail
	*m = Mail{Server: k.Server.V, From: k.From.V, User: k.User.V}
	if u, err := url.Parse(m.Server); m.Server != "" && !k.Server.Bad &&
		(err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || u.Port() == "" || u.User != nil || u.Path != "") {
		l.report.Add(k.Server.At, "write smtp://mail.example.com:587", "%q is no mail server", m.Server)
	}
	switch {
	case m.Server == "" && k.From.Set:
		l.report.Add(k.From.At, "write server: smtp://mail.example.com:587", "letters have a from and no server")
	case m.Server != "" && !k.Server.Bad && m.From == "" && !k.From.Bad:
		l.report.Add(k.Server.At, "write from: A shop <chat@shop.example>", "letters have a server and no from")
	case m.From != "":
		if _, err := mail.ParseAddress(m.From); err != nil {
			l.report.Add(k.From.At, "write A shop <chat@shop.example>", "%q is nobody's address", m.From)
		}
	}
	if k.Password.Set && !k.Password.Bad {
		m.Password = l.secret(k.Password)
	}
}

// secret reads a password from where it is.
func (l *loader) secret(v text) queuegroups.Secret {
	if name, ok := strings.CutPrefix(v.V, "env:"); ok {
		value, ok := os.LookupEnv(name)
		if (!ok || value == "") && !l.server.noEnv {
			l.report.Add(v.At, "", "the environment variable %s is not set", name)
		}
		return queuegroups.NewSecret(value)
	}
	name, ok := strings.CutPrefix(v.V, "file:")
	if !ok {
		l.report.Add(v.At, "write env:NAME or file:PATH", "a password is not written into the settings")
		return queuegroups.Secret{}
	}
	data, err := os.ReadFile(l.path(name))
	if err != nil {
		l.report.Add(v.At, "", "%s: %s", name, reason(err))
	}
	return queuegroups.NewSecret(strings.TrimRight(string(data), "\r\n"))
}

func (l *loader) connectors(k *connectorKeys) {
	c := &l.server.Connectors
	if v := k.Public; v.V != "" && !v.Bad {
		u, err := url.Parse(v.V)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
			l.report.Add(v.At, "write https://chat.example.com", "%q is not the address of a server", v.V)
		} else {
			c.Public = u.Scheme + "://" + u.Host
		}
	}
	for _, v := range k.Off.Items {
		if !v.Bad && !slices.Contains(c.Off, v.V) {
			c.Off = append(c.Off, v.V)
		}
	}
}

// filled gives a text that must not be empty.
func (l *loader) filled(v text, key string) string {
	if v.V == "" && !v.Bad {
		l.report.Add(v.At, "", "%s must not be empty", key)
	}
	return v.V
}

// path gives a name in the settings relative to the working directory.
func (l *loader) path(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(l.server.folder, name)
}

var validDomain = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)

func (l *loader) domain(v text) string {
	if _, err := netip.ParseAddr(v.V); err != nil && !v.Bad && (!validDomain.MatchString(v.V) || len(v.V) > 253) {
		hint := ""
		if _, rest, ok := strings.Cut(v.V, ":"); ok && strings.HasPrefix(v.V, "sip") {
			hint = "did you mean " + rest + "?"
		}
		l.report.Add(v.At, hint, "%q is not a domain such as pbx.example.com", v.V)
	}
	return v.V
}

func (l *loader) listen(k *listenKeys) {
	listen := &l.server.Listen
	if !k.SIP.Bad && len(k.SIP.Items) == 0 {
		l.report.Add(k.SIP.At, "", "sip has no address to listen on")
	}
	for _, v := range k.SIP.Items {
		if v.Bad {
			continue
		}
		network, addr, ok := l.address(v, "udp://0.0.0.0:5060", "udp", "tcp", "tls")
		if !ok {
			continue
		}
		listener := SIPListener{Network: network, Addr: addr}
		if addr.Port() != 0 && slices.Contains(listen.SIP, listener) {
			l.report.Add(v.At, "", "%s is there twice", v.V)
			continue
		}
		listen.SIP = append(listen.SIP, listener)
	}
	if v := k.Web; v.V != "" {
		if scheme, addr, ok := l.address(v, "https://0.0.0.0:8443", "https", "http"); ok {
			listen.Web = Web{TLS: scheme == "https", Addr: addr}
		}
	}
	if v := k.WebRTC; v.V != "" {
		if _, addr, ok := l.address(v, "udp://0.0.0.0:3478", "udp"); ok {
			listen.WebRTC = addr
			taken := SIPListener{Network: "udp", Addr: addr}
			if addr.Port() != 0 && slices.Contains(listen.SIP, taken) {
				l.report.Add(v.At, "", "sip and webrtc cannot listen on the same address")
			}
		}
	} else if listen.Web.Addr.IsValid() {
		listen.WebRTC = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
		if web := listen.Web.Addr.Addr(); web.Is6() {
			listen.WebRTC = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
		}
	}
	if v := k.Admin; v.V != "" {
		if _, addr, ok := l.address(v, "http://127.0.0.1:9090", "http"); ok {
			listen.Admin = addr
		}
	}
	web, admin := listen.Web.Addr, listen.Admin
	if web.IsValid() && admin.Port() != 0 && web == admin {
		l.report.Add(k.Admin.At, "", "web and admin cannot listen on the same address")
	}
}

// address reads scheme://address:port. What is not written is taken from like in the
// hint, which is right for this key and begins with its first scheme.
func (l *loader) address(v text, like string, schemes ...string) (string, netip.AddrPort, bool) {
	scheme, rest, found := strings.Cut(v.V, "://")
	addr, err := netip.ParseAddrPort(rest)
	known := found && slices.Contains(schemes, scheme)
	if known && err == nil {
		return scheme, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), true
	}
	hint, port := meantAddress(v.V, like, schemes)
	hint = "write " + hint
	switch {
	case port != "":
		l.report.Add(v.At, hint, "%q has the port %s, and the highest is 65535", v.V, port)
	case !known:
		l.report.Add(v.At, hint, "%q must begin with %s://", v.V, strings.Join(schemes, ":// or "))
	default:
		l.report.Add(v.At, hint, "%q is not an IP address and port", v.V)
	}
	return "", netip.AddrPort{}, false
}

var digits = regexp.MustCompile(`^[0-9]+$`)

// meantAddress guesses the address behind 8080, :8080, localhost or 0.0.0.0:8080, and
// tells the port where it is too high.
func meantAddress(text, like string, schemes []string) (meant, badPort string) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		rest = text
	}
	usual, likeAddr, _ := strings.Cut(like, "://")
	if !slices.Contains(schemes, scheme) {
		scheme = usual
	}
	addr := netip.MustParseAddrPort(likeAddr)
	rest, _, _ = strings.Cut(rest, "/")
	host, port := rest, ""
	if _, err := netip.ParseAddr(strings.Trim(rest, "[]")); digits.MatchString(rest) {
		host, port = "", rest
	} else if at := strings.LastIndexByte(rest, ':'); err != nil && at >= 0 {
		host, port = rest[:at], rest[at+1:]
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		addr = netip.AddrPortFrom(ip, addr.Port())
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		addr = netip.AddrPortFrom(addr.Addr(), uint16(n))
	} else if digits.MatchString(port) {
		badPort = port
	}
	return scheme + "://" + addr.String(), badPort
}

// networks reads networks and single addresses.
func (l *loader) networks(list texts) (nets []netip.Prefix) {
	for _, v := range list.Items {
		if v.Bad {
			continue
		}
		p, err := netip.ParsePrefix(v.V)
		if a, bad := netip.ParseAddr(v.V); bad == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		switch {
		case err != nil || p.Addr().Is4In6():
			l.report.Add(v.At, "", "%q is not a network such as 10.0.0.0/8", v.V)
		case p != p.Masked():
			l.report.Add(v.At, "did you mean "+p.Masked().String()+"?", "%s is not the beginning of a network", v.V)
		default:
			nets = append(nets, p)
		}
	}
	return nets
}

// minPorts is the least number of ports for voice: one call.
const minPorts = 4

func (l *loader) ports(v text) Ports {
	if v.Bad {
		return Ports{}
	}
	from, to, _ := strings.Cut(v.V, "-")
	first, errFirst := strconv.ParseUint(from, 10, 16)
	last, errLast := strconv.ParseUint(to, 10, 16)
	switch {
	case errFirst != nil || errLast != nil:
		l.report.Add(v.At, "", "rtp must be a range of ports such as 10000-19999, not %q", v.V)
	case first < 1024:
		l.report.Add(v.At, "", "rtp must begin at 1024 or higher, not %d", first)
	case last < first+minPorts-1:
		l.report.Add(v.At, "", "rtp must hold at least %d ports, and %q does not", minPorts, v.V)
	default:
		return Ports{Min: uint16(first), Max: uint16(last)}
	}
	return Ports{}
}

func (l *loader) tls(k *tlsKeys) {
	l.server.TLS.Mode = k.Mode.V
	if v := k.Roots; v.V != "" && !v.Bad {
		l.server.TLS.Roots = l.file(v)
	}
	if k.Mode.Bad {
		return
	}
	for _, f := range []struct {
		key  string
		v    text
		into *string
	}{{"cert", k.Cert, &l.server.TLS.Cert}, {"key", k.Key, &l.server.TLS.Key}} {
		switch {
		case f.v.Bad:
		case k.Mode.V != TLSFiles && f.v.Set:
			l.report.Add(f.v.At, "write mode: files", "%s goes with mode files, not %s", f.key, k.Mode.V)
		case k.Mode.V == TLSFiles && f.v.V == "":
			l.report.Add(k.Mode.At, "", "mode files needs a %s", f.key)
		case k.Mode.V == TLSFiles:
			*f.into = l.file(f.v)
		}
	}
}

// file gives the path of a file that must be there.
func (l *loader) file(v text) string {
	name := l.path(v.V)
	if f, err := os.Open(name); err != nil {
		l.report.Add(v.At, "", "%s: %s", name, reason(err))
	} else {
		_ = f.Close() // nothing was written
	}
	return name
}

var natsServer = regexp.MustCompile(`^(nats|tls)://[^\s/,]+$`)

func (l *loader) engine(v text) string {
	if v.Bad || v.V == EngineEmbedded {
		return v.V
	}
	for server := range strings.SplitSeq(v.V, ",") {
		if !natsServer.MatchString(server) {
			l.report.Add(v.At, strictyaml.DidYouMean(v.V, []string{EngineEmbedded}),
				"engine must be embedded, or addresses such as nats://a:4222,nats://b:4222")
			return ""
		}
	}
	return v.V
}
