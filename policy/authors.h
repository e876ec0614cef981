/* policy/authors.h: whom the header of a message names as its author, gathered
 * field by field. Pure. */
#ifndef MAILROW_POLICY_AUTHORS_H
#define MAILROW_POLICY_AUTHORS_H

#include "lib/addrlist.h"

/* Zeroed: nothing was seen. */
struct authors {
	struct addrlist from;
	struct addrlist sender;
	struct addrlist resent; /* Resent-From and Resent-Sender */
};

/* Is it one of these fields? */
bool authors_knows(struct span name);

/* Takes a field; any other one is passed over. */
void authors_take(struct authors *a, struct span name, struct span value,
		  bool fold_local);

/* One From with one address in it, and nothing that cannot be read? */
bool authors_has_one(const struct authors *a);

#endif
