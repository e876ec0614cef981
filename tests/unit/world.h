/* tests/unit/world.h: a little world of domains, aliases and mailboxes, and
 * one walk of the stepper of policy/expand.h through it. */
#ifndef MAILROW_TESTS_UNIT_WORLD_H
#define MAILROW_TESTS_UNIT_WORLD_H

#include "policy/expand.h"

enum { WORLD_ROWS = 64, WORLD_ANSWERS = 4096 };

enum world_kind { WORLD_DOMAIN, WORLD_ALIAS, WORLD_MAILBOX };

struct world_row {
	enum world_kind kind;
	struct span key;
	struct span text; /* domain: alias_of; alias: one row of targets */
	enum fact there;
	enum fact active; /* domain */
};

struct world {
	struct world_row row[WORLD_ROWS];
	size_t n;
	const char *delimiters;
	bool fold;
};

/* Reads lines of
 *     domain NAME [= OTHER] [off|dim|temp|foreign]
 *     alias KEY [temp] [targets to the end of the line]
 *     mailbox ADDRESS [temp]
 * "dim": whether it is active is not known. An alias with several rows stands
 * there several times. False: a line is none of these. w points into text. */
bool world_read(struct world *w, const char *text);

struct world_row world_domain(const struct world *w, struct span name);
enum fact world_alias(const struct world *w, struct span key);
enum fact world_mailbox(const struct world *w, struct span address);

/* One expansion. temp_at: the question, counted from 0, which the database
 * does not answer; SIZE_MAX: none. */
struct world_walk {
	size_t temp_at;
	struct expand *e;
	enum expand_step end;
	size_t questions;
	size_t mailboxes;
	struct {
		struct addr key;
		enum fact known;
	} answer[WORLD_ANSWERS];
};

/* expand_new(); false: no memory. The caller frees k->e. */
bool world_begin(const struct world *w, const struct addr *rcpt,
		 struct world_walk *k);

/* Answers one question; false: k->end says how it ended. */
bool world_answer(const struct world *w, struct world_walk *k);

/* Both, from the beginning to the end. */
void world_walk(const struct world *w, const struct addr *rcpt,
		struct world_walk *k);

#endif
