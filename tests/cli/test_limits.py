"""A peer's records and messages over a device's limits, byte by byte."""
import os
import socket
import struct

from harness import Peer, each, test

HANDSHAKE, SERVER_HELLO, CERTIFICATE, REQUEST = 22, 2, 11, 13
NEW_TICKET, CLIENT_HELLO = 4, 1


def record(kind, body, most=16384):
    """One, or several if it is more than `most`."""
    return b"".join(b"%c\x03\x03" % kind + struct.pack(">H", len(part)) + part
                    for part in (body[i:i + most]
                                 for i in range(0, len(body), most)))


def message(kind, body):
    return bytes([kind]) + struct.pack(">I", len(body))[1:] + body


def server_hello(extra=0):
    extension = struct.pack(">HH", 0xfefe, extra) + bytes(extra)
    return message(SERVER_HELLO, b"\3\3" + os.urandom(32) + b"\0\xc0\x2f\0" +
                   struct.pack(">H", len(extension)) + extension)


@each([("in many records", CERTIFICATE, 400, "device-chain",
        "a chain with fewer or smaller"),
       ("another message", REQUEST, 400, "device-message", "fewer CAs"),
       ("the first of all", SERVER_HELLO, 16384, "device-message", "")])
def a_message_over_the_limit_is_not_a_record(t, kind, most, name, there):
    """Its records are small already: to ask for smaller ones is no help."""
    body = bytes(2000)

    def talk(c):
        c.recv(4096)
        hello = b"" if kind == SERVER_HELLO else record(HANDSHAKE,
                                                        server_hello())
        c.sendall(hello + record(HANDSHAKE, message(kind, body), most))
        c.recv(1)

    r = t.run("connect", Peer(t, talk).address, "--verify", "none",
              "--max-in-record", "512")
    t.bad(r, 51, "device", -0x7100, " message is 2004 bytes; the device's "
          "input buffer holds 512")
    why = r.report["findings"][0]
    t.eq(why["name"], name, "the finding")
    t.has(why["text"], "2004 bytes", "as a whole")
    t.has(why["there"] or "", there)
    t.eq("fragment" in r.err.split("who:")[0], False, "a record: " + r.err)
    t.has(why["here"], "--max-in-record 2004")


@test
def a_hello_over_a_servers_buffer(t):
    """As of a client with key shares of post-quantum groups."""
    hello = (b"\3\3" + os.urandom(32) + b"\0\0\2\xc0\x2b\1\0" +
             struct.pack(">HHH", 1204, 0xfefe, 1200) + bytes(1200))
    server = t.serve("--max-in-record", "512", "--echo")
    with socket.create_connection(("127.0.0.1",
                                   int(server.address.split(":")[-1]))) as c:
        c.sendall(record(HANDSHAKE, message(CLIENT_HELLO, hello)))
        r = server.wait()
    t.bad(r, 51, "device", -0x7100, "the client's ClientHello message is ")
    t.eq(r.report["findings"][0]["name"], "device-message", "the finding")
    t.has(r.report["findings"][0]["there"], "post-quantum")


@test
def a_server_that_gives_up_is_not_told_of_a_clients_option(t):
    """Only a client can ask for smaller records; it is not told that all is
    well."""
    server = t.serve("--max-in-record", "512", "--echo")
    t.lost(t.connect(server, stdin=bytes(4000)).wait())
    r = server.wait()
    t.bad(r, 51, "device", -0x7100, "application_data; the device's input "
          "buffer holds 512")
    t.has(r.report["findings"][0]["here"], "--max-in-record 4000")


@each([("small records", 400, None), ("one record", 16384, 51)])
def a_message_without_a_limit(t, most, status):
    """BearSSL reads a chain as it comes: only its records must fit."""
    def talk(c):
        c.recv(4096)
        c.sendall(record(HANDSHAKE, server_hello()) +
                  record(HANDSHAKE, message(CERTIFICATE, bytes(2000)), most))
        c.recv(1)

    r = t.run("connect", Peer(t, talk).address, "--verify", "none", "--as",
              "arduino-esp8266", "--max-in-record", "512")
    if status is None:
        t.eq(r.status, 23, "exit status: " + r.err)
    else:
        t.bad(r, status, "device", -0x7100, "a record of 2004 bytes, which "
              "begins with the server's Certificate; the device's input "
              "buffer holds 512")
