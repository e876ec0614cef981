/* policy/predicate.h: the predicates of predicate.def, and how they decide.
 * Pure: facts in, verdict out. */
#ifndef MAILROW_POLICY_PREDICATE_H
#define MAILROW_POLICY_PREDICATE_H

#include "lib/reply.h"
#include "policy/facts.h"

enum predicate_id {
#define PREDICATE(id, name, stages, needs, mode, reply, hard, help) id,
#include "policy/predicate.def"
#undef PREDICATE
	PREDICATE_COUNT
};

enum stage {
	STAGE_MAIL = 1,
	STAGE_RCPT = 2,
	STAGE_TARGET = 4,
	STAGE_HEADERS = 8,
	STAGE_END = 16,
	STAGE_STORE = 32,
	OF_SENDER = 64 /* no stage: see predicate.def */
};

enum predicate_needs { N_NONE, N_DATA, N_DB };

enum policy_mode { M_OFF, M_SHADOW, M_ENFORCE, M_FIXED };

struct predicate {
	const char *name;
	unsigned stages; /* bits of enum stage */
	enum predicate_needs needs;
	enum policy_mode mode; /* unless a site says otherwise */
	enum reply_id reply, hard;
	const char *help;
};

const struct predicate *predicate_get(enum predicate_id id);

/* PREDICATE_COUNT: none of this name. */
enum predicate_id predicate_find(struct span name);

/* What a reply at the end of a mail comes of: the predicate that has it, or
 * "memory", "stopping", "forward", "database". "" for R_NONE. */
const char *predicate_behind(enum reply_id id);

/* "off", "shadow", "enforce", "fixed". */
const char *policy_mode_name(enum policy_mode mode);

/* The modes in force for one decision, by the predicate's number. */
struct policy_modes {
	uint8_t mode[PREDICATE_COUNT];
};

/* Those of the table itself. */
void policy_modes_default(struct policy_modes *m_r);

/* Has no effect on a predicate that is M_FIXED: false. */
bool policy_modes_set(struct policy_modes *m, enum predicate_id id,
		      enum policy_mode mode);

struct verdict {
	enum reply_id id;      /* R_NONE: accepted */
	const char *predicate; /* who decided, "" for R_NONE */
	uint64_t shadow;       /* who else would have: bits by number */
};

/* Told each predicate that is tried. */
typedef void (*policy_tried)(void *arg, enum predicate_id id,
			     enum policy_mode mode, enum fact hits);

/* Tries the predicates of one stage, with STAGE_STORE only those that hold
 * where mail is only stored. One that cannot be told is R_STORE_DOWN where it
 * is enforced, and does not count in shadow. tried may be NULL. */
struct verdict policy_decide(unsigned stage, const struct facts *f,
			     const struct policy_modes *m, policy_tried tried,
			     void *arg);

/* The name of a predicate of the mask, which is taken out; NULL: empty. */
const char *policy_shadow_next(uint64_t *mask);

#endif
