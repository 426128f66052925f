package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"centrala/internal/eventlog"
)

// ErrUsage marks questions of the command line that make no sense.
var ErrUsage = errors.New("usage")

// enoughRoom is the free space on the disk of the data folder below which a failure
// to write there is most likely the lack of it, in bytes.
const enoughRoom = 1 << 20

// advised adds to an error of the start what an admin can do about it.
func advised(err error, data string) error {
	advice := ""
	switch {
	case err == nil || errors.Is(err, ErrBadConfig):
		return err
	case errors.Is(err, eventlog.ErrInUse):
		advice = "end the other server, or give this one a folder of its own by data:"
	case errors.Is(err, syscall.EADDRINUSE):
		advice = "another program has this port, maybe a server that still runs: end it, or change listen: (ss -tulpn tells which)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		advice = "this machine does not have that address: change listen:, and write the public address of a NAT as advertise:"
	case listening(err) && errors.Is(err, syscall.EACCES):
		advice = "ports below 1024 need the right CAP_NET_BIND_SERVICE, as packaging/systemd/centrala.service gives it, or choose a higher port in listen:"
	case free(data) < enoughRoom:
		advice = fmt.Sprintf("the disk of the folder %s is full: make room, or choose another one by data:", data)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		advice = fmt.Sprintf("data: must be a folder that the user who runs the server may write to; it is %s", data)
	default:
		return err
	}
	return fmt.Errorf("%w\n%s", err, advice)
}

// listening tells whether an error is that of opening a socket.
func listening(err error) bool {
	var call *os.SyscallError
	return errors.As(err, &call) && call.Syscall == "bind"
}

// free is the space left for the folder, or for the nearest one above it that is
// there, in bytes; a lot where that cannot be told.
func free(folder string) uint64 {
	const unknown = 1 << 60
	for {
		var fs syscall.Statfs_t
		err := syscall.Statfs(folder, &fs)
		if err == nil {
			return fs.Bavail * uint64(fs.Bsize)
		}
		above := filepath.Dir(folder)
		if above == folder || !errors.Is(err, syscall.ENOENT) {
			return unknown
		}
		folder = above
	}
}
