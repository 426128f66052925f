package mp3

import "errors"

// errFrame says that a frame contradicts itself; it is played as silence.
var errFrame = errors.New("the frame contradicts itself")

// Lines and granules: a frame holds one granule (two with MPEG 1) of 576 lines of the spectrum for each channel.
const (
	lines    = 576
	subbands = 32
	perBand  = lines / subbands // lines of a subband, and samples that they become
)

// Block types (ISO 11172-3 2.4.2.7): how a granule is cut up in time.
const (
	longBlock  = 0
	startBlock = 1
	shortBlock = 2
	stopBlock  = 3
)

// side is the side information of a frame (ISO 11172-3 2.4.1.7, 13818-3 2.4.1.7).
type side struct {
	begin    int // main_data_begin: bytes before this frame's own data at which its data start
	share    [2][4]bool
	granules [2][2]granule // granule, channel
}

// granule is what the side information says of one channel in one granule.
type granule struct {
	bits       int // part2_3_length: of scale factors and lines
	pairs      int // big_values
	gain       int // global_gain, in quarters of a power of two, 210 for none
	scaleIndex int // scalefac_compress
	block      int
	mixed      bool // mixed_block_flag: the lowest subbands are long blocks whatever the others are
	tables     [3]int
	ends       [2]int // the lines at which the tables change
	windowGain [3]int // subblock_gain
	emphasis   bool   // preflag
	coarse     bool   // scalefac_scale
	quads      int    // number of the table of four values, less 32
}

// kind is how the granule's lines lie in bands.
func (g *granule) kind() kind {
	switch {
	case g.block != shortBlock:
		return long
	case g.mixed:
		return mixed
	}
	return short
}

// readSide reads the side information of a frame with this header.
func readSide(h header, b []byte) (s side, err error) {
	r := bits{b: b}
	granules := 1
	if h.version == mpeg1 {
		s.begin = r.number(9)
		r.at += 7 - 2*h.channels // private bits: 5 or 3
		for c := range h.channels {
			for i := range s.share[c] {
				s.share[c][i] = r.flag()
			}
		}
		granules = 2
	} else {
		s.begin = r.number(8)
		r.at += h.channels // private bits
	}
	for i := range granules {
		for c := range h.channels {
			if s.granules[i][c], err = readGranule(h, &r); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

func readGranule(h header, r *bits) (g granule, err error) {
	g.bits, g.pairs, g.gain = r.number(12), r.number(9), r.number(8)
	if h.version == mpeg1 {
		g.scaleIndex = r.number(4)
	} else {
		g.scaleIndex = r.number(9)
	}
	if r.flag() {
		g.block, g.mixed = r.number(2), r.flag()
		g.tables[0], g.tables[1] = r.number(5), r.number(5)
		for w := range g.windowGain {
			g.windowGain[w] = r.number(3)
		}
		// The second table reaches to the end. The first to the eighth long or the third short band.
		g.ends = [2]int{bandsOf(h, long)[7].end(), lines}
		if g.block == shortBlock {
			g.ends[0] = bandsOf(h, short)[8].end()
		}
		if g.block == longBlock {
			err = errFrame
		}
	} else {
		for i := range g.tables {
			g.tables[i] = r.number(5)
		}
		bands := bandsOf(h, long)
		first := r.number(4) + 1
		second := first + r.number(3) + 1
		g.ends = [2]int{bands[first-1].end(), bands[min(second, len(bands))-1].end()}
	}
	if h.version == mpeg1 {
		g.emphasis = r.flag()
	}
	g.coarse = r.flag()
	g.quads = r.number(1)
	if 2*g.pairs > lines {
		err = errFrame
	}
	return g, err
}
