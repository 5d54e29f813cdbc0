#!/usr/bin/env python3
"""Datagrams for the system tests: sends them raw, and shows those that pass an interface.

    datagram.py send GROUP PORT INTERFACE    lines of hexadecimal from standard input
    datagram.py repeat GROUP PORT INTERFACE FILE     the same from a file, again and again
    datagram.py capture INTERFACE            a line a UDP packet, until it is killed:
                                             DIRECTION SOURCE PORT DESTINATION PORT TTL HEX
    datagram.py listen GROUP PORT            the same of what a socket hears that joined the group
                                             on INADDR_ANY
    datagram.py seal CONFIG                  a message from standard input, with its digest, in
                                             hexadecimal; for buses without encryption
"""
import base64
import hashlib
import hmac
import ipaddress
import pathlib
import re
import socket
import struct
import sys
import time

ETH_P_ALL = 3
OUTGOING = 4


def open_sender(group, interface):
    """A socket that sends to the group by that interface, and leaves the host only by TTL 1."""
    index = socket.if_nametoindex(interface)
    address = ipaddress.ip_address(group)
    if address.version == 6:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        return sock
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mreqn = struct.pack("=4s4si", bytes(4), bytes(4), index)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, mreqn)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return sock


def send(group, port, interface):
    with open_sender(group, interface) as sock:
        for line in sys.stdin:
            if line.strip():
                sock.sendto(bytes.fromhex(line.strip()), (group, int(port)))


def repeat(group, port, interface, name):
    datagrams = [bytes.fromhex(line) for line in pathlib.Path(name).read_text().split()]
    with open_sender(group, interface) as sock:
        while True:
            for datagram in datagrams:
                sock.sendto(datagram, (group, int(port)))
            time.sleep(0.02)


def parse_ip(packet):
    """(source, destination, ttl, UDP header and payload) of a UDP packet, else None."""
    version = packet[0] >> 4 if packet else 0
    if version == 4:
        start = (packet[0] & 15) * 4
        protocol, ttl, source, to = packet[9], packet[8], packet[12:16], packet[16:20]
    elif version == 6 and len(packet) >= 48:
        start = 40
        protocol, ttl, source, to = packet[6], packet[7], packet[8:24], packet[24:40]
    else:
        return None
    if protocol != socket.IPPROTO_UDP or len(packet) < start + 8:
        return None
    return ipaddress.ip_address(source), ipaddress.ip_address(to), ttl, packet[start:]


def capture(interface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((interface, ETH_P_ALL))
    print("capturing", file=sys.stderr, flush=True)
    while True:
        packet, (_, _, kind, *_) = sock.recvfrom(65536)
        parsed = parse_ip(packet)
        if not parsed or (kind == OUTGOING and interface == "lo"):
            continue
        source, to, ttl, udp = parsed
        source_port, port, length = struct.unpack("!HHH", udp[:6])
        print("out" if kind == OUTGOING else "in", source, source_port, to, port, ttl,
              udp[8:length].hex(), flush=True)


def listen(group, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((group, int(port)))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                    socket.inet_aton(group) + bytes(4))
    print("listening", file=sys.stderr, flush=True)
    while True:
        octets, (source, source_port) = sock.recvfrom(65536)
        print("in", source, source_port, group, port, "-", octets.hex(), flush=True)


def seal(config):
    with open(config, encoding="utf-8") as file:
        entry = re.search(r"^HASHKEY=\(HMAC-(SHA1|MD5)-96,(.*)\)$", file.read(), re.MULTILINE)
    message = sys.stdin.buffer.read()
    digest = hmac.new(base64.b64decode(entry[2]), message, getattr(hashlib, entry[1].lower()))
    print((base64.b64encode(digest.digest()[:12]) + b"\r\n" + message).hex())


{"send": send, "repeat": repeat, "capture": capture, "listen": listen,
 "seal": seal}[sys.argv[1]](*sys.argv[2:])
