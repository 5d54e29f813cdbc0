#!/usr/bin/env python3
"""stall.py KIND GO COMMAND...: starts a program whose standard error is a pipe, a socket or a terminal
that nobody reads before the file GO is there; then all that comes is written to standard output. Says
"pid N" on standard error when the program runs, and, at its end, whether O_NONBLOCK was set on what this
process shares with it."""
import fcntl
import os
import pty
import socket
import sys
import termios
import time


def make(kind):
    """What we read, and what the program writes."""
    if kind == "pipe":
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        return reader, writer
    if kind == "socket":
        ours, theirs = socket.socketpair()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return ours.detach(), theirs.detach()
    master, slave = pty.openpty()
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    termios.tcflow(slave, termios.TCOOFF)
    return master, slave


def main():
    kind, go, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    reader, writer = make(kind)
    pid = os.fork()
    if pid == 0:
        os.dup2(writer, 2)
        os.close(reader)
        os.close(writer)
        os.execvp(command[0], command)
    print("pid", pid, file=sys.stderr, flush=True)
    status = None
    while not os.path.exists(go) and status is None:
        time.sleep(0.01)
        done, code = os.waitpid(pid, os.WNOHANG)
        status = code if done else None
    flags = fcntl.fcntl(writer, fcntl.F_GETFL)
    print("O_NONBLOCK is", "set" if flags & os.O_NONBLOCK else "not set", file=sys.stderr, flush=True)
    if kind == "terminal":
        termios.tcflow(writer, termios.TCOON)
    os.close(writer)
    try:
        while piece := os.read(reader, 65536):
            os.write(1, piece)
    except OSError:
        pass  # a terminal whose other side is closed
    if status is None:
        status = os.waitpid(pid, 0)[1]
    sys.exit(os.waitstatus_to_exitcode(status))


main()
