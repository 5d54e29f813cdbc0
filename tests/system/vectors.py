#!/usr/bin/env python3
"""The recorded datagrams of tests/vectors, and what a monitor must make of them.

    vectors.py prepare VECTORS FOLDER    for each configuration a folder 0, 1, ... with
        config       the configuration, mode 0600
        group        address and port
        datagrams    in hexadecimal, in an order in which the senders can have sent them
        expected     the JSON objects that a monitor prints, as this program reads the plain text
        numbers      datagrams, messages, malformed, repeated
    vectors.py compare FOLDER    says what differs between `expected` and `printed` in each folder;
                                 exit status 1 if anything does

The plain text is read here by rules of RFC 3259, 5, written for this purpose, so that no error of
the library can agree with itself.
"""
import base64
import collections
import decimal
import json
import os
import pathlib
import re
import sys

WHITE = " \t"
HEADER = re.compile(
    r"mbus/1\.0[ \t]+(\d+)[ \t]+(\d+)[ \t]+([RU])[ \t]+(\([^()]*\))[ \t]+(\([^()]*\))"
    r"[ \t]+\(([ \t0-9]*)\)[ \t]*(?:\r?\n|\Z)")
SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
DATA = re.compile(r"<[ \t]*([A-Za-z0-9+/=]*)[ \t]*>")
STRING = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)


class Malformed(Exception):
    """The text is no message."""


class Reader:
    """Values from a text."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def skip(self, characters=WHITE):
        while self.at < len(self.text) and self.text[self.at] in characters:
            self.at += 1

    def take(self, pattern):
        match = pattern.match(self.text, self.at)
        if not match:
            raise Malformed(self.text[self.at:self.at + 20])
        self.at = match.end()
        return match

    def value(self):
        first = self.text[self.at:self.at + 1]
        if first == "(":
            return self.list()
        if first == '"':
            return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1],
                          self.take(STRING)[1], flags=re.DOTALL)
        if first == "<":
            octets = base64.b64decode(self.take(DATA)[1], validate=True)
            return {"data": base64.b64encode(octets).decode()}
        if first.isalpha():
            return {"sym": self.take(SYMBOL)[0]}
        number = self.take(NUMBER)
        return decimal.Decimal(number[0]) if number[1] else int(number[0])

    def list(self):
        values = []
        self.take(re.compile(r"\("))
        self.skip()
        while not self.text.startswith(")", self.at):
            values.append(self.value())
            self.skip()
        self.at += 1
        return values

    def commands(self):
        commands = []
        self.skip(WHITE + "\r\n")
        while self.at < len(self.text):
            name = self.take(SYMBOL)[0]
            self.skip()
            commands.append({"name": name, "args": self.list()})
            self.skip(WHITE + "\r\n")
        return commands


def read_address(text):
    return dict(element.split(":", 1) for element in text.strip("()").split())


def read_message(text):
    match = HEADER.match(text)
    if not match:
        raise Malformed(text)
    reader = Reader(text)
    reader.at = match.end()
    time = int(match[2])
    if time < 10**11:  # in seconds (spec/errata.md, 34)
        time *= 1000
    return {"seq": int(match[1]), "ts": time, "type": match[3],
            "src": read_address(match[4]), "dst": read_address(match[5]),
            "acks": [int(number) for number in match[6].split()],
            "cmds": reader.commands(), "bytes": len(text.encode())}


def to_json(thing):
    """Numbers with a fraction stay as they are written, so that no digit gets lost."""
    if isinstance(thing, decimal.Decimal):
        return {"float": str(thing.normalize())}
    if isinstance(thing, list):
        return [to_json(item) for item in thing]
    if isinstance(thing, dict):
        return {key: to_json(item) for key, item in thing.items()}
    return thing


def read_vectors(folder):
    """[(vector, message or None)] by configuration, in the order of their time."""
    groups = collections.defaultdict(list)
    for path in sorted(pathlib.Path(folder).glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            vector = json.loads(line)
            try:
                message = read_message(vector["plaintext"].rstrip("\0"))
            except Malformed:
                message = None
            groups[vector["config"]].append((vector, message))
    # What cannot be read comes first, so that the last message comes last.
    for group in groups.values():
        group.sort(key=lambda pair: (pair[1] is not None, pair[1]["ts"] if pair[1] else 0))
    return groups


def prepare(vectors, folder):
    for number, (config, group) in enumerate(read_vectors(vectors).items()):
        place = pathlib.Path(folder) / str(number)
        place.mkdir()
        with open(os.open(place / "config", os.O_WRONLY | os.O_CREAT, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(config)
        keys = dict(line.split("=", 1) for line in config.splitlines() if "=" in line)
        seen, messages = set(), []
        for vector, message in group:
            if message and vector["plaintext"] not in seen:
                messages.append(to_json(message))
            seen.add(vector["plaintext"])
        malformed = sum(message is None for _, message in group)
        (place / "group").write_text(
            f"{keys.get('ADDRESS', '239.255.255.247')} {keys.get('PORT', '47000')}\n")
        (place / "datagrams").write_text("".join(v["hex"] + "\n" for v, _ in group))
        (place / "expected").write_text("".join(json.dumps(m) + "\n" for m in messages))
        (place / "numbers").write_text(f"{len(group)} {len(messages)} {malformed} "
                                       f"{len(group) - len(messages) - malformed}\n")


def read_printed(path):
    """What a monitor printed, without what depends on when it was."""
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        message = json.loads(line, parse_float=decimal.Decimal)
        if message["src"].get("app") == "mbus-broker":
            continue
        del message["time"]
        if message.pop("mac") != "ok":
            raise ValueError(f"no good digest: {line}")
        yield to_json(message)


def compare_one(place):
    expected = [json.loads(line) for line in
                (place / "expected").read_text(encoding="utf-8").splitlines()]
    printed = list(read_printed(place / "printed"))
    for message in expected:
        if message not in printed:
            print(f"{place.name}: not printed:", json.dumps(message))
    for message in printed:
        if message not in expected:
            print(f"{place.name}: printed, though not sent so:", json.dumps(message))
    return len(expected), expected == printed


def compare(folder):
    places = [path.parent for path in pathlib.Path(folder).glob("*/expected")]
    results = [compare_one(place) for place in places]
    same = places and all(same and n for n, same in results)
    sys.exit(0 if same else f"{len(places)} configurations are not all the same")


{"prepare": prepare, "compare": compare}[sys.argv[1]](*sys.argv[2:])
