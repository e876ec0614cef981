/* policy/helo.h: whose name a client greets with. Pure. */
#ifndef MAILROW_POLICY_HELO_H
#define MAILROW_POLICY_HELO_H

#include "lib/addr.h"
#include "lib/conf.h"
#include "lib/network.h"

/* Who we are. */
struct helo_self {
	struct span mta;               /* the MTA's own name */
	const struct conf_list *hosts; /* own_hosts */
	struct ipaddr addr;            /* that the client came to */
	bool has_addr;
};

/* Is it our host's name, or our address, as "[192.0.2.1]", "[IPv6:...]" or
 * without brackets? In either case of letters, and with a dot at its end. */
bool helo_is_ours(struct span helo, const struct helo_self *self);

/* The canonical domain that it is, which may be one of ours: of what is no
 * address. out as in addr_domain_parse(). */
bool helo_domain(struct span helo, char *out, size_t *n_r);

#endif
