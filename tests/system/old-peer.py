#!/usr/bin/env python3
"""An old program, played: what it reads, and what it dies of, is what was seen live of the real ones.

    old-peer.py KIND CONFIG ADDRESS FILE

KIND is one of
    ucl     the UCL library: drops a message of which a command has no space before "(", or no line end
            behind it; tells a repetition by the SeqNum of the last reliable message alone; takes any
            substring for a match; sends to what it is told, one reliable message at a time
    rat     RAT on top of that: waits for mbus.go and answers audio.query only after it; dies of mbus.ping,
            and when its answer finds nobody
    gmbus   libgmbus: finds no end of a list without a space before it, acknowledgements too; hears no bye
    jmbus   JMbus: seconds, zero octets behind the message

All forget in five seconds who says nothing. FILE has a line for each thing to do, and may grow:

    R DEST COMMAND      U DEST COMMAND      bye

and standard output one for each that happened: joined, left, got, repeated, dropped, acked, failed. Its
hellos, times and ends are of a clock of its own; a test waits for lines.
"""
import base64
import hashlib
import hmac
import os
import re
import select
import socket
import struct
import sys
import time

HEADER = re.compile(r"mbus/1\.0 +(\d+) +(\d+) +([RU]) +(\([^()]*\)) +(\([^()]*\)) +\(([ 0-9]*)\)\n")
DEAD = 5
REPEAT = [0.25 * k for k in range(1, 7)]
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|<[^>]*>|[^\s()"<>]+|\(|\)')


def say(*words):
    print(*words, flush=True)


class Dropped(Exception):
    """It cannot be read; why."""


class OldPeer:
    def __init__(self, kind, config, address):
        with open(config, encoding="utf-8") as file:
            entries = dict(re.findall(r"^(\w+)=(.*)$", file.read(), re.MULTILINE))
        self.kind, self.address = kind, address
        self.key = base64.b64decode(entries["HASHKEY"].strip("()").split(",")[1])
        self.hash = hashlib.md5 if "MD5" in entries["HASHKEY"] else hashlib.sha1
        self.group = entries.get("ADDRESS", "239.255.255.247")
        self.port = int(entries.get("PORT", "47000"))
        self.seq, self.known, self.last_r, self.queue, self.going = 0, {}, {}, [], False
        self.hello_at = self.wait_at = 0.0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("", self.port))
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                               socket.inet_aton(self.group) + struct.pack("=I", 0))
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)

    # ---- sending -----------------------------------------------------------------------------

    def send(self, text):
        digest = base64.b64encode(hmac.new(self.key, text.encode(), self.hash).digest()[:12])
        zeros = bytes(8 - len(text) % 8) if self.kind == "jmbus" else b""
        self.socket.sendto(digest + b"\n" + text.encode() + zeros, (self.group, self.port))

    def message(self, kind, dest, command, acks="()"):
        self.seq += 1
        stamp = int(time.time()) if self.kind == "jmbus" else int(time.time() * 1000)
        lines = command + "\n" if command else ""
        return f"mbus/1.0 {self.seq:6d} {stamp} {kind} {self.address} {dest} {acks}\n{lines}"

    def acknowledge(self, source, seq):
        acks = f"({seq:6d})" if self.kind in ("ucl", "rat") else f"({seq} )"
        self.send(self.message("U", source, "", acks))

    def put(self, kind, dest, command):
        text = self.message(kind, dest, command)
        if kind == "U":
            self.send(text)
        else:  # numbered and stamped now, sent when those before it are answered
            self.queue.append({"text": text, "seq": self.seq, "dest": dest, "n": 0, "at": 0.0})

    def pump(self, now):
        if not self.queue or now < self.queue[0]["at"]:
            return
        first = self.queue[0]
        if first["n"] == len(REPEAT):
            say("failed", first["seq"])
            if self.kind == "rat":
                say("aborted: nobody takes the answer")
                os._exit(134)
            self.queue.pop(0)
            return
        self.send(first["text"])
        first["at"] = now + REPEAT[first["n"]]
        first["n"] += 1

    # ---- reading -----------------------------------------------------------------------------

    def open(self, datagram):
        if len(datagram) > 1500:
            raise Dropped("longer than 1500 octets")
        digest, line_end, text = datagram[:16], datagram[16:17], datagram[17:]
        if line_end != b"\n":
            raise Dropped("no LF behind the digest")
        if self.kind == "jmbus":  # its own come back
            text = text.rstrip(b"\0")
        if base64.b64encode(hmac.new(self.key, text, self.hash).digest()[:12]) != digest:
            raise Dropped("another digest")
        return text.decode()

    def is_for_us(self, dest):
        elements = dest.strip("()").split()
        if self.kind in ("ucl", "rat"):
            return all(element in self.address for element in elements)
        return all(element in self.address.strip("()").split() for element in elements)

    def check_list(self, text):
        """libgmbus: a list ends with a space and a bracket."""
        end = None
        for token in TOKEN.finditer(text):
            if token[0] == ")" and end == token.start() and text[token.start() - 1] != "(":
                raise Dropped(f"no space before ) in {text}")
            end = token.end()

    def commands(self, payload):
        if not payload:
            return []
        if not payload.endswith("\n"):
            raise Dropped("no line end behind the last command")
        lines = payload[:-1].split("\n")
        for line in lines:
            if self.kind in ("ucl", "rat") and not re.match(r"[\w.-]+ \(", line):
                raise Dropped(f"no space before ( in {line}")
            if self.kind == "gmbus":
                self.check_list(line[line.index("("):])
        return lines

    def take_acks(self, acks):
        if self.kind == "gmbus" and acks and not acks.endswith(" "):
            raise Dropped(f"no space before ) in ({acks})")
        for seq in acks.split():
            if self.queue and self.queue[0]["n"] and self.queue[0]["seq"] == int(seq):
                say("acked", int(seq))
                self.queue.pop(0)

    def receive(self, datagram):
        try:
            text = self.open(datagram)
            match = HEADER.match(text)
            if not match:
                raise Dropped(f"no header: {text!r}")
            if match[4] == self.address:
                return
            commands = self.commands(text[match.end():])
            if self.is_for_us(match[5]):
                self.take(int(match[1]), match[3], match[4], match[6], commands)
            elif match[4] in self.known:
                self.known[match[4]] = time.monotonic()
        except Dropped as why:
            say("dropped", why)

    def take(self, seq, kind, source, acks, commands):
        if any(c.startswith("mbus.ping") for c in commands) and self.kind == "rat":
            say("aborted: mbus.ping")
            os._exit(134)
        if any(c.startswith("mbus.bye") for c in commands) and self.kind != "gmbus":
            if self.known.pop(source, None):
                say("left", source, "bye")
            return
        if source not in self.known:
            say("joined", source)
        self.known[source] = time.monotonic()
        self.take_acks(acks)
        if kind == "R":
            self.acknowledge(source, seq)
            if self.last_r.get(source) == seq:
                say("repeated", seq, source)
                return
            self.last_r[source] = seq
        for command in commands:
            if not command.startswith("mbus.hello"):
                say("got", kind, source, command)
                self.act(source, command)

    def act(self, source, command):
        if self.kind != "rat":
            return
        if command.startswith('mbus.go ("rat-ui-requested"'):
            self.going = True
        elif command.startswith("audio.query") and self.going:
            self.put("R", source, "audio.channel (\"mono\")")
            self.queue[-1]["at"] = time.monotonic() + 0.3  # it takes its time

    # ---- time --------------------------------------------------------------------------------

    def tick(self):
        now = time.monotonic()
        if now >= self.hello_at:
            self.send(self.message("U", "()", "mbus.hello ()"))
            self.hello_at = now + 1
        if self.kind == "rat" and not self.going and now >= self.wait_at:
            self.send(self.message("U", "()", 'mbus.waiting ("rat-ui-requested")'))
            self.wait_at = now + 1
        for source in [s for s, heard in self.known.items() if now - heard > DEAD]:
            del self.known[source]
            say("left", source, "silent")
        self.pump(now)

    def obey(self, line):
        words = line.split(None, 1)
        if words[0] == "bye":
            self.send(self.message("U", "()", "mbus.bye ()"))
            sys.exit(0)
        dest, command = re.match(r"(\([^()]*\)) (.*)", words[1]).groups()
        self.put(words[0], dest, command)

    def run(self, todo):
        say("ready")
        while True:
            if select.select([self.socket], [], [], 0.02)[0]:
                self.receive(self.socket.recv(65536))
            for line in todo:
                self.obey(line.strip())
            self.tick()


with open(sys.argv[4], encoding="utf-8") as things_to_do:
    OldPeer(*sys.argv[1:4]).run(things_to_do)
