/* sql/profile.h: the site's own tables, as named SELECTs and one UPDATE. */
#ifndef MAILROW_SQL_PROFILE_H
#define MAILROW_SQL_PROFILE_H

#include "lib/buf.h"

/* Which parameters and columns each query has, and what it answers, is one
 * table in profile.c; mailrow check and the manual print it. */
enum profile_query {
	PQ_DOMAIN,
	PQ_MAILBOX,
	PQ_LOGIN,
	PQ_ALIAS,
	PQ_SENDER,
	PQ_STATE,  /* of a login, without its password */
	PQ_REHASH, /* the UPDATE: another hash for the same password */
	PQ_COUNT
};

enum profile_param {
	PP_ADDRESS, /* :address   canonical address; alias_query: or "@domain"
		     */
	PP_LOCAL,   /* :local     its local part; sender_query: of :sender */
	PP_DOMAIN,  /* :domain    its domain; sender_query: of :sender */
	PP_LOGIN,   /* :login     login as the client gave it, canonical */
	PP_SENDER,  /* :sender    envelope sender, canonical */
	PP_HASH,    /* :hash      the new hash */
	PP_OLD,     /* :old       the hash that is there */
	PP_COUNT
};

enum { PROFILE_PARAMS_MAX = 32 };

struct profile_statement {
	char *text; /* with ? for each parameter */
	size_t n;   /* 0: nothing, the panel has none of this kind */
	enum profile_param param[PROFILE_PARAMS_MAX];
	size_t nparam;
	unsigned line; /* in the file, for messages */
};

struct profile {
	char name[64];
	bool ours; /* accounts = ours: the account verbs may write */

	/* fold_local_part = no: Bob@ and bob@ are two. Set by who loads it. */
	bool keep_case;
	struct profile_statement query[PQ_COUNT];
};

/* Parses a profile file's text. Named parameters become ?, with quotes,
 * backquotes and comments understood; unknown names, a second statement and
 * anything but a SELECT (rehash_query: an UPDATE) are mistakes, all listed in
 * problems as "FILE:LINE: ...". Pure. NULL when there was any. */
struct profile *profile_parse(const char *file, struct span text,
			      struct buf *problems);
void profile_free(struct profile **p);

/* Reads PROFILE_DIR/NAME.conf. */
struct profile *profile_load(const char *dir, const char *name,
			     struct buf *problems);

const char *profile_query_name(enum profile_query q);

/* The columns a query must yield, NULL-terminated: "name", "active" ...;
 * those after *required_r of them may be missing. None: it is no SELECT. */
const char *const *profile_columns(enum profile_query q, size_t *required_r);

#endif
