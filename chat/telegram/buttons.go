package telegram

import (
	"context"

	"centrala/chat"
)

// narrow is the longest label, in bytes, of buttons that stand beside each other: "5 ★".
const narrow = 5

type wireButton struct {
	Text string `json:"text"`
	Data string `json:"callback_data"`
}

// keyboard has buttons one below another, or, if all are narrow, in one row.
func keyboard(list []chat.Button) [][]wireButton {
	var rows [][]wireButton
	beside := true
	for _, b := range list {
		beside = beside && len(b.Label) <= narrow
	}
	for k, b := range list {
		if k == 0 || !beside {
			rows = append(rows, nil)
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], wireButton{b.Label, b.Data})
	}
	return rows
}

// markup is how buttons go with a message. That which shares the customer's number is one of
// their program's own, and stands below the field in which they write.
func markup(list []chat.Button) map[string]any {
	if list[0].Data == chat.ShareContact {
		share := map[string]any{"text": list[0].Label, "request_contact": true}
		return map[string]any{"keyboard": [][]any{{share}}, "resize_keyboard": true, "one_time_keyboard": true}
	}
	return map[string]any{"inline_keyboard": keyboard(list)}
}

func labels(list []chat.Button) (out []string) {
	for _, b := range list {
		out = append(out, b.Label)
	}
	return out
}

// quiet ends the sign at the customer's that a button is being dealt with, once what it says
// has been kept. Nothing is lost where that fails: the sign ends by itself.
func (c *Connector) quiet(ctx context.Context, press string) {
	if err := c.quickly(ctx, "answerCallbackQuery", map[string]string{"callback_query_id": press}, nil); err != nil {
		c.log.Debug().Str("channel", c.channel).Str("reason", err.Error()).Msg("a button was not answered")
	}
}
