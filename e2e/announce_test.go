package e2e

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"centrala/holdmusic"
	"centrala/media"
	"centrala/media/tone"
	"centrala/media/wav"
)

// The words of the tests' announcements, in hertz; all others are otherHertz.
const (
	nextHertz    = 1400
	waitHertz    = 1700
	twoHertz     = 2000
	minutesHertz = 2300
	otherHertz   = 100
)

// writeVoice writes clips of a Polish voice, each of which is a tone.
func (v *server) writeVoice(folder string) {
	v.t.Helper()
	v.writeVoiceOf(folder, map[string]float64{"next": nextHertz, "wait": waitHertz, "2f": twoHertz, "minute-few": minutesHertz})
}

// writeVoiceOf writes clips of these frequencies, in hertz, and all others of otherHertz.
func (v *server) writeVoiceOf(folder string, words map[string]float64) {
	v.t.Helper()
	if err := os.Mkdir(filepath.Join(v.dir, folder), 0o700); err != nil {
		v.t.Fatal(err)
	}
	for _, word := range holdmusic.Words("pl") {
		length := time.Second
		if word == "minute-few" {
			length = 20 * time.Second // so that the agent's answer falls into it
		}
		var file strings.Builder
		if err := wav.Write(&file, media.SampleRate, tone.Sine(cmp.Or(words[word], otherHertz), toneLevel, media.SampleRate, length)); err != nil {
			v.t.Fatal(err)
		}
		v.writeFile(filepath.Join(folder, word+".wav"), file.String())
	}
}

// A caller waits while the agent talks to another: between the music they are told
// that they are next and how long that will take, in words of the admin's own. The
// agent answers in the midst of it: not more than a packet or two of the
// announcement come after, and the stream goes on without a break.
func TestAnnouncement(t *testing.T) {
	t.Parallel()
	s := prepareServer(t, newSite(t), strings.Replace(oneAgent, "hold_music: calm}",
		"hold_music: calm, announce: {position: true, wait: true, first: 2s, every: 1m, language: pl, prompts: our-voice}}", 1)+
		"hold_music: {calm: {files: [calm.wav]}}\n")
	s.writeTone("calm.wav", calmHertz, 8000)
	s.writeVoice("our-voice")
	s.run()
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	first := s.call("+48600100201", "+48221234567", 500)
	anna.wait("rings", "CALL_INCOMING")
	anna.accept()
	first.waitTone("the first caller hears the agent", 900, time.Second)

	c := s.call("+48600100202", "+48221234567", 620)
	c.waitTone("music", calmHertz, time.Second)
	for _, hertz := range []float64{nextHertz, waitHertz, twoHertz, minutesHertz} {
		c.waitTone(fmt.Sprint("the word of ", hertz, " Hz"), hertz, 300*time.Millisecond)
	}
	s.waitLog("announced", "position", "1", "wait", "2m0s") // 90 s are assumed
	first.hangUp()
	first.waitOver()
	anna.waitNth("rings for the second caller", "CALL_INCOMING", 2)
	c.wantOnly(200*time.Millisecond, minutesHertz, calmHertz) // the announcement goes on meanwhile
	anna.accept()
	bridged := s.waitLog("bridged", "call_id", s.log("call arrived", "from", "+48600100202")[0].field("call_id")).at
	c.waitTone("the caller hears the agent", 900, time.Second)
	c.wantOnly(500*time.Millisecond, 900, minutesHertz, calmHertz)
	c.wantOneStream()
	is := func(p packet, hertz float64) bool { return tone.Level(p.samples, media.SampleRate, hertz) > loud }
	packets := c.heard(time.Time{})
	last := slices.IndexFunc(packets, func(p packet) bool { return is(p, 900) }) - 1
	if last < 0 || !is(packets[last], minutesHertz) {
		t.Errorf("between the announcement and the agent is something else")
	}
	for _, p := range packets[last+1:] {
		if is(p, minutesHertz) {
			t.Error("the announcement is heard after the agent")
		}
	}
	// What is behind the bridge may have been on its way; the announcement lasts 20 s.
	if late := packets[last].at.Sub(bridged); late > 10*time.Second { // which a busy machine may be held up for
		t.Errorf("the announcement went on for %v after the bridge", late)
	}
	c.hangUp()
	c.waitOver()
	anna.waitNth("is hung up on", "CALL_CLOSED", 2)
	s.waitFootprint(before)
}

// The voices that come with the server speak: after the music something is heard
// that is no music, and the music comes back.
func TestAnnouncement_BuiltinVoices(t *testing.T) {
	t.Parallel()
	for _, language := range holdmusic.Languages() {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, newSite(t), strings.Replace(oneAgent, "hold_music: calm}",
				"hold_music: calm, announce: {position: true, first: 1s, language: "+language+"}}", 1))
			c := s.call("+48600100200", "+48221234567", 500)
			c.waitTone("music", calmHertz, 500*time.Millisecond)
			eventually(t, "the music stops and somebody speaks", func() bool {
				pcm := c.last(c.since, 400*time.Millisecond)
				return len(pcm) > 0 && tone.Level(pcm, media.SampleRate, calmHertz) < quiet && loudness(pcm) > -35
			})
			c.waitTone("music again", calmHertz, time.Second)
			c.wantOneStream()
			c.hangUp()
			c.waitOver()
		})
	}
}

// loudness is the mean level of samples, in dBFS of a full-scale square wave.
func loudness(pcm []int16) float64 {
	var sum float64
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return 10 * math.Log10(sum/float64(len(pcm))/(32768*32768)+1e-12)
}

// Two numbers lead to one group. The callers of one hear the group's music and are told by the group's
// voice; those of the other hear music and a voice of their own, from an MP3 file and another folder; a
// third number's are told nothing.
func TestOwnFilesOfNumberAndGroup(t *testing.T) {
	t.Parallel()
	const jazz, groupNext, numberNext = 700, 1400, 2000
	announce := func(voice string) string {
		return "announce: {position: true, first: 1s, every: 15s, language: pl, prompts: " + voice + "}"
	}
	s := prepareServer(t, newSite(t), strings.Replace(oneAgent, "hold_music: calm}", "hold_music: calm, "+announce("group-voice")+"}", 1)+
		`  "+48 22 123 45 68": {trunk: carrier, group: sales, hold_music: jazz, `+announce("number-voice")+`}
  "+48 22 123 45 69": {trunk: carrier, group: sales, announce: {}}
hold_music: {calm: {files: [calm.wav]}, jazz: {files: [jazz.mp3]}}
`)
	s.writeTone("calm.wav", calmHertz, 8000)
	s.writeTone("jazz.wav", jazz, 44100)
	lame := exec.Command(needPeer(t, "lame"), "--quiet", "-b", "64", filepath.Join(s.dir, "jazz.wav"), filepath.Join(s.dir, "jazz.mp3"))
	if text, err := lame.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, text)
	}
	s.writeVoiceOf("group-voice", map[string]float64{"next": groupNext, "position": groupNext})
	s.writeVoiceOf("number-voice", map[string]float64{"next": numberNext, "position": numberNext})
	s.run()
	group := s.call("+48600100201", "+48221234567", 500)
	number := s.call("+48600100202", "+48221234568", 500)
	silent := s.call("+48600100203", "+48221234569", 500)
	group.waitTone("the group's music", calmHertz, 500*time.Millisecond)
	number.waitTone("the number's music", jazz, 500*time.Millisecond)
	group.waitTone("the group's voice", groupNext, 300*time.Millisecond)
	number.waitTone("the number's voice", numberNext, 300*time.Millisecond)
	group.waitTone("the group's music again", calmHertz, time.Second)
	number.waitTone("the number's music again", jazz, time.Second)
	silent.waitTone("the group's music", calmHertz, 3*time.Second)
	for who, c := range map[string]*caller{"the group's caller": group, "the number's caller": number, "who is told nothing": silent} {
		c.wantOneStream()
		pcm := samples(c.heard(time.Time{}))
		for hertz, belongs := range map[float64]bool{
			calmHertz: c != number, jazz: c == number, groupNext: c == group, numberNext: c == number,
		} {
			if is := slices.Max(tone.Levels(pcm, media.SampleRate, hertz, 100*time.Millisecond)) > loud; is != belongs {
				t.Errorf("%s: %v Hz is heard: %v", who, hertz, is)
			}
		}
		c.hangUp()
		c.waitOver()
	}
}
