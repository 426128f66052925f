package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// askPassword asks for a new password, twice and unseen, at a terminal; otherwise it is the
// first line of the standard input.
func askPassword(prompt string) (string, error) {
	in := bufio.NewReader(os.Stdin)
	fd := int(os.Stdin.Fd())
	was, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil { // no terminal
		return line(in)
	}
	silent := *was
	silent.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &silent); err != nil {
		return "", fmt.Errorf("hide what is typed: %w", err)
	}
	defer func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, was) }() // the shell sets its own
	ask := func(prompt string) (string, error) {
		fmt.Fprint(os.Stderr, prompt+": ")
		text, err := line(in)
		fmt.Fprintln(os.Stderr)
		return text, err
	}
	first, err := ask(prompt)
	if err != nil {
		return "", err
	}
	second, err := ask("Once more")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", fmt.Errorf("%w: the two differ", errUsage)
	}
	return first, nil
}

func line(in *bufio.Reader) (string, error) {
	text, err := in.ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || text == "") {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(text, "\r\n"), nil
}
