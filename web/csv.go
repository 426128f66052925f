package web

import (
	"bytes"
	"encoding/csv"
	"strings"

	"centrala/internal/journal/stats"
)

// csvOut is a table to take away.
type csvOut struct {
	Type string `header:"Content-Type"`
	Name string `header:"Content-Disposition"`
	Body []byte
}

const csvType = "text/csv; charset=utf-8"

// byteOrderMark has spreadsheets read what follows as UTF-8.
const byteOrderMark = "\ufeff"

func csvName(name string) string { return `attachment; filename="` + name + `.csv"` }

// safe makes a text harmless in spreadsheets, which take what begins like a formula for one
// and carry it out.
func safe(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

// reportCSV writes a report, the total last.
func reportCSV(r *stats.Report, names []string, name string) (*csvOut, error) {
	figures := chosen(r, names)
	var b bytes.Buffer
	b.WriteString(byteOrderMark)
	w := csv.NewWriter(&b)
	head := texts(r.Query.By)
	for _, f := range figures {
		head = append(head, f.Name)
	}
	rows := [][]string{head}
	for k := range r.Lines {
		row := make([]string, 0, len(head))
		for _, key := range r.Lines[k].Key {
			row = append(row, safe(key))
		}
		rows = append(rows, values(row, &r.Lines[k], figures))
	}
	total := make([]string, len(r.Query.By), len(head))
	if len(total) > 0 {
		total[0] = "total"
	}
	rows = append(rows, values(total, &r.Total, figures))
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return &csvOut{Type: csvType, Name: csvName(name), Body: b.Bytes()}, nil
}

// values adds the figures of a line. They are numbers of our own making.
func values(row []string, l *stats.Line, figures []stats.Figure) []string {
	for _, f := range figures {
		row = append(row, f.Of(l).Decimal())
	}
	return row
}
