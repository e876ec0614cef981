/* auth/memory.h: passwords that were right a moment ago, as keyed hashes, each
 * bound to the very row that it matched; so who comes again costs no slow
 * hash, and another row makes it void. Bounded; shared by the workers. */
#ifndef MAILROW_AUTH_MEMORY_H
#define MAILROW_AUTH_MEMORY_H

#include "lib/apppass.h"
#include "sql/login.h"

enum { MEMORY_PLACES = 16384, MEMORY_WAYS = 8, MEMORY_TAG_SIZE = 32 };

struct memory;

/* With a key of its own. NULL: no memory, no entropy. */
struct memory *memory_new(void);

/* Overwrites key and hashes. */
void memory_free(struct memory **m);

/* A login and a password, by which they are found. */
struct memory_tag {
	uint8_t octet[MEMORY_TAG_SIZE];
};
bool memory_tag(const struct memory *m, const struct addr *login,
		struct span password, struct memory_tag *t_r)
	__attribute__((warn_unused_result));

/* The same of an application password of ours, by its hash, however it was
 * typed. It is never that of a password with the same letters. */
bool memory_tag_app(const struct memory *m, const struct addr *login,
		    const uint8_t hash[APPPASS_HASH_SIZE],
		    struct memory_tag *t_r) __attribute__((warn_unused_result));

/* Was this password right with this very row, not before since? Then it is as
 * fresh as now. An application password is not the row's. Times are of
 * clock_ms(). */
bool memory_knows(struct memory *m, const struct memory_tag *t,
		  const struct login_row *row, int64_t since, int64_t now);

/* It was right now. app: of the application password, 0: none. Without memory
 * nothing is remembered. */
void memory_put(struct memory *m, const struct memory_tag *t,
		const struct login_row *row, uint64_t app, int64_t now);

/* Is there a password of this login that was right not before since? Looks at
 * every place: a question for when no row can be read. */
bool memory_has(struct memory *m, const struct addr *login, int64_t since);

/* It is not right, or opens nothing, any more. */
void memory_forget(struct memory *m, const struct memory_tag *t);

/* For when no row can be read: what was known of a password that was right
 * not before since. row_r has no hash; its login is the caller's. */
bool memory_recall(struct memory *m, const struct memory_tag *t,
		   const struct addr *login, int64_t since,
		   struct login_row *row_r, uint64_t *app_r);

#endif
