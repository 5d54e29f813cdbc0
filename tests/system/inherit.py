#!/usr/bin/env python3
"""inherit.py [OPTION...] -- COMMAND...: starts a program with what a parent may leave to it.

--close N            descriptor N is closed
--block NAME         the signal is blocked
--ignore NAME        the signal is ignored
--umask OCTAL        the umask
--limit NAME=N       both limits of a resource, RLIMIT_NAME
--nonblock N         the description behind descriptor N is O_NONBLOCK
--no-arguments       not even the name of the program, as far as the kernel allows that

With --slow N what the program writes to descriptor N goes to a pipe that is O_NONBLOCK on the program's
side, of one page, and that is read late and in small pieces; what came is written to standard output,
and the exit status is that of the program."""
import argparse
import ctypes
import fcntl
import os
import resource
import signal
import sys
import time

PAGE = 4096


def number_of(name):
    return getattr(signal, "SIG" + name)


def set_up(options):
    """In the child, right before the program."""
    for name in options.ignore:
        signal.signal(number_of(name), signal.SIG_IGN)
    for name in ("PIPE", "XFSZ"):
        # What Python itself ignores.
        if name not in options.ignore:
            signal.signal(number_of(name), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {number_of(name) for name in options.block})
    if options.umask:
        os.umask(int(options.umask, 8))
    for fd in options.nonblock:
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK)
    for fd in options.close:
        os.close(fd)
    for limit in options.limit:
        name, _, value = limit.partition("=")
        which = getattr(resource, "RLIMIT_" + name)
        resource.setrlimit(which, (int(value), int(value)))


def execute(options):
    command = options.command
    if options.no_arguments:
        nothing = (ctypes.c_char_p * 1)(None)
        ctypes.CDLL(None).execv(command[0].encode(), nothing)
    os.execvp(command[0], command)


def run_slow(options):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PAGE)
    os.set_blocking(writer, False)
    pid = os.fork()
    if pid == 0:
        os.dup2(writer, options.slow)
        set_up(options)
        execute(options)
    os.close(writer)
    time.sleep(0.3)
    while piece := os.read(reader, 1500):
        os.write(1, piece)
        time.sleep(0.002)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--close", type=int, action="append", default=[])
    parser.add_argument("--block", action="append", default=[])
    parser.add_argument("--ignore", action="append", default=[])
    parser.add_argument("--limit", action="append", default=[])
    parser.add_argument("--nonblock", type=int, action="append", default=[])
    parser.add_argument("--umask")
    parser.add_argument("--slow", type=int)
    parser.add_argument("--no-arguments", action="store_true")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if options.slow is not None:
        run_slow(options)
    set_up(options)
    execute(options)


main()
