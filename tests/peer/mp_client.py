# mp_client.py - a MicroPython TLS client.
#
# usage: micropython mp_client.py HOST PORT CA.der SERVER_HOSTNAME [SECONDS [CIPHER...]]
#
# Sends what stdin has, then writes what comes to stdout until the peer's end,
# or for SECONDS (5). As on any board, close() sends no close_notify, so the
# peer sees no end before that.
import socket
import sys
import time
import tls

host, port, ca, name = sys.argv[1:5]
seconds = float(sys.argv[5]) if len(sys.argv) > 5 else 5
with open(ca, "rb") as f:
    cadata = f.read()

ctx = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
ctx.verify_mode = tls.CERT_REQUIRED
ctx.load_verify_locations(cadata)
if len(sys.argv) > 6:
    ctx.set_ciphers(sys.argv[6:])
sock = socket.socket()
try:
    sock.connect(socket.getaddrinfo(host, int(port))[0][-1])
    stream = ctx.wrap_socket(sock, server_hostname=name)
    stream.write(sys.stdin.buffer.read())
    stream.setblocking(False)
    # recv() ends with a record; read(n) would go on, past the close_notify.
    recv = getattr(stream, "recv", stream.read)
    end = time.time() + seconds
    while time.time() < end:
        try:
            got = recv(4096)
        except OSError as e:
            if e.errno != 11:  # EAGAIN
                raise
            got = None
        if got is None:
            time.sleep(0.01)
        elif got:
            sys.stdout.buffer.write(got)
        else:
            break
    stream.close()
except (OSError, ValueError) as e:
    print(repr(e), file=sys.stderr)
    sys.exit(1)
