package holdmusic

import "math"

// All levels are relative to full scale, in decibels; loudness is that of ITU-R BS.1770-5, which EBU R 128
// uses too: weighted by frequency as the ear does, mean of what is no pause. A tone of 1000 Hz with a root
// mean square of -23 dB has a loudness of -23.
const (
	// targetLevel is the loudness of what is played: R 128's for programmes, and a
	// little more than speech on a telephone line (about -26 dB, ITU-T P.56), since
	// music on hold is listened to with half an ear.
	targetLevel = -23.0

	// peakLevel is what the loudest sample may reach, so that nothing clips.
	peakLevel = -3.0

	// maxGain keeps a recording of next to nothing from becoming loud noise.
	maxGain = 40.0

	// closeEnough is how far from the target a recording may end up, in decibels.
	closeEnough = 0.1

	// Blocks below the first gate are pauses, and those so far below the mean of the others.
	absoluteGate = -70.0
	relativeGate = -10.0
)

// Loudness is measured over blocks of 400 ms, one every 100 ms; over 50 ms where all is shorter than two
// seconds, as words are.
const (
	blockStep  = rate / 10
	blockSteps = 4
	wordStep   = rate / 20
	word       = 2 * rate
)

// evenOut brings a recording to the loudness at which all are played, in place, by one gain for the whole
// of it. Peaks that this would lift too high are turned down where they are.
func evenOut(r *recording) {
	// What is turned down counts for less afterwards, so that it takes a few rounds.
	left := maxGain
	for range 5 {
		missing := targetLevel - loudness(r)
		if math.IsInf(missing, 1) || math.Abs(missing) < closeEnough {
			return
		}
		step := min(missing, left)
		left -= step
		gain := float32(fromDB(step))
		for _, piece := range r.pieces {
			for i := range piece {
				piece[i] *= gain
			}
		}
		limit(r, float32(fromDB(peakLevel)))
	}
}

// loudness of a recording; minus infinity: it is silent.
func loudness(r *recording) float64 {
	step, steps := blockStep, blockSteps
	if r.len() < word {
		step, steps = wordStep, 1
	}
	var powers []float64 // of each step
	filter := newKWeighting()
	sum, n := 0.0, 0
	for _, piece := range r.pieces {
		for _, v := range piece {
			y := filter.next(float64(v))
			sum += y * y
			if n++; n == step {
				powers = append(powers, sum/float64(step))
				sum, n = 0, 0
			}
		}
	}
	if len(powers) < steps && n > 0 { // shorter than a block
		powers = append(powers, sum/float64(n))
		steps = 1
	}
	blocks := powers[:0:0]
	for i := range max(0, len(powers)-steps+1) {
		blocks = append(blocks, mean(powers[i:i+steps], 0))
	}
	all := mean(blocks, power(absoluteGate))
	return level(mean(blocks, max(power(absoluteGate), all*math.Pow(10, relativeGate/10))))
}

// level is the loudness of weighted audio of this mean square, power the inverse (BS.1770 formula 2).
func level(meanSquare float64) float64 { return -0.691 + 10*math.Log10(meanSquare) }

func power(level float64) float64 { return math.Pow(10, (level+0.691)/10) }

// mean is the mean of those values that are at least the limit; 0 if there are none.
func mean(values []float64, limit float64) float64 {
	var sum float64
	var n int
	for _, v := range values {
		if v >= limit {
			sum += v
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// fromDB turns decibels into a factor of amplitude.
func fromDB(db float64) float64 { return math.Pow(10, db/20) }

// biquad is a filter of the second order.
type biquad struct{ b0, b1, b2, a1, a2, x1, x2, y1, y2 float64 }

func (f *biquad) next(x float64) float64 {
	y := f.b0*x + f.b1*f.x1 + f.b2*f.x2 - f.a1*f.y1 - f.a2*f.y2
	f.x2, f.x1, f.y2, f.y1 = f.x1, x, f.y1, y
	return y
}

// kWeighting is the filter of BS.1770, whose tables are for 48000 Hz, at 8000 Hz: the same two analogue
// filters, a shelf for the head and a high pass, by the bilinear transform.
type kWeighting struct{ shelf, highPass biquad }

func newKWeighting() *kWeighting {
	const (
		shelfHertz, shelfGain, shelfQ, shelfMiddle = 1681.974450955533, 3.999843853973347, 0.7071752369554196, 0.4996667741545416
		highPassHertz, highPassQ                   = 38.13547087602444, 0.5003270373238773
	)
	k := math.Tan(math.Pi * shelfHertz / rate)
	high := fromDB(shelfGain)
	middle := math.Pow(high, shelfMiddle)
	a0 := 1 + k/shelfQ + k*k
	shelf := biquad{
		b0: (high + middle*k/shelfQ + k*k) / a0, b1: 2 * (k*k - high) / a0, b2: (high - middle*k/shelfQ + k*k) / a0,
		a1: 2 * (k*k - 1) / a0, a2: (1 - k/shelfQ + k*k) / a0,
	}
	k = math.Tan(math.Pi * highPassHertz / rate)
	a0 = 1 + k/highPassQ + k*k
	return &kWeighting{shelf, biquad{b0: 1, b1: -2, b2: 1, a1: 2 * (k*k - 1) / a0, a2: (1 - k/highPassQ + k*k) / a0}}
}

func (f *kWeighting) next(x float64) float64 { return f.highPass.next(f.shelf.next(x)) }

// How the limiter turns down: over 5 ms before a peak, and up again within a fifth of a second.
const (
	attack  = rate / 200
	release = 1.0 / (rate / 10)
)

// limit turns a recording down round each peak, in place, so that no sample is above the ceiling.
func limit(r *recording, ceiling float32) {
	if r.peak() <= ceiling {
		return
	}
	n := r.len()
	var (
		wanted  [2 * attack]float32 // factors of the samples ahead, a ring
		settled [attack]float32     // factors after the release, a ring, and their sum
		sum     float32
		now     = float32(1)
	)
	want := func(i int) float32 {
		if i >= n {
			return 1
		}
		v := *r.at(i)
		return min(1, ceiling/max(v, -v, ceiling))
	}
	for i := range attack {
		wanted[i] = want(i)
		now = min(now, wanted[i])
	}
	for i := range settled {
		settled[i] = now
	}
	for i := range n {
		wanted[(i+attack-1)%len(wanted)] = want(i + attack - 1)
		least := float32(1)
		if low := wanted[i%len(wanted)]; low < 1 || now < 1 || wanted[(i+attack-1)%len(wanted)] < 1 {
			for k := range attack {
				least = min(least, wanted[(i+k)%len(wanted)])
			}
		}
		now = min(least, now+(1-now)*release)
		settled[i%attack] = now
		if now == 1 && sum == attack {
			continue
		}
		sum = 0
		for _, s := range settled {
			sum += s
		}
		// The mean of factors none of which lets a peak through does not either.
		*r.at(i) *= sum / attack
	}
}
