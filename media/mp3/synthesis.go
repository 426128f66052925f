package mp3

// synthesis turns samples of the subbands into sound (ISO 11172-3 2.4.3.2.2, figure A.2).
type synthesis struct {
	ring [16][64]float32 // what the last 16 slots were turned into
	at   int             // the newest
}

// add appends the 32 samples of a slot.
func (s *synthesis) add(slot *[subbands]float32, out []float32) []float32 {
	t := tables()
	s.at = (s.at - 1) & 15
	transform(slot, &s.ring[s.at])
	var sum [32]float32
	for i := range 8 {
		a, b := &s.ring[(s.at+2*i)&15], &s.ring[(s.at+2*i+1)&15]
		wa, wb := (*[32]float32)(t.window[64*i:]), (*[32]float32)(t.window[64*i+32:])
		for j := range sum {
			sum[j] += a[j]*wa[j] + b[32+j]*wb[j]
		}
	}
	return append(out, sum[:]...)
}

// transform sets v[i] to the sum over k of slot[k] × cos((16+i)(2k+1)π/64). But for their signs these are the 32 values
// of a cosine transform, in which the two halves of the slot have the same factors, again but for their signs.
func transform(slot *[subbands]float32, v *[64]float32) {
	t := tables()
	var even, odd [16]float32
	for k := range even {
		even[k] = slot[k] + slot[31-k]
		odd[k] = slot[k] - slot[31-k]
	}
	var c [32]float32
	for n := 0; n < 32; n += 2 {
		var a, b float32
		forEven, forOdd := &t.cosines[n], &t.cosines[n+1]
		for k := range even {
			a += even[k] * forEven[k]
			b += odd[k] * forOdd[k]
		}
		c[n], c[n+1] = a, b
	}
	for i := range 16 {
		v[i] = c[16+i]
		v[17+i] = -c[31-i]
		v[33+i] = -c[15-i]
		v[48+i] = -c[i]
	}
	v[16] = 0
}

// window is the first half of the synthesis window (ISO 11172-3 table 3-B.3), in steps of 1/65536, with the value
// in the middle; the second is the first backwards, with the other sign but at multiples of 64.
var window = [257]int32{
	0, -1, -1, -1, -1, -1, -1, -2, -2, -2, -2, -3, -3, -4, -4, -5,
	-5, -6, -7, -7, -8, -9, -10, -11, -13, -14, -16, -17, -19, -21, -24, -26,
	-29, -31, -35, -38, -41, -45, -49, -53, -58, -63, -68, -73, -79, -85, -91, -97,
	-104, -111, -117, -125, -132, -139, -147, -154, -161, -169, -176, -183, -190, -196, -202, -208,
	213, 218, 222, 225, 227, 228, 228, 227, 224, 221, 215, 208, 200, 189, 177, 163,
	146, 127, 106, 83, 57, 29, -2, -36, -72, -111, -153, -197, -244, -294, -347, -401,
	-459, -519, -581, -645, -711, -779, -848, -919, -991, -1064, -1137, -1210, -1283, -1356, -1428, -1498,
	-1567, -1634, -1698, -1759, -1817, -1870, -1919, -1962, -2001, -2032, -2057, -2075, -2085, -2087, -2080, -2063,
	2037, 2000, 1952, 1893, 1822, 1739, 1644, 1535, 1414, 1280, 1131, 970, 794, 605, 402, 185,
	-45, -288, -545, -814, -1095, -1388, -1692, -2006, -2330, -2663, -3004, -3351, -3705, -4063, -4425, -4788,
	-5153, -5517, -5879, -6237, -6589, -6935, -7271, -7597, -7910, -8209, -8491, -8755, -8998, -9219, -9416, -9585,
	-9727, -9838, -9916, -9959, -9966, -9935, -9863, -9750, -9592, -9389, -9139, -8840, -8492, -8092, -7640, -7134,
	6574, 5959, 5288, 4561, 3776, 2935, 2037, 1082, 70, -998, -2122, -3300, -4533, -5818, -7154, -8540,
	-9975, -11455, -12980, -14548, -16155, -17799, -19478, -21189, -22929, -24694, -26482, -28289, -30112, -31947, -33791, -35640,
	-37489, -39336, -41176, -43006, -44821, -46617, -48390, -50137, -51853, -53534, -55178, -56778, -58333, -59838, -61289, -62684,
	-64019, -65290, -66494, -67629, -68692, -69679, -70590, -71420, -72169, -72835, -73415, -73908, -74313, -74630, -74856, -74992,
	75038,
}
