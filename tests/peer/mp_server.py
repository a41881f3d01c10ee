# mp_server.py - a MicroPython TLS server for one connection.
#
# usage: micropython mp_server.py CERT.der KEY.der [DELAY_S]
#
# Prints its port on the loopback when it is ready, reads until the peer's
# end, and after DELAY_S writes back what it read. As on any board, close()
# sends no close_notify.
import os
import socket
import sys
import time
import tls


def data(name):
    with open(name, "rb") as f:
        return f.read()


def listener():
    # There is no getsockname() to ask which port 0 became.
    while True:
        r = os.urandom(2)
        port = 20000 + ((r[0] << 8) | r[1]) % 12000
        s = socket.socket()
        try:
            s.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
            s.listen(1)
            return s, port
        except OSError:
            s.close()


ctx = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
ctx.load_cert_chain(data(sys.argv[1]), data(sys.argv[2]))
lsock, port = listener()
print(port)
sock = lsock.accept()[0]
lsock.close()
try:
    stream = ctx.wrap_socket(sock, server_side=True)
    got = stream.read()  # to the end; a further read() would wait for the FIN
    if len(sys.argv) > 3:
        time.sleep(float(sys.argv[3]))
    stream.write(got)
    stream.close()
except (OSError, ValueError) as e:
    print(repr(e), file=sys.stderr)
    sys.exit(1)
