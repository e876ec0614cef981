/* policy/netmap.h: from a client's address to what the site says of its
 * network: the longest prefix counts. Pure. */
#ifndef MAILROW_POLICY_NETMAP_H
#define MAILROW_POLICY_NETMAP_H

#include "lib/network.h"

enum network_kind {
	NETWORK_PLAIN,   /* nothing is said, or that it is an exception */
	NETWORK_TRUSTED, /* may relay without a login, as any sender */
	NETWORK_WEBMAIL, /* speaks for its users: the sender is the login */
	NETWORK_PARTNER, /* may use our domains as sender */
	NETWORK_BLOCKED
};

/* "plain", "trusted" ... */
const char *network_kind_name(enum network_kind k);
bool network_kind_find(struct span name, enum network_kind *k_r);

struct netmap_entry;
struct netmap {
	struct netmap_entry *entry;
	size_t n, size;
};

/* False: no memory. */
bool netmap_add(struct netmap *m, const struct network *n, enum network_kind k)
	__attribute__((warn_unused_result));

/* After the last netmap_add(), before the first netmap_find(). False: a network
 * stands there twice, *twice_r. */
bool netmap_finish(struct netmap *m, struct network *twice_r)
	__attribute__((warn_unused_result));

/* What is said of the longest prefix that has the address, and which that is
 * (net_r may be NULL). An IPv4 address is of ::ffff:0:0/96, so ::/0 has it too.
 * False: none; *k_r is NETWORK_PLAIN. */
bool netmap_find(const struct netmap *m, const struct ipaddr *a,
		 enum network_kind *k_r, struct network *net_r);
void netmap_release(struct netmap *m);

#endif
