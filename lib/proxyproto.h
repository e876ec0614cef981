/* lib/proxyproto.h: the header by which a proxy tells whose connection it
 * hands on: the PROXY protocol of HAProxy, versions 1 and 2. Pure. */
#ifndef MAILROW_LIB_PROXYPROTO_H
#define MAILROW_LIB_PROXYPROTO_H

#include "lib/network.h"

enum {
	PROXYPROTO_V1_MAX = 107, /* with CRLF */
	PROXYPROTO_MAX = 4096    /* ours, for version 2 with its extensions */
};

struct proxyproto {
	bool told; /* false: nobody's but the proxy's own, or not known whose */
	struct ipaddr remote, local;
	uint16_t remote_port, local_port;
	size_t octets; /* of the whole header: what follows is the client's */
};

enum proxyproto_status {
	PROXYPROTO_DONE,
	PROXYPROTO_MORE, /* all of it belongs to a header that goes on */
	PROXYPROTO_BAD   /* no header, or not one that we take */
};

/* s begins where the connection begins. Extensions are passed over. */
enum proxyproto_status proxyproto_parse(struct span s, struct proxyproto *p_r)
	__attribute__((warn_unused_result));

#endif
