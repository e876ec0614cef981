/* ctl/tool.h: what every verb of mailrow(1) is given and uses. */
#ifndef MAILROW_CTL_TOOL_H
#define MAILROW_CTL_TOOL_H

#include "lib/addr.h"
#include "lib/conf.h"
#include "sql/db.h"
#include "sql/native.h"
#include "sql/profile.h"

struct tool {
	const struct conf *conf;
	const char *conf_file;
	bool json;
	struct profile *profile; /* tool_profile() */
	struct db_target *target;
	struct db *db; /* tool_db() */
};

/* A noun has its verbs in a table of its own, ended by a row without name. */
struct verb {
	const char *noun;
	const char *name; /* "" for a noun without verbs */
	int min_args, max_args;
	const char *usage; /* arguments, for --help */
	const char *help;
	int (*run)(struct tool *t, int argc, char **argv);
};
extern const struct verb schema_verbs[], domain_verbs[], account_verbs[],
	mailbox_verbs[], check_verbs[];

/* Prints "mailrow: ..." to stderr and returns the exit code given. */
int tool_fail(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The tool's connection to the store; connects at first use. NULL after a
 * message (then return EX_UNAVAILABLE). */
struct db *tool_db(struct tool *t);

/* The same without a look at schema and durability, for those who judge or
 * change just these. */
struct db *tool_db_any(struct tool *t);

/* The profile in force; NULL after a message (then EX_CONFIG). */
struct profile *tool_profile(struct tool *t);

/* False, after a message, when the accounts belong to a panel. */
bool tool_owns_accounts(struct tool *t);

/* Arguments; false after a message naming what is wrong (then EX_DATAERR). */
bool tool_address(struct tool *t, const char *text, struct addr *a_r);
bool tool_domain(const char *text, char out[ADDR_DOMAIN_MAX + 1]);
bool tool_octets(const char *text, uint64_t *octets_r);

/* Message and exit code for what sql/native.h answered about subject. */
int tool_native_result(struct tool *t, enum native_result r,
		       const char *subject);

#endif
