/* policy/underway.h: octets that have room in a mailbox promised to them and
 * are not stored yet: of the mails that the sessions of this process take in.
 * Only such with a quota, and a declared size, are counted. Bounded,
 * thread-safe. */
#ifndef MAILROW_POLICY_UNDERWAY_H
#define MAILROW_POLICY_UNDERWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNDERWAY_BOXES_MAX = 65536 };

struct underway;

/* NULL: no memory. */
struct underway *underway_new(void);
void underway_free(struct underway **f);

/* What is on its way to a mailbox. */
uint64_t underway_octets(struct underway *f, uint64_t mailbox_id);

/* What one mail has promised to it; all zero is nothing. */
struct holding {
	struct underway *of;
	struct held {
		uint64_t mailbox_id, octets;
	} * held;
	size_t n, size;
};

bool holding_has(const struct holding *h, uint64_t mailbox_id);

/* One more mailbox. False: with what others hold it would be more than room.
 * Beyond the bound, or without memory, nothing is counted: the transaction at
 * the end is exact. */
bool holding_add(struct holding *h, struct underway *f, uint64_t mailbox_id,
		 uint64_t octets, uint64_t room)
	__attribute__((warn_unused_result));

/* Gives it all back. Idempotent. */
void holding_release(struct holding *h);

#endif
