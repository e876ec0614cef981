/* policy/lookup_owns.h: does an address belong to who has logged in? */
#ifndef MAILROW_POLICY_LOOKUP_OWNS_H
#define MAILROW_POLICY_LOOKUP_OWNS_H

#include "policy/judge_lookup.h"

enum {
	OWNS_DEPTH_MAX = 10,  /* aliases one after the other */
	OWNS_ALIASES_MAX = 50 /* looked at for one address */
};

/* An address is a login's if, in the order in which a mail to it would be
 * brought there, one of these is said of it, or of the address without its
 * extension, or of the same in the domain that its domain stands for:
 *   - it is the login itself;
 *   - the profile's sender_query says so;
 *   - where the profile has none, and with accounts of our own: it is an alias
 *     that leads there, also by way of other aliases. A mailbox that forwards
 *     its mail lends nobody its name.
 * What an address is of its own, mailbox or alias, ends the way: bob's is
 * bob+x, unless there is one of that name. "Yes" is remembered for a second. */
enum fact lookup_owns(struct lookup *l, const struct addr *login,
		      const struct addr *sender);

#endif
