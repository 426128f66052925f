package queuegroups

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"centrala/queuegroups/strictyaml"
)

func (l *loader) buildMusic(entries []strictyaml.Entry[musicKeys]) {
	for _, e := range entries {
		files := e.Value.Files
		if files.Set && !files.Bad && len(files.Items) == 0 {
			l.report.Add(files.At, "", "hold music %s has no files", e.Key)
		}
		m := Music{ID: MusicID(e.Key)}
		for _, v := range files.Items {
			if v.Bad {
				continue
			}
			if err := l.checkSound(v.V); err != nil {
				l.report.Add(v.At, "", "%v", err)
			}
			m.Files = append(m.Files, v.V)
		}
		l.config.HoldMusic = append(l.config.HoldMusic, m)
	}
}

// checkSound looks at how a file begins; what it holds is for the player to judge,
// who also knows which files are built in.
func (l *loader) checkSound(name string) error {
	if strings.HasPrefix(name, "builtin:") {
		return nil
	}
	r, err := l.Open(name)
	if err != nil {
		return plainError(name, err)
	}
	defer r.Close()
	var head [12]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil && n == 0 && !errors.Is(err, io.EOF) {
		return plainError(name, err)
	}
	isWAV := bytes.HasPrefix(head[:], []byte("RIFF")) && bytes.HasSuffix(head[:], []byte("WAVE"))
	isMP3 := bytes.HasPrefix(head[:], []byte("ID3")) || head[0] == 0xff && head[1]&0xe6 == 0xe2 // a tag, or a frame of layer III
	if !isWAV && !isMP3 {
		return fmt.Errorf("%s is neither a WAV nor an MP3 file", name)
	}
	return nil
}

// maxHolidays is the largest file of holidays, in bytes.
const maxHolidays = 1 << 20

func (l *loader) buildHours(entries []strictyaml.Entry[hoursKeys]) {
	for _, e := range entries {
		k := e.Value
		h := Hours{ID: HoursID(e.Key), TimeZone: k.Timezone.V}
		if k.Timezone.Set && !k.Timezone.Bad {
			h.zone = l.timeZone(k.Timezone)
		}
		h.Week = l.week(k.Open)
		h.Holidays = l.holidays(k.Holidays)
		l.config.Hours = append(l.config.Hours, h)
	}
}

func (l *loader) timeZone(v text) *time.Location {
	if zone, err := time.LoadLocation(v.V); err == nil && v.V != "" && v.V != "Local" {
		return zone
	}
	hint := "write a name such as Europe/Warsaw"
	// "europe/warsaw" and "Warsaw" are common slips.
	words := strings.Split(strings.ToLower(v.V), "/")
	for i, w := range words {
		parts := strings.FieldsFunc(w, func(r rune) bool { return r == '_' || r == ' ' })
		for j, p := range parts {
			parts[j] = strings.ToUpper(p[:1]) + p[1:]
		}
		words[i] = strings.Join(parts, "_")
	}
	name := strings.Join(words, "/")
	for _, guess := range []string{name, "Europe/" + name, "America/" + name, "Asia/" + name, "Africa/" + name, "Australia/" + name} {
		if _, err := time.LoadLocation(guess); err == nil && name != "" && name != "Local" {
			hint = "did you mean " + guess + "?"
			break
		}
	}
	l.report.Add(v.At, hint, "%q is not a known time zone", v.V)
	return nil
}

// span is an interval on one day of the week, with its place.
type span struct {
	day int // time.Weekday
	Interval
	at strictyaml.Pos
}

func (s span) start() int     { return s.day*minutesPerDay + s.From }
func (s span) end() int       { return s.day*minutesPerDay + s.To }
func (s span) String() string { return dayNames[s.day] + " " + s.Interval.String() }

func (l *loader) week(open strictyaml.Map[texts]) [7][]Interval {
	var spans []span
	for _, e := range open.Entries {
		days, err := parseDays(e.Key)
		if err != nil {
			l.report.Add(e.At, strictyaml.DidYouMean(e.Key, dayNames[:]), "%v", err)
		}
		for _, v := range e.Value.Items {
			if v.Bad {
				continue
			}
			interval, hint, err := parseInterval(v.V)
			if err != nil {
				l.report.Add(v.At, hint, "%v", err)
				continue
			}
			for _, day := range days {
				spans = append(spans, span{day: day, Interval: interval, at: v.At})
			}
		}
	}
	l.overlapping(spans)
	var week [7][]Interval
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Compare(a.start(), b.start()) })
	for _, s := range spans {
		week[s.day] = append(week[s.day], s.Interval)
	}
	return week
}

// overlapping reports each interval that begins while another is running, the
// end of Saturday's running into Sunday. An interval is reported once, however
// many days it is given for.
func (l *loader) overlapping(spans []span) {
	if len(spans) == 0 {
		return
	}
	sorted := slices.Clone(spans)
	slices.SortStableFunc(sorted, func(a, b span) int { return cmp.Compare(a.start(), b.start()) })
	latest := slices.MaxFunc(sorted, func(a, b span) int { return cmp.Compare(a.end(), b.end()) })
	const week = 7 * minutesPerDay
	runningTo := latest.end() - week // of the interval that runs on from the week before
	running, reported := latest, map[strictyaml.Pos]bool{}
	for _, s := range sorted {
		if s.start() < runningTo && !reported[s.at] {
			reported[s.at] = true
			l.report.Add(s.at, "", "%s overlaps %s, at %s", s, running, running.at)
		}
		if s.end() > runningTo {
			running, runningTo = s, s.end()
		}
	}
}

// dayNames are the days as in YAML, by time.Weekday.
var dayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// parseDays reads "mon", "mon-fri", "sat-mon" or "sat,sun".
func parseDays(key string) ([]int, error) {
	var days []int
	for part := range strings.SplitSeq(key, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		first, last := slices.Index(dayNames[:], from), slices.Index(dayNames[:], to)
		if first < 0 || last < 0 {
			return nil, fmt.Errorf("%q is not a day such as mon, or days such as mon-fri or sat,sun", key)
		}
		for day := first; ; day = (day + 1) % 7 {
			days = append(days, day)
			if day == last {
				break
			}
		}
	}
	return days, nil
}

var intervalPattern = regexp.MustCompile(`^\s*(\d{1,2})(?::(\d{2}))?\s*[-–]\s*(\d{1,2})(?::(\d{2}))?\s*$`)

// parseInterval reads "08:00-18:00" or, over midnight, "22:00-06:00".
func parseInterval(s string) (Interval, string, error) {
	m := intervalPattern.FindStringSubmatch(s)
	if m == nil {
		return Interval{}, "", fmt.Errorf("%q is not a time such as 08:00-18:00", s)
	}
	from, to := clock(m[1], m[2]), clock(m[3], m[4])
	switch {
	case from < 0 || to < 0 || from >= minutesPerDay:
		return Interval{}, "", fmt.Errorf("%q is not within 00:00 and 24:00", s)
	case m[2] == "" || m[4] == "":
		meant := fmt.Sprintf("%02d:%02d-%02d:%02d", from/60, from%60, to/60, to%60)
		return Interval{}, "did you mean " + meant + "?", fmt.Errorf("%q is not a time such as 08:00-18:00", s)
	case from == to:
		return Interval{}, "the whole day is 00:00-24:00", fmt.Errorf("%q is no time at all", s)
	case to < from:
		to += minutesPerDay
	}
	return Interval{From: from, To: to}, "", nil
}

// clock gives the minutes after midnight; -1 if there is no such time.
func clock(hour, minute string) int {
	h, _ := strconv.Atoi(hour) // the pattern lets only digits through
	m, _ := strconv.Atoi(minute)
	if m > 59 || h*60+m > minutesPerDay {
		return -1
	}
	return h*60 + m
}

// holidays reads dates, and files of dates with their names.
func (l *loader) holidays(list texts) []Date {
	var dates []Date
	for _, v := range list.Items {
		if v.Bad {
			continue
		}
		if date, err := ParseDate(v.V); err == nil {
			dates = append(dates, date)
			continue
		} else if v.V != "" && strings.Trim(v.V, "0123456789-") == "" {
			l.report.Add(v.At, "", "%v", err)
			continue
		}
		file, err := l.read(v.V, maxHolidays)
		if err != nil {
			l.report.Add(v.At, "", "%v", err)
			continue
		}
		var days strictyaml.Map[text]
		strictyaml.Decode(strictyaml.NewSource(file.Name, file.Data), &days, &l.report)
		for _, e := range days.Entries {
			date, err := ParseDate(e.Key)
			if err != nil {
				l.report.Add(e.At, "", "%v", err)
				continue
			}
			dates = append(dates, date)
		}
	}
	slices.SortFunc(dates, Date.compare)
	return slices.Compact(dates)
}
