/* lib/network.h: client addresses and networks (CIDR), pure. */
#ifndef MAILROW_LIB_NETWORK_H
#define MAILROW_LIB_NETWORK_H

#include "lib/buf.h"

/* An IPv4 address is held as ::ffff:a.b.c.d, so one compare serves both. */
struct ipaddr {
	uint8_t octet[16];
};

enum { IPADDR_TEXT_MAX = 46 };

/* "192.0.2.1", "2001:db8::1", also with the "IPv6:" prefix and in brackets. */
bool ipaddr_parse(struct span text, struct ipaddr *a_r);

/* Shortest form; an IPv4 address without the ::ffff: */
void ipaddr_put(struct buf *b, const struct ipaddr *a);
const char *ipaddr_text(const struct ipaddr *a, char out[IPADDR_TEXT_MAX]);
bool ipaddr_is_v4(const struct ipaddr *a);
bool ipaddr_is_loopback(const struct ipaddr *a);

struct network {
	struct ipaddr base;
	unsigned bits; /* 0..128, counted in the 16-octet form */
};

struct network_set {
	struct network *net;
	size_t n;
};

/* "192.0.2.0/24" or an address alone; octets beyond the prefix must be 0. */
bool network_parse(struct span text, struct network *n_r);

/* Text that network_parse() takes back. */
void network_put(struct buf *b, const struct network *n);
bool network_has(const struct network *n, const struct ipaddr *a);

/* Whose neighbours count as one client: the /24 of an IPv4 address, the /64 of
 * an IPv6 address. */
void network_around(const struct ipaddr *a, struct network *n_r);

/* Is the address in one of the networks of a list, split at commas and blanks?
 * An empty list has every one, one of commas and blanks alone has none. *bad_r:
 * a word in it that is no network (it has none), or that list; empty when there
 * is none. The list may be another program's: octets beyond a prefix do not
 * count, as elsewhere. */
bool network_list_has(struct span list, const struct ipaddr *a,
		      struct span *bad_r);

/* For one that is to be written: a word in it that network_parse() does not
 * take, or the list if there is no word in it; empty when it is good. */
struct span network_list_bad(struct span list);
bool network_set_has(const struct network_set *s, const struct ipaddr *a);

#endif
