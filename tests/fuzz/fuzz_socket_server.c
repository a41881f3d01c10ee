/*
 * fuzz_socket_server.c - what a client sends, to our server. See socket.h.
 */
#include "socket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return socket_play(true, data, size);
}
