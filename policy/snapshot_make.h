/* policy/snapshot_make.h: from rows to a snapshot, or to what is wrong with
 * them. Pure. */
#ifndef MAILROW_POLICY_SNAPSHOT_MAKE_H
#define MAILROW_POLICY_SNAPSHOT_MAKE_H

#include "lib/siphash.h"
#include "policy/snapshot.h"

enum { SNAPSHOT_WHY_MAX = 8192 };

struct snapshot_maker {
	struct snapshot *s;
	bool fold; /* fold_local_part */
	bool no_memory;
	size_t broken;  /* rows */
	struct buf why; /* a line a row that is broken, or without effect; as
			 * many as there is room for */
};

/* secret: random octets, see keymap.h. False: no memory. Then, and always at
 * the end, snapshot_make_release(). */
bool snapshot_make_init(struct snapshot_maker *m,
			const uint8_t secret[SIPHASH_KEY_SIZE], bool fold_local)
	__attribute__((warn_unused_result));
void snapshot_make_release(struct snapshot_maker *m);

/* A row each. A broken one is counted, and told in a line of why. */
void snapshot_make_network(struct snapshot_maker *m, struct span network,
			   struct span kind);
void snapshot_make_mode(struct snapshot_maker *m, struct span predicate,
			struct span domain, struct span mode);
void snapshot_make_rule(struct snapshot_maker *m, struct span scope,
			struct span sender, struct span action);
void snapshot_make_grant(struct snapshot_maker *m, struct span login,
			 struct span sender);

/* Its subject need not outlive the call. */
void snapshot_make_limit(struct snapshot_maker *m, struct span subject,
			 struct span direction, const struct limit_row *limit);

/* Columns of account_policy; a number that is not there is NULL, a text that is
 * not there is empty, and relay_to is said where has_relay_to is. */
enum account_number {
	ACCOUNT_SUSPENDED,
	ACCOUNT_EXPIRES_AT, /* seconds since the epoch */
	ACCOUNT_MAY_SEND,
	ACCOUNT_MAY_RECEIVE,
	ACCOUNT_REQUIRE_TLS,
	ACCOUNT_MAX_SIZE,
	ACCOUNT_MAX_SEND_SIZE,
	ACCOUNT_MAX_RECIPIENTS,
	ACCOUNT_NUMBERS
};
struct account_columns {
	struct span name, relay, relay_to, accept_from;
	bool has_relay_to;
	const uint64_t *number[ACCOUNT_NUMBERS];
};
void snapshot_make_account(struct snapshot_maker *m,
			   const struct account_columns *c);

/* The snapshot; NULL when a row is broken or there was no memory. */
struct snapshot *snapshot_make_finish(struct snapshot_maker *m,
				      uint64_t generation)
	__attribute__((warn_unused_result));

#endif
