#!/bin/sh
# Makes the spoken prompts: prompts/<language>/<name>.wav, 8 kHz, 16 bit, mono.
# Needs espeak-ng and sox (Debian packages of these names). Run it after a change
# to a text below and commit the files; another version of espeak-ng may speak a
# little differently.
set -eu
cd "$(dirname "$0")"
spoken=$(mktemp --suffix=.wav)
trap 'rm -f "$spoken"' EXIT

# say LANGUAGE VOICE NAME TEXT
say() {
	mkdir -p "$1"
	espeak-ng -v "$2" -s 145 -p 45 -w "$spoken" "$4"
	sox -D "$spoken" -r 8000 -b 16 -c 1 "$1/$3.wav" \
		highpass 150 gain -n -6 fade t 0.01 0 0.01 pad 0.2 0.6
}

say en en-gb please-wait "Please wait. We will be with you shortly."
say pl pl please-wait "Proszę czekać. Za chwilę odbierzemy."
say ru ru please-wait "Пожалуйста, подождите. Мы скоро вам ответим."
