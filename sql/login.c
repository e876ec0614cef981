/* sql/login.c: see login.h. */
#include "sql/login.h"

#include "sql/asking.h"

enum {
	LOGIN_LOGIN,
	LOGIN_MAILBOX,
	LOGIN_HASH,
	LOGIN_ACTIVE,
	LOGIN_SMTP,
	LOGIN_POP3,
	LOGIN_INCARNATION,
	LOGIN_EXPIRED,
	LOGIN_NETWORKS
};

/* Where a query has the columns of its state. */
struct state_columns {
	size_t active, smtp, pop3, expired;
};

static const struct state_columns login_columns = { LOGIN_ACTIVE, LOGIN_SMTP,
						    LOGIN_POP3, LOGIN_EXPIRED };

enum {
	STATE_LOGIN,
	STATE_ACTIVE,
	STATE_SMTP,
	STATE_POP3,
	STATE_EXPIRED,
	STATE_INCARNATION
};

static const struct state_columns state_columns = { STATE_ACTIVE, STATE_SMTP,
						    STATE_POP3, STATE_EXPIRED };

static bool take_flag(const struct asking *a, size_t column, bool missing,
		      bool *flag_r)
{
	uint64_t n;

	if (!asking_number(a, column, missing, &n))
		return false;
	*flag_r = n != 0;
	return true;
}

static bool take_door(const struct asking *a, size_t column,
		      enum login_door *door_r)
{
	uint64_t n;

	if (!asking_number(a, column, LOGIN_OPEN, &n))
		return false;
	*door_r = n == 0                ? LOGIN_CLOSED
		  : n == LOGIN_TLS_ONLY ? LOGIN_TLS_ONLY
					: LOGIN_OPEN;
	return true;
}

static bool take_state(const struct asking *a, const struct state_columns *c,
		       struct login_state *s)
{
	return take_flag(a, c->active, true, &s->active) &&
	       take_flag(a, c->expired, false, &s->expired) &&
	       take_door(a, c->smtp, &s->smtp) &&
	       take_door(a, c->pop3, &s->pop3);
}

static enum fact take_login(const struct asking *a, const struct addr *login,
			    struct login_row *row)
{
	row->login = *login;
	if (addr_parse(asking_text(a, LOGIN_MAILBOX), !a->profile->keep_case,
		       &row->mailbox) != ADDR_OK) {
		asking_log_value(a, LOGIN_MAILBOX);
		return F_TEMP;
	}
	if (!asking_copy(a, LOGIN_HASH, row->hash, sizeof(row->hash)) ||
	    !take_state(a, &login_columns, &row->state) ||
	    !asking_copy(a, LOGIN_NETWORKS, row->networks,
			 sizeof(row->networks)) ||
	    !asking_copy(a, LOGIN_INCARNATION, row->incarnation,
			 sizeof(row->incarnation)))
		return F_TEMP;
	return F_YES;
}

static enum fact take_logins(struct asking *a, const struct addr *login,
			     struct login_row *row_r, size_t *n_r, bool *more_r)
{
	enum fact f;

	while ((f = asking_next(a)) == F_YES) {
		if (!asking_same_address(a, login, asking_text(a, LOGIN_LOGIN)))
			continue;
		*more_r = *n_r == LOGIN_ROWS_MAX;
		if (*more_r)
			return F_NO;
		if (take_login(a, login, &row_r[*n_r]) != F_YES)
			return F_TEMP;
		++*n_r;
	}
	return f;
}

static struct asking asking_of(struct db *db, const struct profile *p,
			       enum profile_query q)
{
	return (struct asking){ .db = db, .q = q, .profile = p };
}

enum fact login_find(struct db *db, const struct profile *p,
		     const struct addr *login, struct login_row *row_r,
		     size_t *n_r, bool *more_r)
{
	struct asking a = asking_of(db, p, PQ_LOGIN);
	const struct span value[PP_COUNT] = {
		[PP_LOGIN] = addr_span(login),
		[PP_LOCAL] = addr_local(login),
		[PP_DOMAIN] = addr_domain(login),
	};
	enum fact f;

	*n_r = 0;
	*more_r = false;
	f = asking_begin(&a, value);
	if (f != F_YES)
		return f;
	f = take_logins(&a, login, row_r, n_r, more_r);
	db_site_done(db, (unsigned)a.q);
	if (f != F_NO)
		return F_TEMP;
	return *n_r > 0 ? F_YES : F_NO;
}

enum fact login_look(struct db *db, const struct profile *p,
		     const struct addr *login, struct login_look *l_r)
{
	struct asking a = asking_of(db, p, PQ_STATE);
	const struct span value[PP_COUNT] = {
		[PP_LOGIN] = addr_span(login),
		[PP_LOCAL] = addr_local(login),
		[PP_DOMAIN] = addr_domain(login),
	};
	enum fact f = asking_begin(&a, value);

	if (f != F_YES)
		return f;
	do
		f = asking_next(&a);
	while (f == F_YES &&
	       !asking_same_address(&a, login, asking_text(&a, STATE_LOGIN)));
	if (f == F_YES && (!take_state(&a, &state_columns, &l_r->state) ||
			   !asking_copy(&a, STATE_INCARNATION, l_r->incarnation,
					sizeof(l_r->incarnation))))
		f = F_TEMP;
	db_site_done(db, (unsigned)a.q);
	return f;
}

enum db_result login_rehash(struct db *db, const struct profile *p,
			    const struct login_row *row, struct span hash,
			    bool *changed_r)
{
	const struct profile_statement *s = &p->query[PQ_REHASH];
	const struct span value[PP_COUNT] = {
		[PP_LOGIN] = addr_span(&row->login),
		[PP_LOCAL] = addr_local(&row->login),
		[PP_DOMAIN] = addr_domain(&row->login),
		[PP_HASH] = hash,
		[PP_OLD] = span_of(row->hash),
	};
	struct sqlval param[PROFILE_PARAMS_MAX];
	enum db_result r;

	for (size_t i = 0; i < s->nparam; i++)
		param[i] = sql_bytes(value[s->param[i]]);
	r = db_site_run(db, PQ_REHASH, span_make(s->text, s->n), param,
			s->nparam, 0);
	*changed_r = r == DB_OK && db_affected(db) > 0;
	db_site_done(db, PQ_REHASH);
	return r;
}
