/* policy/expand.h: where a recipient leads: aliases and lists, mailboxes,
 * address extensions, alias domains, catch-alls. A stepper: it says what to
 * look up next and is told the answer; it looks nothing up itself. Pure.
 *
 * An address whose domain is not ours is foreign: the end of its way. In a
 * domain of ours, the first that is there counts:
 *   1. alias of the address, 2. its mailbox;
 *   3. and 4. the same without its extension;
 *   5. if the domain stands for another one (alias_of): 1 to 4 for the same
 *      local part there, and so on along the chain, each domain once;
 *   6. the catch-all "@domain", then those of the chain in its order.
 * An alias leads to all its targets. A target that is the address the alias
 * was found for, with or without the extension, means its mailbox: "store
 * here"; it is looked up before the other targets are followed. "@other" means
 * the same local part, extension included, in that domain. An alias found
 * without the extension hands it on to its targets (never to "store here" and
 * "@other", and not to a quoted local part or where it would grow too long).
 * Targets are followed in the order in which they are found, each once; so a
 * circle ends by itself, and if it is all there is, it is an error. Depth and
 * number are bounded; the recipient itself does not count. A domain of the
 * chain that is foreign or not active is the end of the way. */
#ifndef MAILROW_POLICY_EXPAND_H
#define MAILROW_POLICY_EXPAND_H

#include "lib/addr.h"
#include "lib/fact.h"

enum {
	EXPAND_DEPTH_MAX = 10,     /* aliases one after the other */
	EXPAND_TARGETS_MAX = 1000, /* addresses followed for one recipient */
	EXPAND_CHAIN_MAX = 5       /* domains that stand for one another */
};

enum expand_step {
	EXPAND_ASK_DOMAIN,  /* key: a domain */
	EXPAND_ASK_ALIAS,   /* key: an address, or "@domain" */
	EXPAND_ASK_MAILBOX, /* key: an address */
	EXPAND_DONE,
	EXPAND_TEMP,    /* the database did not answer */
	EXPAND_TOO_FAR, /* a circle, too deep or too many */
	EXPAND_NO_MEMORY
};

enum expand_kind {
	EXPAND_MAILBOX,    /* there is one; answer says which answer it was */
	EXPAND_FOREIGN,    /* not a domain of ours */
	EXPAND_UNKNOWN,    /* nothing of this name */
	EXPAND_DOMAIN_OFF, /* the domain is ours and not active */
	EXPAND_BAD         /* an alias's target that is no address */
};

/* One end of the way; each stands there once. */
struct expand_target {
	enum expand_kind kind;
	struct addr address; /* EXPAND_BAD: that of the alias */
	size_t answer;       /* EXPAND_MAILBOX: the n-th expand_tell_mailbox(),
			      * counted from 0 */
};

struct expand;

/* delimiters: octets that begin an extension, "" = none; fold: ASCII letters
 * of targets' local parts are lowered. NULL: no memory. */
struct expand *expand_new(const struct addr *rcpt, const char *delimiters,
			  bool fold);
void expand_free(struct expand **e);

/* What is to be done now; key holds until the answer. */
enum expand_step expand_step(const struct expand *e);
struct span expand_key(const struct expand *e);

/* The answers. alias_of is canonical, empty = none; F_TEMP ends it all. */
void expand_tell_domain(struct expand *e, enum fact ours, enum fact active,
			struct span alias_of);

/* Of an alias: first each row's text, a list split at commas, blanks and line
 * ends; then the end of them. */
void expand_tell_target(struct expand *e, struct span text);
void expand_tell_alias(struct expand *e, enum fact found);
void expand_tell_mailbox(struct expand *e, enum fact known);

/* After EXPAND_DONE: at least one; in the order in which they were found. */
const struct expand_target *expand_targets(const struct expand *e, size_t *n_r);

#endif
