/* lib/addrlist.h: whom a header field with addresses names: From, Sender,
 * Resent-From, Resent-Sender (RFC 5322 s.3.4 and s.4.4, RFC 6854 groups, raw
 * UTF-8 of RFC 6532). Pure, of bounded memory, and it never recurses.
 *
 * It is read for a policy, so it takes the other side of a doubt than a mail
 * client does: whatever some client could show as the author is told, or the
 * field is called broken.
 *   - Kinder than the grammar where the name before "<" has dots, brackets or
 *     an '@' without quotes, as is in use.
 *   - An address that stands in a name, a comment or anywhere else than a
 *     mailbox is told, too, as one that is only shown (addrscan.h).
 *   - Whatever else the grammar does not know makes the field broken: a word
 *     without a domain, two "<>" in one mailbox, a quote, comment or group
 *     that does not end, an address that is none, NUL and control characters,
 *     a line end that is no fold. What addresses can be seen in it are told as
 *     shown, and each domain behind an '@' that has no name before it. */
#ifndef MAILROW_LIB_ADDRLIST_H
#define MAILROW_LIB_ADDRLIST_H

#include "lib/addr.h"

enum {
	ADDRLIST_MAX = 16,         /* different addresses */
	ADDRLIST_COMMENTS_MAX = 64 /* comments within one another */
};

struct addrlist_entry {
	struct addr addr; /* canonical */
	bool shown;       /* only shown: not the address of a mailbox */
};

/* Of all fields of one name. Zeroed: of none. */
struct addrlist {
	struct addrlist_entry entry[ADDRLIST_MAX]; /* each once, in the order in
						    * which they are found */
	size_t n;
	size_t fields;
	bool broken;   /* what a client makes of it is not known */
	bool overflow; /* then broken, too: there are more than ADDRLIST_MAX, or
			* some is too long to be looked at (addrscan.h) */
};

/* One more field: value is what follows its colon, folded or not. An empty
 * one, "<>", and a group without members name nobody. fold_local as in
 * addr_parse(). */
void addrlist_add(struct addrlist *l, struct span value, bool fold_local);

/* How many addresses of mailboxes there are. */
size_t addrlist_mailboxes(const struct addrlist *l);

#endif
