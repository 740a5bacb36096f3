#!/usr/bin/env python3
"""A bad cable between two ends, in a kernel that may have no network emulation of its own.

    cable.py PORT TAP delay=MS jitter=MS loss=PERCENT rate=KBIT queue=MS seed=N

Carries frames between PORT (one end of a veth pair, taken out of its bridge) and TAP (made here, to
be put into the bridge instead). Each way has that delay, loss and rate; frames keep their order.
What a modem would hold for longer than `queue` it drops. Says "up" once it carries, and ends with
SIGTERM. The seed makes the same frames in the same order lose the same ones.
"""
import fcntl
import heapq
import os
import random
import select
import signal
import socket
import struct
import sys
import time

ETH_P_ALL = 0x0003
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
TUNSETIFF, IFF_TAP_WITHOUT_INFO = 0x400454CA, 0x1002
FRAME_MAX = 65_600
# Frames taken from one end before the other gets its turn.
TURN = 64


def open_port(name):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    port.bind((name, ETH_P_ALL))
    port.setblocking(False)
    return port.detach()


def open_tap(name):
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP_WITHOUT_INFO))
    return tap


class Way:
    """One direction: when a frame that comes now leaves, if it does."""

    def __init__(self, line, chance):
        self.line, self.chance = line, chance
        self.sent = self.last = 0.0

    def leaves_at(self, now, size):
        line = self.line
        if self.chance.random() * 100 < line["loss"]:
            return None
        at = now
        if line["rate"]:
            if (self.sent - now) * 1000 > line["queue"]:
                return None
            at = self.sent = max(now, self.sent) + size * 8 / (line["rate"] * 1000)
        at += (line["delay"] + self.chance.random() * line["jitter"]) / 1000
        self.last = max(self.last, at)
        return self.last


def carry(port, tap, line):
    chance = random.Random(int(line["seed"]))
    ways = {port: (tap, Way(line, chance)), tap: (port, Way(line, chance))}
    under_way, number = [], 0
    while True:
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            _, _, to, frame = heapq.heappop(under_way)
            try:
                os.write(to, frame)
            except OSError:
                pass  # the other end is down: the frame is lost
        pause = max(0.0, under_way[0][0] - now) if under_way else None
        for end in select.select([port, tap], [], [], pause)[0]:
            to, way = ways[end]
            for _ in range(TURN):
                try:
                    frame = os.read(end, FRAME_MAX)
                except OSError:
                    break
                at = way.leaves_at(time.monotonic(), len(frame))
                if at is not None:
                    number += 1
                    heapq.heappush(under_way, (at, number, to, frame))


def main(port, tap, *settings):
    line = dict(delay=0.0, jitter=0.0, loss=0.0, rate=0.0, queue=1000.0, seed=1.0)
    line.update((name, float(value)) for name, value in (it.split("=") for it in settings))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    ends = open_port(port), open_tap(tap)
    print("up", flush=True)
    carry(*ends, line)


main(*sys.argv[1:])
