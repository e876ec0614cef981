/* lib/net.h: sockets. */
#ifndef MAILROW_LIB_NET_H
#define MAILROW_LIB_NET_H

#include "lib/buf.h"
#include "lib/network.h"

#include <sys/types.h>

/* "192.0.2.1:110", "[::]:110", "127.0.0.1:0". Non-blocking, close-on-exec,
 * SO_REUSEADDR, IPv6 sockets for IPv6 only. -1, a reason in why, errno. */
int net_listen_inet(struct span address, int backlog, struct buf *why);

/* A stale socket of ours is removed first; a file that is no socket is not.
 * The socket gets mode 0660 and the group, owner as it is. -1 and a reason. */
int net_listen_unix(const char *path, gid_t group, int backlog,
		    struct buf *why);

/* -1 with errno. Blocking, close-on-exec; deadline as in clock.h. */
int net_connect_unix(const char *path, int64_t deadline);

/* Accepts without blocking; close-on-exec. The addresses are those of the
 * peer and of our end; all zero for UNIX sockets. -1 with errno. */
struct net_peer {
	struct ipaddr remote, local;
	uint16_t remote_port, local_port;
};
int net_accept(int listener, bool nonblocking, struct net_peer *peer_r);

bool net_set_nonblocking(int fd, bool on) __attribute__((warn_unused_result));
void net_set_nodelay(int fd);

/* A descriptor over a UNIX socket (SCM_RIGHTS) beside one message. */
bool net_send_fd(int sock, struct span message, int fd)
	__attribute__((warn_unused_result));
ssize_t net_recv_fd(int sock, char *message, size_t size, int *fd_r);

/* Name of this host: the option if set, else gethostname(). Static. */
const char *net_hostname(const char *configured);

#endif
