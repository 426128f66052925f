package stats

import (
	"math/big"
	"strings"
)

// places is how many decimals a figure is written with at most.
const places = 6

// Decimal writes the figure in its unit with at most six decimals, rounded half
// away from zero, exactly so; empty: it is unknown.
func (v Value) Decimal() string {
	if !v.Known() {
		return ""
	}
	return decimal(v.Part, v.Of, v.scale())
}

// PartDecimal writes what is divided, in the unit: seconds of a mean in seconds.
func (v Value) PartDecimal() string { return decimal(v.Part, 1, v.scale()) }

// scale is by how much Part's unit is smaller than the figure's.
func (v Value) scale() int64 {
	switch v.Unit {
	case Seconds:
		return second
	case Score:
		return 100
	case Count, Share:
	}
	return 1
}

func decimal(part, of, scale int64) string {
	n := new(big.Int).Mul(big.NewInt(part), new(big.Int).Exp(big.NewInt(10), big.NewInt(places), nil))
	d := new(big.Int).Mul(big.NewInt(of), big.NewInt(scale))
	negative := n.Sign()*d.Sign() < 0
	n.Abs(n)
	d.Abs(d)
	n.Lsh(n, 1).Add(n, d)
	n.Quo(n, d.Lsh(d, 1)) // (2n + d) / 2d
	text := n.String()
	text = strings.Repeat("0", max(0, places+1-len(text))) + text
	text = text[:len(text)-places] + "." + text[len(text)-places:]
	text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	if negative && text != "0" {
		text = "-" + text
	}
	return text
}
