/* pop3d/popproxy.h: the PROXY header at the beginning of a connection, before
 * anything else, also before the handshake of TLS. */
#ifndef MAILROW_POP3D_POPPROXY_H
#define MAILROW_POP3D_POPPROXY_H

#include "lib/chan.h"
#include "lib/proxyproto.h"

#include <signal.h>

/* Reads it and not one octet more. waiting: signals blocked meanwhile; any
 * other ends it. False: *why_r. */
bool popproxy_read(int fd, int64_t deadline, const sigset_t *waiting,
		   struct proxyproto *p_r, enum chan_end *why_r)
	__attribute__((warn_unused_result));

#endif
