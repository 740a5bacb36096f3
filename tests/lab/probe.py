#!/usr/bin/env python3
"""What the lab's own tests measure with. Each listener says "up" once it listens.

    probe.py sink SECONDS             takes one TCP connection and tells its kbit/s
    probe.py blast ADDRESS SECONDS    fills one
    probe.py mirror                   answers each datagram with the port it came from
    probe.py ports ADDRESS...         which port of ours each mirror sees
    probe.py hear SECONDS             waits for a multicast datagram of the kind mDNS sends
    probe.py call                     sends one
    probe.py spin SECONDS             takes all processor time it gets; tells the percentage
    probe.py hold MIB                 takes so much memory
"""
import socket
import struct
import sys
import time

MDNS, SINK, MIRROR, OWN = ("224.0.0.251", 5353), 7777, 3478, 40_000


def up():
    print("up", flush=True)


def sink(seconds):
    door = socket.create_server(("0.0.0.0", SINK))
    door.settimeout(10)
    up()
    line = door.accept()[0]
    line.settimeout(1)
    taken, began = 0, time.monotonic()
    last = began
    while last - began < float(seconds):
        try:
            piece = line.recv(65536)
        except TimeoutError:
            break
        if not piece:
            break
        taken, last = taken + len(piece), time.monotonic()
    print(int(taken * 8 / 1000 / max(0.001, last - began)))


def blast(address, seconds):
    line = socket.create_connection((address, SINK))
    end = time.monotonic() + float(seconds)
    line.settimeout(float(seconds))
    try:
        while time.monotonic() < end:
            line.send(bytes(8192))
    except OSError:
        pass  # the sink has seen enough


def mirror():
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(("0.0.0.0", MIRROR))
    up()
    while True:
        who = door.recvfrom(2000)[1]
        door.sendto(str(who[1]).encode(), who)


def ports(*mirrors):
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(("0.0.0.0", OWN))
    door.settimeout(5)
    for address in mirrors:
        door.sendto(b"?", (address, MIRROR))
        print(door.recvfrom(2000)[0].decode())


def group():
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("", MDNS[1]))
    member = struct.pack("4sI", socket.inet_aton(MDNS[0]), 0)
    door.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    return door


def hear(seconds):
    door = group()
    door.settimeout(float(seconds))
    up()
    print(door.recvfrom(2000)[1][0])


def call():
    group().sendto(b"wksbm", MDNS)


def spin(seconds):
    begun = time.process_time()  # Python's own start took some, on a slow machine seconds
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        pass
    print(int((time.process_time() - begun) * 100 / float(seconds)))


def hold(mib):
    print(len(bytearray(b"x" * (int(mib) << 20))) >> 20)


{it.__name__: it for it in (sink, blast, mirror, ports, hear, call, spin, hold)}[sys.argv[1]](*sys.argv[2:])
