/* sql/accounts.c: the profile's answers become facts. Whatever cannot be read
 * is F_TEMP: a broken answer must never look like "no such user". */
#include "sql/accounts.h"

#include <stdio.h>

#include "lib/esc.h"
#include "lib/log.h"

enum { COLUMNS_MAX = 8 };

/* One query on its way. at[i] is where the i-th declared column stands in the
 * rows, or -1. */
struct asking {
	struct db *db;
	enum profile_query q;
	const struct profile *profile;
	int at[COLUMNS_MAX];
	struct sqlval col[DB_SITE_COLUMNS];
};

static void log_failed(const struct asking *a, const char *what)
{
	log_warn("cannot use %s of profile '%s': %s", profile_query_name(a->q),
		 a->profile->name, what);
}

static void log_value(const struct asking *a, size_t column)
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
		log_failed(a, db_why(a->db));
		return false;
	}
	for (size_t i = 0; i < COLUMNS_MAX; i++)
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
static enum fact ask(struct asking *a, const struct span value[PP_COUNT])
{
	const struct profile_statement *s = &a->profile->query[a->q];
	struct sqlval param[PROFILE_PARAMS_MAX];

	for (size_t i = 0; i < s->nparam; i++)
		param[i] = sql_bytes(value[s->param[i]]);
	if (db_site_run(a->db, (unsigned)a->q, span_make(s->text, s->n), param,
			s->nparam, 0) != DB_OK) {
		if (cannot_be_held(a, value))
			return F_NO;
		log_failed(a, db_why(a->db));
		return F_TEMP;
	}
	if (map_columns(a))
		return F_YES;
	db_site_done(a->db, (unsigned)a->q);
	return F_TEMP;
}

/* F_YES: a row; F_NO: the end. */
static enum fact next_row(struct asking *a)
{
	bool got;

	if (db_site_fetch(a->db, (unsigned)a->q, a->col, &got) != DB_OK) {
		log_failed(a, db_why(a->db));
		return F_TEMP;
	}
	return got ? F_YES : F_NO;
}

/* NULL counts as empty. */
static struct span text_of(const struct asking *a, size_t column)
{
	const struct sqlval *v;

	if (a->at[column] < 0)
		return SPAN_EMPTY;
	v = &a->col[a->at[column]];
	return v->type == SQLVAL_BYTES ? v->s : SPAN_EMPTY;
}

static bool number_of(const struct asking *a, size_t column, uint64_t missing,
		      uint64_t *n_r)
{
	struct span s = text_of(a, column);

	*n_r = a->at[column] < 0 ? missing : 0;
	if (s.n == 0 || span_u64(s, n_r))
		return true;
	log_value(a, column);
	return false;
}

static bool copy_text(const struct asking *a, size_t column, char *to,
		      size_t size)
{
	struct span s = text_of(a, column);

	if (s.n >= size || memchr(s.p, '\0', s.n)) {
		log_value(a, column);
		return false;
	}
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return true;
}

/* A folding or padding collation finds rows of other names: no match. */
static void log_other_name(const struct asking *a, struct span asked,
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
static bool same_address(const struct asking *a, const struct addr *asked,
			 struct span returned)
{
	struct addr stored;

	if (span_eq(addr_span(asked), returned) ||
	    (addr_parse(returned, !a->profile->keep_case, &stored) == ADDR_OK &&
	     span_eq(addr_span(asked), addr_span(&stored))))
		return true;
	log_other_name(a, addr_span(asked), returned);
	return false;
}

static bool same_domain(const struct asking *a, struct span asked,
			struct span returned)
{
	char stored[ADDR_DOMAIN_MAX + 1];
	size_t n;

	if (span_eq(asked, returned) ||
	    (addr_domain_parse(returned, stored, &n) == ADDR_OK &&
	     span_eq(asked, span_make(stored, n))))
		return true;
	log_other_name(a, asked, returned);
	return false;
}

enum { DOMAIN_NAME, DOMAIN_ACTIVE, DOMAIN_ALIAS_OF };

static enum fact take_domain(const struct asking *a, struct domain_facts *f)
{
	struct span alias = text_of(a, DOMAIN_ALIAS_OF);
	uint64_t active;
	size_t n;

	if (!number_of(a, DOMAIN_ACTIVE, 1, &active))
		return F_TEMP;
	f->active = active ? F_YES : F_NO;
	f->alias_of[0] = '\0';
	if (alias.n > 0 &&
	    addr_domain_parse(alias, f->alias_of, &n) != ADDR_OK) {
		log_value(a, DOMAIN_ALIAS_OF);
		return F_TEMP;
	}
	return F_YES;
}

void accounts_domain(struct db *db, const struct profile *p, struct span domain,
		     struct domain_facts *f_r)
{
	struct asking a = { .db = db, .q = PQ_DOMAIN, .profile = p };
	const struct span value[PP_COUNT] = { [PP_DOMAIN] = domain };

	*f_r = (struct domain_facts){ 0 };
	f_r->ours = f_r->active = ask(&a, value);
	if (f_r->ours != F_YES)
		return;
	do
		f_r->ours = next_row(&a);
	while (f_r->ours == F_YES &&
	       !same_domain(&a, domain, text_of(&a, DOMAIN_NAME)));
	if (f_r->ours == F_YES)
		f_r->ours = take_domain(&a, f_r);
	if (f_r->ours != F_YES)
		f_r->active = f_r->ours;
	db_site_done(db, (unsigned)a.q);
}

enum { MAILBOX_NAME, MAILBOX_ACTIVE, MAILBOX_QUOTA, MAILBOX_INCARNATION };

static enum fact take_mailbox(const struct asking *a, struct mailbox_facts *f)
{
	uint64_t active;

	if (!number_of(a, MAILBOX_ACTIVE, 1, &active) ||
	    !number_of(a, MAILBOX_QUOTA, 0, &f->quota) ||
	    !copy_text(a, MAILBOX_INCARNATION, f->incarnation,
		       sizeof(f->incarnation)))
		return F_TEMP;
	f->active = active ? F_YES : F_NO;
	return F_YES;
}

void accounts_mailbox(struct db *db, const struct profile *p,
		      const struct addr *address, struct mailbox_facts *f_r)
{
	struct asking a = { .db = db, .q = PQ_MAILBOX, .profile = p };
	const struct span value[PP_COUNT] = {
		[PP_ADDRESS] = addr_span(address),
		[PP_LOCAL] = addr_local(address),
		[PP_DOMAIN] = addr_domain(address),
	};

	*f_r = (struct mailbox_facts){ .name = *address };
	f_r->known = f_r->active = ask(&a, value);
	if (f_r->known != F_YES)
		return;
	do
		f_r->known = next_row(&a);
	while (f_r->known == F_YES &&
	       !same_address(&a, address, text_of(&a, MAILBOX_NAME)));
	if (f_r->known == F_YES)
		f_r->known = take_mailbox(&a, f_r);
	if (f_r->known != F_YES)
		f_r->active = f_r->known;
	db_site_done(db, (unsigned)a.q);
}

enum {
	LOGIN_LOGIN,
	LOGIN_MAILBOX,
	LOGIN_HASH,
	LOGIN_ACTIVE,
	LOGIN_SMTP,
	LOGIN_POP3,
	LOGIN_INCARNATION
};

static bool take_flag(const struct asking *a, size_t column, bool *flag_r)
{
	uint64_t n;

	if (!number_of(a, column, 1, &n))
		return false;
	*flag_r = n != 0;
	return true;
}

static enum fact take_login(const struct asking *a, const struct addr *login,
			    struct login_row *row)
{
	row->login = *login;
	if (addr_parse(text_of(a, LOGIN_MAILBOX), !a->profile->keep_case,
		       &row->mailbox) != ADDR_OK) {
		log_value(a, LOGIN_MAILBOX);
		return F_TEMP;
	}
	if (!copy_text(a, LOGIN_HASH, row->hash, sizeof(row->hash)) ||
	    !take_flag(a, LOGIN_ACTIVE, &row->active) ||
	    !take_flag(a, LOGIN_SMTP, &row->smtp) ||
	    !take_flag(a, LOGIN_POP3, &row->pop3) ||
	    !copy_text(a, LOGIN_INCARNATION, row->incarnation,
		       sizeof(row->incarnation)))
		return F_TEMP;
	return F_YES;
}

/* To leave rows out could make a right password a wrong one. */
static enum fact take_logins(struct asking *a, const struct addr *login,
			     struct login_row *row_r, size_t *n_r)
{
	enum fact f;

	while ((f = next_row(a)) == F_YES) {
		if (!same_address(a, login, text_of(a, LOGIN_LOGIN)))
			continue;
		if (*n_r == LOGIN_ROWS_MAX) {
			log_failed(a, "too many rows for one login");
			return F_TEMP;
		}
		if (take_login(a, login, &row_r[*n_r]) != F_YES)
			return F_TEMP;
		++*n_r;
	}
	return f;
}

enum fact accounts_login(struct db *db, const struct profile *p,
			 const struct addr *login, struct login_row *row_r,
			 size_t *n_r)
{
	struct asking a = { .db = db, .q = PQ_LOGIN, .profile = p };
	const struct span value[PP_COUNT] = {
		[PP_LOGIN] = addr_span(login),
		[PP_LOCAL] = addr_local(login),
		[PP_DOMAIN] = addr_domain(login),
	};
	enum fact f;

	*n_r = 0;
	f = ask(&a, value);
	if (f != F_YES)
		return f;
	f = take_logins(&a, login, row_r, n_r);
	db_site_done(db, (unsigned)a.q);
	if (f != F_NO)
		return F_TEMP;
	return *n_r > 0 ? F_YES : F_NO;
}

enum { ALIAS_NAME, ALIAS_TARGET };

static bool is_catch_all(struct span name)
{
	return name.n > 0 && *name.p == '@';
}

/* asked is canonical, and "@domain" or an address. */
static bool same_alias(const struct asking *a, struct span asked,
		       struct span returned)
{
	struct addr stored;

	if (span_eq(asked, returned))
		return true;
	if (is_catch_all(asked))
		return is_catch_all(returned) &&
		       same_domain(a, span_skip(asked, 1),
				   span_skip(returned, 1));
	if (addr_parse(returned, !a->profile->keep_case, &stored) == ADDR_OK &&
	    span_eq(asked, addr_span(&stored)))
		return true;
	log_other_name(a, asked, returned);
	return false;
}

/* The local part ends at the last '@'; that of a catch-all is empty. */
static size_t local_length(struct span name)
{
	size_t n = name.n;

	while (n > 0 && name.p[n - 1] != '@')
		n--;
	return n > 0 ? n - 1 : 0;
}

static enum fact take_targets(struct asking *a, struct span name,
			      bool (*target)(void *arg, struct span text),
			      void *arg)
{
	enum fact f, found = F_NO;
	size_t rows = 0;

	while ((f = next_row(a)) == F_YES) {
		struct span text;

		if (rows++ == ALIAS_ROWS_MAX) {
			log_failed(a, "too many rows for one name");
			return F_TEMP;
		}
		if (!same_alias(a, name, text_of(a, ALIAS_NAME)))
			continue;
		text = span_trim(text_of(a, ALIAS_TARGET));
		if (text.n == 0)
			continue;
		found = F_YES;
		if (!target(arg, text))
			return found;
	}
	return f == F_NO ? found : F_TEMP;
}

enum fact accounts_alias(struct db *db, const struct profile *p,
			 struct span name,
			 bool (*target)(void *arg, struct span text), void *arg)
{
	struct asking a = { .db = db, .q = PQ_ALIAS, .profile = p };
	size_t local = local_length(name);
	const struct span value[PP_COUNT] = {
		[PP_ADDRESS] = name,
		[PP_LOCAL] = span_head(name, local),
		[PP_DOMAIN] = span_skip(name, local + 1),
	};
	enum fact f;

	if (p->query[PQ_ALIAS].n == 0)
		return F_NO;
	f = ask(&a, value);
	if (f != F_YES)
		return f;
	f = take_targets(&a, name, target, arg);
	db_site_done(db, (unsigned)a.q);
	return f;
}

enum { SENDER_LOGIN, SENDER_SENDER };

/* The stored sender may also be "@domain", or "*": any. Where the query yields
 * none, the row itself is the answer. */
static bool same_sender(const struct asking *a, const struct addr *asked)
{
	struct span stored = text_of(a, SENDER_SENDER);

	if (a->at[SENDER_SENDER] < 0 || span_is(stored, "*"))
		return true;
	if (is_catch_all(stored))
		return same_domain(a, addr_domain(asked), span_skip(stored, 1));
	return same_address(a, asked, stored);
}

static enum fact find_sender(struct asking *a, const struct addr *login,
			     const struct addr *sender)
{
	size_t rows = 0;
	enum fact f;

	while ((f = next_row(a)) == F_YES) {
		if (rows++ == SENDER_ROWS_MAX) {
			log_failed(a, "too many rows for one sender");
			return F_TEMP;
		}
		if (same_address(a, login, text_of(a, SENDER_LOGIN)) &&
		    same_sender(a, sender))
			return F_YES;
	}
	return f;
}

enum fact accounts_sender(struct db *db, const struct profile *p,
			  const struct addr *login, const struct addr *sender)
{
	struct asking a = { .db = db, .q = PQ_SENDER, .profile = p };
	const struct span value[PP_COUNT] = {
		[PP_LOGIN] = addr_span(login),
		[PP_SENDER] = addr_span(sender),
		[PP_LOCAL] = addr_local(sender),
		[PP_DOMAIN] = addr_domain(sender),
	};
	enum fact f;

	if (p->query[PQ_SENDER].n == 0)
		return F_NO;
	f = ask(&a, value);
	if (f != F_YES)
		return f;
	f = find_sender(&a, login, sender);
	db_site_done(db, (unsigned)a.q);
	return f;
}
