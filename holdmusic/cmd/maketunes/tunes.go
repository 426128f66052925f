package main

// chord is the notes that the accompaniment plays in one bar: a root for the
// bass and four notes above it (MIDI numbers).
type chord struct {
	root  int
	notes [4]int
}

// note is one note of a melody: when, how long (both in ticks of the tune) and which.
type note struct{ at, length, pitch int }

// calm is a slow tune of eight bars, 24 seconds: broken chords over strings and
// a few notes of a melody.
func calm() []int16 {
	const (
		tick = 3000 // an eighth note: 80 beats a minute
		bar  = 8 * tick
	)
	chords := []chord{
		{43, [4]int{62, 66, 69, 71}}, // G, major seventh and ninth
		{40, [4]int{62, 64, 67, 71}}, // E minor seventh
		{48, [4]int{62, 64, 67, 71}}, // C, major seventh and ninth
		{50, [4]int{62, 66, 69, 76}}, // D with a ninth
		{47, [4]int{62, 66, 67, 71}}, // G over B
		{40, [4]int{62, 66, 67, 71}}, // E minor ninth
		{45, [4]int{60, 64, 67, 71}}, // A minor ninth
		{50, [4]int{60, 64, 67, 69}}, // D, suspended
	}
	pattern := [8]int{0, 1, 2, 3, 2, 3, 1, 2} // which note of the chord on each eighth
	melody := []note{
		{0, 6, 78}, {6, 2, 79}, {8, 7, 83}, {16, 4, 79}, {20, 4, 78}, {24, 7, 76},
		{32, 6, 74}, {38, 2, 76}, {40, 7, 79}, {48, 4, 76}, {52, 4, 72}, {56, 7, 74},
	}
	t := newTrack(len(chords) * bar)
	for i, c := range chords {
		start := i * bar
		t.play(strings, c.root+12, start, bar-2*tick, 40)
		for _, n := range c.notes {
			t.play(strings, n, start, bar-2*tick, 22)
		}
		for j, k := range pattern {
			velocity := 50
			if j%4 == 0 {
				velocity = 64
			}
			t.play(glass, c.notes[k], start+j*tick, 3*tick, velocity)
		}
	}
	for _, n := range melody {
		t.play(glass, n.pitch, n.at*tick, n.length*tick, 80)
	}
	t.echo(2*tick + 200)
	return t.samples(18000)
}

// jazz is a swinging tune of twelve bars, 24 seconds: walking bass, electric
// piano, brushes and a vibraphone.
func jazz() []int16 {
	const (
		tick = 1333 // a third of a beat: 120 beats a minute, in triplets
		beat = 4000
		bar  = 4 * beat
	)
	// A blues in F with a II-V-I at its end.
	chords := []chord{
		{41, [4]int{63, 67, 69, 74}}, {46, [4]int{62, 65, 68, 72}}, {41, [4]int{63, 67, 69, 74}}, {41, [4]int{63, 66, 69, 74}},
		{46, [4]int{62, 65, 68, 72}}, {47, [4]int{62, 65, 68, 71}}, {41, [4]int{63, 67, 69, 74}}, {38, [4]int{60, 66, 69, 75}},
		{43, [4]int{62, 65, 69, 70}}, {48, [4]int{62, 64, 69, 70}}, {41, [4]int{63, 67, 69, 74}}, {48, [4]int{63, 64, 69, 70}},
	}
	walk := [][4]int{
		{41, 45, 48, 45}, {46, 50, 53, 47}, {41, 43, 45, 48}, {41, 48, 45, 42},
		{46, 50, 53, 50}, {47, 50, 53, 47}, {48, 45, 41, 40}, {38, 42, 45, 42},
		{43, 46, 50, 49}, {48, 52, 55, 52}, {41, 45, 38, 42}, {43, 46, 48, 40},
	}
	// When the piano plays within a bar, in thirds of a beat: a different pair each bar of three.
	stabs := [3][2]int{{2, 6}, {5, 9}, {3, 8}}
	melody := []note{ // in thirds of a beat from the beginning
		{2, 3, 72}, {5, 1, 75}, {6, 3, 77}, {11, 4, 74}, {18, 2, 77}, {20, 4, 80}, {26, 3, 77}, {29, 4, 72},
		{36, 3, 75}, {39, 2, 77}, {41, 4, 81}, {48, 3, 80}, {51, 2, 77}, {53, 5, 74}, {62, 1, 71}, {63, 5, 74},
		{72, 3, 77}, {75, 2, 75}, {77, 4, 72}, {84, 3, 75}, {87, 2, 74}, {89, 4, 72}, {96, 2, 74}, {98, 3, 77},
		{102, 2, 81}, {104, 4, 82}, {110, 2, 79}, {113, 4, 76}, {120, 3, 77}, {125, 1, 75}, {126, 4, 72},
		{134, 3, 70}, {138, 4, 69},
	}
	t := newTrack(len(chords) * bar)
	for i, c := range chords {
		start := i * bar
		for j, n := range walk[i] {
			t.play(bass, n, start+j*beat, beat-300, 90)
			t.brush(start+j*beat, 500+400*(j%2), 20+10*(j%2))
			if j%2 == 1 { // the skip of the swing, on the last third of the beat
				t.brush(start+j*beat+2*tick, 350, 16)
			}
		}
		for _, at := range stabs[i%len(stabs)] {
			for _, n := range c.notes {
				t.play(epiano, n, start+at*tick, 2*tick, 34)
			}
		}
	}
	for _, n := range melody {
		t.play(vibes, n.pitch, n.at*tick, n.length*tick, 84)
	}
	t.echo(beat - tick)
	return t.samples(20000)
}
