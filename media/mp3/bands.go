package mp3

// band is some neighbouring lines with one scale factor. In short blocks the bands of the three windows come one
// after the other, lowest frequencies first, which is the order in which their lines are coded.
type band struct {
	start, width int
	window       int // of a short block; whole for the bands of long ones
}

const whole = -1

func (b band) end() int { return b.start + b.width }

// kind is one of the three ways in which lines lie in bands.
type kind int

const (
	long kind = iota
	short
	mixed
)

// edges are where the bands of long blocks end, and those of one window of short ones.
type edges struct {
	long  [22]int
	short [13]int
}

// edgesOf are those of each rate (ISO 11172-3 table B.8, 13818-3 table B.2). Those of MPEG 2.5 are nobody's standard:
// 11025 and 12000 Hz have those of 16000 Hz, and 8000 Hz has some of its own, all as encoders and decoders agree.
func edgesOf(rate int) edges {
	switch rate {
	case 44100:
		return edges{
			[22]int{4, 8, 12, 16, 20, 24, 30, 36, 44, 52, 62, 74, 90, 110, 134, 162, 196, 238, 288, 342, 418, 576},
			[13]int{4, 8, 12, 16, 22, 30, 40, 52, 66, 84, 106, 136, 192},
		}
	case 48000:
		return edges{
			[22]int{4, 8, 12, 16, 20, 24, 30, 36, 42, 50, 60, 72, 88, 106, 128, 156, 190, 230, 276, 330, 384, 576},
			[13]int{4, 8, 12, 16, 22, 28, 38, 50, 64, 80, 100, 126, 192},
		}
	case 32000:
		return edges{
			[22]int{4, 8, 12, 16, 20, 24, 30, 36, 44, 54, 66, 82, 102, 126, 156, 194, 240, 296, 364, 448, 550, 576},
			[13]int{4, 8, 12, 16, 22, 30, 42, 58, 78, 104, 138, 180, 192},
		}
	case 22050:
		return edges{
			[22]int{6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522, 576},
			[13]int{4, 8, 12, 18, 24, 32, 42, 56, 74, 100, 132, 174, 192},
		}
	case 24000:
		return edges{
			[22]int{6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 114, 136, 162, 194, 232, 278, 332, 394, 464, 540, 576},
			[13]int{4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 136, 180, 192},
		}
	case 8000:
		return edges{
			[22]int{12, 24, 36, 48, 60, 72, 88, 108, 132, 160, 192, 232, 280, 336, 400, 476, 566, 568, 570, 572, 574, 576},
			[13]int{8, 16, 24, 36, 52, 72, 96, 124, 160, 162, 164, 166, 192},
		}
	}
	return edges{ // 16000, 12000, 11025
		[22]int{6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522, 576},
		[13]int{4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 134, 174, 192},
	}
}

// layout are the bands of each kind for one rate.
type layout [3][]band

// longOfMixed is how many long bands a mixed block begins with; its short ones begin with the fourth.
func longOfMixed(version int) int {
	if version == mpeg1 {
		return 8
	}
	return 6
}

func newLayout(rate, version int) *layout {
	l := &layout{}
	e := edgesOf(rate)
	start := 0
	for _, end := range e.long {
		l[long] = append(l[long], band{start, end - start, whole})
		start = end
	}
	l[mixed] = append(l[mixed], l[long][:longOfMixed(version)]...)
	start = 0
	for i, end := range e.short {
		for w := range 3 {
			width := end - start
			b := band{3*start + w*width, width, w}
			l[short] = append(l[short], b)
			if i >= 3 {
				l[mixed] = append(l[mixed], b)
			}
		}
		start = end
	}
	return l
}

// bandsOf are the bands of a frame with this header.
func bandsOf(h header, k kind) []band { return tables().layouts[h.rate][k] }
