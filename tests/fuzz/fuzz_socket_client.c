/*
 * fuzz_socket_client.c - what a server sends, to our client. See socket.h.
 */
#include "socket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return socket_play(false, data, size);
}
