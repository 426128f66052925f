package edge

import (
	"fmt"
	"net"
	"net/netip"
)

// maxLocal bounds how many sockets an unspecified address can become.
const maxLocal = 64

// Expand replaces an unspecified address by every concrete local one, because
// requests have to leave from, and name, an address that the peer can answer
// to. Link-local and multicast addresses are left out.
func Expand(a netip.AddrPort) ([]netip.AddrPort, error) {
	if !a.Addr().IsUnspecified() {
		return []netip.AddrPort{a}, nil
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("local addresses: %w", err)
	}
	var list []netip.AddrPort
	for _, n := range addrs {
		p, err := netip.ParsePrefix(n.String())
		if err != nil {
			continue
		}
		ip := p.Addr().Unmap()
		if ip.IsLinkLocalUnicast() || ip.IsMulticast() || a.Addr().Is4() && !ip.Is4() {
			continue
		}
		if len(list) < maxLocal {
			list = append(list, netip.AddrPortFrom(ip, a.Port()))
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: this machine has no address", a)
	}
	return list, nil
}

// Towards is the local address that the kernel would send from to reach remote.
func Towards(remote netip.Addr) (netip.Addr, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(remote, 9)))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("no route to %s: %w", remote, err)
	}
	defer func() { _ = c.Close() }() // nothing was sent
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}
