# ssl.py - what boards call ssl, on top of the module tls: the unix port that
# the tests use has only the latter. For MicroPython, found by MICROPYPATH.
import tls
from tls import (CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED, PROTOCOL_TLS_CLIENT,
                 PROTOCOL_TLS_SERVER)


def _bytes(x):
    """A str is the name of a file, anything else is the data."""
    if isinstance(x, str):
        with open(x, "rb") as f:
            return f.read()
    return x


class SSLContext:
    def __init__(self, protocol):
        self._c = tls.SSLContext(protocol)
        self._c.verify_mode = CERT_NONE

    @property
    def verify_mode(self):
        return self._c.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._c.verify_mode = mode

    def load_cert_chain(self, certfile, keyfile):
        self._c.load_cert_chain(_bytes(certfile), _bytes(keyfile))

    def load_verify_locations(self, cafile=None, cadata=None):
        self._c.load_verify_locations(_bytes(cafile) if cafile else cadata)

    def wrap_socket(self, sock, server_side=False,
                    do_handshake_on_connect=True, server_hostname=None):
        return self._c.wrap_socket(
            sock, server_side=server_side,
            do_handshake_on_connect=do_handshake_on_connect,
            server_hostname=server_hostname)
