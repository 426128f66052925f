package queuegroups

import (
	"cmp"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"centrala/queuegroups/strictyaml"
)

// source is a range of addresses that a trunk's calls come from.
type source struct {
	prefix netip.Prefix
	trunk  TrunkID
	at     strictyaml.Pos
}

func (l *loader) buildTrunks(entries []strictyaml.Entry[trunkKeys]) {
	var sources []source
	for _, e := range entries {
		k := e.Value
		t := Trunk{
			ID: TrunkID(e.Key), Host: k.Host.V, Transport: k.Transport.V,
			CallerID: l.normalize(k.CallerID), MaxCalls: k.MaxCalls.V, Check: k.Check.V, SRTP: srtp(k.SRTP),
			Trusted: k.Trusted.V, MaxRate: k.MaxRate.V, Priority: k.Priority.V, Weight: k.Weight.V,
		}
		if r := k.Register; r != nil {
			t.Register = &Registration{User: r.User.V, Password: l.secret(r.Password)}
		}
		if a := k.Auth; a != nil {
			t.Auth = &Registration{User: a.User.V, Password: l.secret(a.Password)}
		}
		if format := NumberFormat(k.Format.V); format == NumberPlain || format == NumberNational {
			t.NumberFormat = format
		}
		t.Emergency, t.Short = l.asDialled(k.Emergency, k.Host), l.asDialled(k.Short, k.Host)
		host := l.checkHost(k.Host)
		own := l.sources(t.ID, k.From)
		if !k.From.Set && host.IsValid() {
			own = []source{{prefix: netip.PrefixFrom(host, host.BitLen()), trunk: t.ID, at: k.Host.At}}
		}
		for _, s := range own {
			t.From = append(t.From, s.prefix.String())
		}
		sources = append(sources, own...)
		switch {
		case !k.Host.Set && !k.From.Set:
			l.report.Add(e.At, "", "trunk %s has neither host nor from: it can take no calls and make none", e.Key)
		case k.Register != nil && !k.Host.Set:
			l.report.Add(e.At, "", "trunk %s has no host to register with", e.Key)
		case k.Auth != nil && !k.Host.Set:
			l.report.Add(e.At, "", "trunk %s has auth for calls to it, and no host that they go to", e.Key)
		case k.Auth != nil && k.Register != nil:
			l.report.Add(e.At, "give register alone", "trunk %s has both register and auth: the account is one", e.Key)
		}
		l.config.Trunks = append(l.config.Trunks, t)
	}
	l.overlaps(sources)
}

// asDialled reads numbers that are no E.164 ones.
func (l *loader) asDialled(list texts, host text) (numbers []string) {
	for _, v := range list.Items {
		if v.Bad {
			continue
		}
		if !asDialled.MatchString(v.V) {
			l.report.Add(v.At, "write two to eight digits, in quotes", "%q is no short number", v.V)
			continue
		}
		if !host.Set {
			l.report.Add(v.At, "give the trunk a host", "nobody can be called by a trunk without host")
		}
		numbers = append(numbers, v.V)
		l.dialled = append(l.dialled, v)
	}
	return numbers
}

var asDialled = regexp.MustCompile(`^[0-9]{2,8}$`)

// taken reports extensions that hide a short number.
func (l *loader) taken() {
	for _, v := range l.dialled {
		if o, ok := l.extensions[v.V]; ok {
			l.report.Add(v.At, "", "%s is the extension of %s, at %s: nobody could call the number", v.V, o.what, o.at)
		}
	}
}

var validHost = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?$`)

// checkHost reports a host that is none, and gives its address if it is one.
func (l *loader) checkHost(v text) netip.Addr {
	if !v.Set || v.Bad {
		return netip.Addr{}
	}
	host := v.V
	if scheme, rest, ok := strings.Cut(host, ":"); ok && (scheme == "sip" || scheme == "sips") {
		l.report.Add(v.At, "did you mean "+rest+"?", "%q is not a host or host:port", v.V)
		return netip.Addr{}
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap()
	}
	if h, port, err := net.SplitHostPort(host); err == nil {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			l.report.Add(v.At, "", "%q is not a port", port)
			return netip.Addr{}
		}
		host = h
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return addr.Unmap()
	}
	if !validHost.MatchString(host) {
		l.report.Add(v.At, "", "%q is not a host or host:port", v.V)
	}
	return netip.Addr{}
}

// sources reads a trunk's addresses.
func (l *loader) sources(trunk TrunkID, list texts) []source {
	var all []source
	for _, v := range list.Items {
		if v.Bad {
			continue
		}
		prefix, hint := parsePrefix(v.V)
		if !prefix.IsValid() {
			l.report.Add(v.At, hint, "%q is not an address or range such as 198.51.100.7 or 198.51.100.0/24", v.V)
			continue
		}
		if prefix != prefix.Masked() {
			l.report.Add(v.At, "did you mean "+prefix.Masked().String()+", or "+prefix.Addr().String()+"?",
				"the range %s does not begin at this address", v.V)
			continue
		}
		all = append(all, source{prefix: prefix, trunk: trunk, at: v.At})
	}
	return all
}

// parsePrefix reads an address or a range; the prefix is invalid if it is neither.
func parsePrefix(s string) (netip.Prefix, string) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), ""
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil || prefix.Addr().Is4In6() {
		if host, _, err := net.SplitHostPort(s); err == nil {
			if _, err := netip.ParseAddr(host); err == nil {
				return netip.Prefix{}, "did you mean " + host + "?"
			}
		}
		return netip.Prefix{}, ""
	}
	return prefix, ""
}

// overlaps reports addresses that two trunks claim, because a call from there
// would belong to both, and those that one trunk names twice.
func (l *loader) overlaps(sources []source) {
	slices.SortStableFunc(sources, func(a, b source) int {
		return cmp.Or(a.prefix.Addr().Compare(b.prefix.Addr()), cmp.Compare(a.prefix.Bits(), b.prefix.Bits()))
	})
	var cover source // of two ranges that overlap one holds the other
	for _, s := range sources {
		if cover.prefix.IsValid() && cover.prefix.Overlaps(s.prefix) {
			l.report.Add(s.at, "", "%s overlaps %s of trunk %s, at %s", s.prefix, cover.prefix, cover.trunk, cover.at)
			continue
		}
		cover = s
	}
}

func (l *loader) buildNumbers(entries []strictyaml.Entry[numberKeys]) {
	for _, e := range entries {
		k := e.Value
		n := Number{Number: l.normalize(text{V: e.Key, At: e.At, Set: true})}
		if l.known(&l.trunks, k.Trunk) {
			n.Trunk = TrunkID(k.Trunk.V)
		}
		if l.known(&l.groups, k.Group) {
			n.Group = GroupID(k.Group.V)
		}
		if l.known(&l.music, k.HoldMusic) {
			n.HoldMusic = MusicID(k.HoldMusic.V)
		}
		if k.Announce != nil {
			rules := k.Announce.value()
			n.Announce = &rules
		}
		if l.known(&l.hours, k.Hours) {
			n.Hours = HoursID(k.Hours.V)
		}
		if n.Number == "" {
			continue
		}
		if first, twice := l.numbers[n.Number]; twice {
			l.report.Add(e.At, "", "the number %s is already declared at %s", n.Number, first.at)
			continue
		}
		n.Needs, n.Priority = l.needed(k.Needs), k.Priority.V
		if k.Closed.Set && !k.Hours.Set {
			l.report.Add(k.Closed.At, "give the number hours", "the number is never closed, and says what then")
		}
		l.numbers[n.Number] = calledNumber{at: e.At, group: n.Group, needs: n.Needs, closed: k.Closed}
		l.config.Numbers = append(l.config.Numbers, n)
	}
}
