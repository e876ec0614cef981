/* ctl/tool.h: what every verb of mailrow(1) is given and uses. */
#ifndef MAILROW_CTL_TOOL_H
#define MAILROW_CTL_TOOL_H

#include "lib/addr.h"
#include "lib/conf.h"
#include "policy/pattern.h"
#include "sql/db.h"
#include "sql/native.h"
#include "sql/profile.h"

struct tool {
	const struct conf *conf;
	const char *conf_file;
	bool json;
	struct profile *profile; /* tool_profile() */
	struct db_target *target;
	struct db *db;     /* tool_db(), tool_db_purge() */
	enum program self; /* whose connection that is */
	struct db_target *mender_target;
	struct db *mender; /* tool_db_mender() */
	struct db_target *accounts_target;
	struct db *accounts; /* tool_accounts(), when it is another server */
};

struct option; /* <getopt.h> */

/* A noun has its verbs in a table of its own, ended by a row without name. */
struct verb {
	const char *noun;
	const char *name; /* "" for a noun without verbs */
	int min_args, max_args;
	const char *usage; /* arguments, for --help */
	const char *help;
	int (*run)(struct tool *t, int argc, char **argv);

	/* Long options of the verb, ended by a row of zeros, or NULL when it
	 * has none. option() is called for each that is given, with its val
	 * and argument, before run(); it returns an exit code, EX_OK to go on.
	 */
	const struct option *options;
	int (*option)(struct tool *t, int val, const char *argument);
};
extern const struct verb schema_verbs[], domain_verbs[], account_verbs[],
	mailbox_verbs[], alias_verbs[], lookup_verbs[], serve_verbs[],
	retention_verbs[], status_verbs[], check_verbs[], purge_verbs[],
	undelete_verbs[], verify_verbs[], pop3_verbs[], metrics_verbs[],
	auth_verbs[], network_verbs[], access_verbs[], send_as_verbs[],
	limit_verbs[], policy_verbs[], explain_verbs[];

/* Prints "mailrow: ..." to stderr and returns the exit code given. */
int tool_fail(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The tool's connection to the store; connects at first use. NULL after a
 * message (then return EX_UNAVAILABLE). */
struct db *tool_db(struct tool *t);

/* The same as the user that may delete mail for good (mailrow-purge.cnf). A
 * verb uses one of the two. */
struct db *tool_db_purge(struct tool *t);

/* That one beside tool_db(), for who reads as the one and changes as the
 * other. NULL after a message. */
struct db *tool_db_mender(struct tool *t);

/* Where the accounts are, as the user of tool_db() or tool_db_purge(), called
 * before: the same connection, or another. NULL after a message. */
struct db *tool_accounts(struct tool *t);

/* The same without a look at schema and durability, for those who judge or
 * change just these. */
struct db *tool_db_any(struct tool *t);

/* The profile in force; NULL after a message (then EX_CONFIG). */
struct profile *tool_profile(struct tool *t);

/* True if that process is the program of this name still: the number may since
 * have become another one's. */
bool tool_daemon_runs(pid_t pid, const char *name);

/* False, after a message, when the accounts belong to a panel. */
bool tool_owns_accounts(struct tool *t);

/* Arguments; false after a message naming what is wrong (then EX_DATAERR). */
bool tool_address(struct tool *t, const char *text, struct addr *a_r);

/* A domain, or one address. */
bool tool_name(struct tool *t, const char *text, struct addr *a_r);
bool tool_domain(const char *text, char out[ADDR_DOMAIN_MAX + 1]);
bool tool_octets(const char *text, uint64_t *octets_r);

/* A pattern of one of these forms (policy/pattern.h), canonical; a domain may
 * stand without its @. False after a message. */
bool tool_pattern(struct tool *t, const char *text, unsigned forms,
		  struct pattern *p_r);

/* Writes a row, or says why not; one that is there as it is to be is fine. */
int tool_set(struct tool *t, enum query_id q, const struct sqlval *param);

/* Removes a row by its key as it was typed, which finds also what somebody else
 * wrote; or else in canonical form. */
int tool_unset(struct tool *t, enum query_id q, const struct sqlval *typed,
	       const struct sqlval *canonical, const char *subject);

/* The same where the key is a pair of patterns. */
int tool_unset_pair(struct tool *t, enum query_id q, char **argv,
		    unsigned first_forms, unsigned second_forms);

/* Prints what list() finds in the store, and below it the row last (NULL:
 * none). The exit code. */
struct out_column; /* ctl/out.h */
int tool_print_list(struct tool *t, const char *name,
		    const struct out_column *columns,
		    enum native_result (*list)(struct db *, native_row, void *),
		    const struct sqlval *last);

/* Message and exit code for what sql/native.h answered about subject. */
int tool_native_result(struct tool *t, enum native_result r,
		       const char *subject);

#endif
