/* policy/snapshotint.h: what snapshot.c and snapshot_make.c share. */
#ifndef MAILROW_POLICY_SNAPSHOTINT_H
#define MAILROW_POLICY_SNAPSHOTINT_H

#include <stdatomic.h>

#include "policy/keymap.h"
#include "policy/snapshot.h"

struct account_row {
	unsigned said;
	struct account_policy v;
};

/* The rows of one subject and direction are a chain. */
#define LIMIT_LAST UINT32_MAX
struct limit_link {
	struct limit_row row;
	uint32_t next; /* or LIMIT_LAST */
};

/* Text that lives as long as the snapshot. */
struct snapshot_text {
	struct snapshot_text *next;
	char text[];
};

struct snapshot {
	atomic_uint refs;
	uint64_t generation;
	struct snapshot_size size;
	struct netmap networks;

	struct policy_modes site;
	bool on[PREDICATE_COUNT]; /* for the site or a domain */
	struct keymap domains;    /* to modes */
	struct policy_modes *modes;
	size_t modes_n, modes_size;

	struct keymap names; /* to accounts */
	struct account_row *account;
	size_t account_size;

	/* A scope alone: it has rules. With a sender: to enum access. */
	struct keymap rules;
	struct keymap grants; /* login and sender */

	struct keymap subjects; /* and "in" or "out": to the first limit */
	struct limit_link *limit;
	size_t limit_size;

	struct snapshot_text *texts;
};

void snapshot_free(struct snapshot *s);

static inline struct span limit_direction_key(enum limit_direction d)
{
	return d == LIMIT_OUT ? SPAN_LIT("out") : SPAN_LIT("in");
}

#endif
