package mp3

// decoder makes sound of whole frames of layer III, one after the other, both channels mixed.
type decoder struct {
	// data are those of this frame and, before them, as many of those before as it may need: an encoder puts what
	// one frame has no room for into earlier ones (the bit reservoir, ISO 11172-3 2.4.3.4).
	data      []byte
	scales    [2]scales
	spectra   [2]spectrum
	hybrids   [2]hybrid
	synthesis synthesis
}

// maxReservoir is how many bytes a frame's data may begin before its own: main_data_begin has 9 bits at most.
const maxReservoir = 511

// decode appends the frame's samples, of about -1 to 1. What of it cannot be decoded is silence, and so is a frame
// whose data began in one that is missing.
func (d *decoder) decode(h header, frame []byte, out []float32) []float32 {
	body := frame[h.body():]
	own := body[h.sideInfo():]
	before := d.data[max(0, len(d.data)-maxReservoir):]
	d.data = append(d.data[:copy(d.data, before)], own...)

	s, err := readSide(h, body[:h.sideInfo()])
	start := len(d.data) - len(own) - s.begin
	good := err == nil && start >= 0
	r := bits{b: d.data, at: 8 * max(start, 0)}
	for i := range h.samples() / lines {
		var sum slots
		d.granule(h, &s, i, &r, good)
		for c := range h.channels {
			g := &s.granules[i][c]
			d.hybrids[c].add(&d.spectra[c], g.block, g.lowest(h), 1/float32(h.channels), &sum)
		}
		for n := range sum {
			out = d.synthesis.add(&sum[n], out)
		}
	}
	return out
}

// lowest is how many of the lowest subbands are ordinary long blocks although the others are not.
func (g *granule) lowest(h header) int {
	if !g.mixed {
		return 0
	}
	return bandsOf(h, long)[longOfMixed(h.version)-1].end() / perBand
}

// granule reads the spectra of a granule; what is not good is silence.
func (d *decoder) granule(h header, s *side, i int, r *bits, good bool) {
	for c := range h.channels {
		g := &s.granules[i][c]
		end := r.at + g.bits
		if !good || end > 8*len(r.b) || d.channel(h, s, i, c, r, end) != nil {
			d.spectra[c].silence()
		}
		r.at = end
	}
	if h.channels == 2 {
		g := &s.granules[i][1]
		j := joint{
			h: h, left: &d.spectra[0], right: &d.spectra[1],
			bands: bandsOf(h, g.kind()), scales: &d.scales[1], strong: g.scaleIndex&1 == 1,
		}
		j.split()
	}
	for c := range h.channels {
		g, x := &s.granules[i][c], &d.spectra[c]
		smooth := subbands
		if k := g.kind(); k != long {
			x.reorder(bandsOf(h, k))
			smooth = g.lowest(h)
		}
		x.smooth(smooth)
	}
}

// channel reads one channel's lines, in the order of their bands.
func (d *decoder) channel(h header, s *side, i, c int, r *bits, end int) error {
	g := &s.granules[i][c]
	switch {
	case h.version != mpeg1:
		d.scales[c].readLow(r, g, c == 1 && h.byPlace())
	case i == 0:
		d.scales[c].read(r, g, [4]bool{})
	default:
		d.scales[c].read(r, g, s.share[c])
	}
	var values [lines]int32
	used, err := g.readLines(r, end, &values)
	if err != nil {
		return err
	}
	d.spectra[c].requantize(g, bandsOf(h, g.kind()), &d.scales[c].factor, &values, used)
	return nil
}
