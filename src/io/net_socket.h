/*
 * net_socket.h - what net.c and net_listen.c share about sockets.
 */
#ifndef IO_NET_SOCKET_H
#define IO_NET_SOCKET_H

#include <sys/socket.h>

struct addrinfo;

/** @param out  NET_ADDR_MAX bytes: "127.0.0.1:443", "[::1]:443", "unix:PATH",
 * "unix:@NAME" or "" */
void net_print(const struct sockaddr_storage *sa, socklen_t len, char *out);

/** The same of a resolved address. */
void net_print_info(const struct addrinfo *ai, char *out);

/** The same of where a socket is bound. */
void net_print_local(int fd, char *out);

/** Close it on exec, and do not block. Only for descriptors made here: flags
 * belong to the open file. */
void net_own(int fd);

/** Set an option that is a preference: a socket without it works. */
void net_set(int fd, int level, int option, int value);

/** @return a stream socket that net_own() was called on; -1 with errno */
int net_socket(int family);

#endif
