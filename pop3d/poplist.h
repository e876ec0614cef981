/* pop3d/poplist.h: the list of a mailbox as it was at login, and which of its
 * mails are marked deleted. About 42 octets a mail. Pure. */
#ifndef MAILROW_POP3D_POPLIST_H
#define MAILROW_POP3D_POPLIST_H

#include "lib/span.h"

struct poplist_mail {
	uint64_t uid;
	uint64_t octets;
	uint32_t uidl; /* offset of its length and text */
	bool deleted;
	bool gone; /* a RETR found it vanished */
};

struct poplist {
	struct poplist_mail *mail;
	size_t n, size;
	char *text; /* UIDLs, each behind an octet of length */
	size_t text_n, text_size;
	size_t live_n; /* without the deleted ones */
	uint64_t live_octets, octets;
};

#define POPLIST_INIT                                                           \
	{                                                                      \
		.mail = NULL                                                   \
	}

void poplist_release(struct poplist *l);

/* Room for n more mails, whose UIDLs with an octet each take text. Saves
 * poplist_add() some copying. False: no memory, or too many. */
bool poplist_reserve(struct poplist *l, size_t n, size_t text)
	__attribute__((warn_unused_result));

/* Appends a mail; uidl is copied, 1 to 255 octets. False: no memory, too
 * many, or octets whose sum overflows; the list is as before. */
bool poplist_add(struct poplist *l, uint64_t uid, uint64_t octets,
		 struct span uidl) __attribute__((warn_unused_result));

/* Valid until poplist_add(). */
struct span poplist_uidl(const struct poplist *l, size_t i);

/* i < l->n; a second mark changes nothing. */
void poplist_delete(struct poplist *l, size_t i);
void poplist_undelete_all(struct poplist *l);

/* The uids of marked mails from index *at on, at most max of them; *at moves
 * behind the last. Returns how many. */
size_t poplist_take_deleted(const struct poplist *l, size_t *at, uint64_t *uid,
			    size_t max);

/* The first mail at or after i that is not deleted; l->n if none. */
size_t poplist_next_live(const struct poplist *l, size_t i);

#endif
