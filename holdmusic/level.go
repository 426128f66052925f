package holdmusic

import "math"

// All levels are relative to full scale, in decibels.
const (
	// targetLevel is the mean level of what is played: that of speech on a
	// telephone line (about -26 dB, ITU-T P.56) and a little more, since music on
	// hold is listened to with half an ear.
	targetLevel = -23.0

	// peakLevel is what the loudest sample may reach, so that nothing clips.
	peakLevel = -3.0

	// maxGain keeps a recording of next to nothing from becoming loud noise.
	maxGain = 24.0

	// levelBlock is the length over which the level is measured: 50 ms.
	levelBlock = rate / 20
)

// evenOut brings x (full scale: 1) to the level at which all files are played,
// in place, by one gain for the whole of it.
func evenOut(x []float32) {
	rms, peak := measure(x)
	if peak == 0 {
		return
	}
	gain := min(fromDB(targetLevel)/rms, fromDB(peakLevel)/peak, fromDB(maxGain))
	for i := range x {
		x[i] = float32(float64(x[i]) * gain)
	}
}

// measure gives the root mean square of those parts of x that are not pauses,
// and the largest absolute value. A part is a pause when it lies 10 dB or more
// below the mean of all, so that a prompt with silence round it is not made too loud.
func measure(x []float32) (rms, peak float64) {
	var powers []float64
	for start := 0; start < len(x); start += levelBlock {
		block := x[start:min(start+levelBlock, len(x))]
		var sum float64
		for _, v := range block {
			a := math.Abs(float64(v))
			peak = max(peak, a)
			sum += a * a
		}
		powers = append(powers, sum/float64(len(block)))
	}
	gate := mean(powers, 0) / 10
	return math.Sqrt(mean(powers, gate)), peak
}

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
