/* sql/asking.c: see asking.h. Whatever cannot be read is F_TEMP: a broken
 * answer must never look like "no such user". */
#include "sql/asking.h"

#include <stdio.h>

#include "lib/esc.h"
#include "lib/log.h"

void asking_log(const struct asking *a, const char *what)
{
	log_warn("cannot use %s of profile '%s': %s", profile_query_name(a->q),
		 a->profile->name, what);
}

void asking_log_value(const struct asking *a, size_t column)
{
	size_t required;

	log_warn("cannot use %s of profile '%s': column '%s' holds no value"
		 " of its kind",
		 profile_query_name(a->q), a->profile->name,
		 profile_columns(a->q, &required)[column]);
}

static bool map_column(struct asking *a, const char *name, int at,
		       const char *const *want)
{
	for (size_t i = 0; want[i]; i++)
		if (strcmp(want[i], name) == 0 && a->at[i] < 0) {
			a->at[i] = at;
			return true;
		}
	log_warn("cannot use %s of profile '%s': column '%s' is not one of"
		 " its columns, or stands twice",
		 profile_query_name(a->q), a->profile->name, name);
	return false;
}

/* By name, so that the SELECT may have them in any order. A name that is not
 * declared may be a misspelt one that matters (a quota), so it is a mistake. */
static bool map_columns(struct asking *a)
{
	const struct profile_statement *s = &a->profile->query[a->q];
	char name[DB_SITE_COLUMNS][64];
	size_t n, required;
	const char *const *want = profile_columns(a->q, &required);

	if (db_site_columns(a->db, (unsigned)a->q, span_make(s->text, s->n),
			    name, DB_SITE_COLUMNS, &n) != DB_OK) {
		asking_log(a, db_why(a->db));
		return false;
	}
	for (size_t i = 0; i < ASKING_COLUMNS; i++)
		a->at[i] = -1;
	for (size_t i = 0; i < n; i++)
		if (!map_column(a, name[i], (int)i, want))
			return false;
	for (size_t i = 0; i < required; i++)
		if (a->at[i] < 0) {
			log_warn("cannot use %s of profile '%s': it yields no"
				 " column '%s'",
				 profile_query_name(a->q), a->profile->name,
				 want[i]);
			return false;
		}
	return true;
}

/* The server tells the same two ways: a value that the column's character set
 * cannot hold, and a statement whose columns do not go together. */
enum {
	ERR_COLLATIONS_2 = 1267,
	ERR_COLLATIONS_3 = 1270,
	ERR_COLLATIONS_N = 1271
};

static bool is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* A name that the site's tables cannot even hold is not in them. The statement
 * itself must be right: it prepares, and its other values are ASCII. */
static bool cannot_be_held(struct asking *a, const struct span value[PP_COUNT])
{
	const struct profile_statement *s = &a->profile->query[a->q];
	unsigned err = db_errno(a->db);
	char name[DB_SITE_COLUMNS][64];
	bool ascii = true;
	size_t n;

	if (err != ERR_COLLATIONS_2 && err != ERR_COLLATIONS_3 &&
	    err != ERR_COLLATIONS_N)
		return false;
	for (size_t i = 0; i < s->nparam; i++)
		ascii = ascii && is_ascii(value[s->param[i]]);
	return !ascii &&
	       db_site_columns(a->db, (unsigned)a->q, span_make(s->text, s->n),
			       name, DB_SITE_COLUMNS, &n) == DB_OK;
}

/* F_YES: rows may be taken, then db_site_done(); F_NO: there can be none. */
enum fact asking_begin(struct asking *a, const struct span value[PP_COUNT])
{
	const struct profile_statement *s = &a->profile->query[a->q];
	struct sqlval param[PROFILE_PARAMS_MAX];

	for (size_t i = 0; i < s->nparam; i++)
		param[i] = sql_bytes(value[s->param[i]]);
	if (db_site_run(a->db, (unsigned)a->q, span_make(s->text, s->n), param,
			s->nparam, 0) != DB_OK) {
		if (cannot_be_held(a, value))
			return F_NO;
		asking_log(a, db_why(a->db));
		return F_TEMP;
	}
	if (map_columns(a))
		return F_YES;
	db_site_done(a->db, (unsigned)a->q);
	return F_TEMP;
}

/* F_YES: a row; F_NO: the end. */
enum fact asking_next(struct asking *a)
{
	bool got;

	if (db_site_fetch(a->db, (unsigned)a->q, a->col, &got) != DB_OK) {
		asking_log(a, db_why(a->db));
		return F_TEMP;
	}
	return got ? F_YES : F_NO;
}

/* NULL counts as empty. */
struct span asking_text(const struct asking *a, size_t column)
{
	const struct sqlval *v;

	if (a->at[column] < 0)
		return SPAN_EMPTY;
	v = &a->col[a->at[column]];
	return v->type == SQLVAL_BYTES ? v->s : SPAN_EMPTY;
}

bool asking_number(const struct asking *a, size_t column, uint64_t missing,
		   uint64_t *n_r)
{
	struct span s = asking_text(a, column);

	*n_r = a->at[column] < 0 ? missing : 0;
	if (s.n == 0 || span_u64(s, n_r))
		return true;
	asking_log_value(a, column);
	return false;
}

bool asking_copy(const struct asking *a, size_t column, char *to, size_t size)
{
	struct span s = asking_text(a, column);

	if (s.n >= size || memchr(s.p, '\0', s.n)) {
		asking_log_value(a, column);
		return false;
	}
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return true;
}

void asking_log_other(const struct asking *a, struct span asked,
		      struct span returned)
{
	struct esc_text a1, a2;

	log_warn("ignored a row of %s of profile '%s': asked for '%s', got"
		 " '%s'",
		 profile_query_name(a->q), a->profile->name,
		 esc_text(&a1, asked), esc_text(&a2, returned));
}

/* The stored name may be written in another way; canonical, it must be the
 * asked one octet by octet. */
bool asking_same_address(const struct asking *a, const struct addr *asked,
			 struct span returned)
{
	struct addr stored;

	if (span_eq(addr_span(asked), returned) ||
	    (addr_parse(returned, !a->profile->keep_case, &stored) == ADDR_OK &&
	     span_eq(addr_span(asked), addr_span(&stored))))
		return true;
	asking_log_other(a, addr_span(asked), returned);
	return false;
}

bool asking_same_domain(const struct asking *a, struct span asked,
			struct span returned)
{
	char stored[ADDR_DOMAIN_MAX + 1];
	size_t n;

	if (span_eq(asked, returned) ||
	    (addr_domain_parse(returned, stored, &n) == ADDR_OK &&
	     span_eq(asked, span_make(stored, n))))
		return true;
	asking_log_other(a, asked, returned);
	return false;
}
