/* policy/judge_lookup.c: see judge_lookup.h. */
#include "policy/judge_lookup.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "policy/refresh.h"
#include "sql/box.h"
#include "sql/login.h"

void lookup_begin(struct lookup *l, const struct judge *j, int64_t deadline)
{
	*l = (struct lookup){ .j = j,
			      .asked = clock_ms(),
			      .deadline = deadline };
}

void lookup_end(struct lookup *l)
{
	if (l->accounts)
		pool_put(l->j->accounts, &l->accounts);
	if (l->store)
		pool_put(l->j->store, &l->store);
	snapshot_put(&l->policy);
}

const struct snapshot *lookup_policy(struct lookup *l)
{
	if (!l->policy_asked && l->j->policy)
		l->policy = snapshot_get(l->j->policy);
	l->policy_asked = true;
	return l->policy;
}

/* Who holds a connection of one pool does not wait for one of the other: two
 * of them could wait for each other. */
static struct db *lookup_get(struct lookup *l, struct pool *p, struct db **db)
{
	if (deadline_left(l->deadline) == 0)
		return NULL;
	if (!*db)
		*db = pool_get(p, l->deadline);
	return *db;
}

/* One connection serves for both where both lie on one server. */
static struct db *lookup_store(struct lookup *l)
{
	if (l->accounts)
		pool_put(l->j->accounts, &l->accounts);
	return lookup_get(l, l->j->store, &l->store);
}

static struct db *lookup_accounts(struct lookup *l)
{
	if (l->j->accounts == l->j->store)
		return lookup_store(l);
	if (l->store)
		pool_put(l->j->store, &l->store);
	return lookup_get(l, l->j->accounts, &l->accounts);
}

static void lookup_note(const struct lookup *l, const char *question,
			struct span key, int64_t began)
{
	if (l->j->note)
		l->j->note(l->j->note_arg, question, key, clock_us() - began);
}

void lookup_domain(struct lookup *l, struct span domain,
		   struct domain_facts *f_r)
{
	int64_t began = clock_us();
	struct db *db;

	if (judge_memory_get_domain(l->j->memory, domain, l->asked, f_r))
		return;
	f_r->ours = F_TEMP;
	f_r->active = F_TEMP;
	db = lookup_accounts(l);
	if (!db)
		return;
	accounts_domain(db, l->j->profile, domain, f_r);
	lookup_note(l, profile_query_name(PQ_DOMAIN), domain, began);
	judge_memory_put_domain(l->j->memory, domain, l->asked, f_r);
}

enum fact lookup_stranger(struct lookup *l, struct span domain)
{
	struct domain_facts f;

	if (judge_memory_get_foreign(l->j->memory, domain, l->asked))
		return F_NO;
	lookup_domain(l, domain, &f);
	if (f.ours == F_NO)
		judge_memory_put_foreign(l->j->memory, domain, l->asked);
	return f.ours;
}

enum fact lookup_alias(struct lookup *l, struct span name,
		       bool (*target)(void *arg, struct span text), void *arg)
{
	int64_t began = clock_us();
	struct db *db = lookup_accounts(l);
	enum fact found;

	if (!db)
		return F_TEMP;
	found = accounts_alias(db, l->j->profile, name, target, arg);
	lookup_note(l, profile_query_name(PQ_ALIAS), name, began);
	return found;
}

enum fact lookup_sender(struct lookup *l, const struct addr *login,
			const struct addr *sender)
{
	int64_t began = clock_us();
	struct db *db;
	enum fact may;

	if (l->j->profile->query[PQ_SENDER].n == 0)
		return F_NO;
	db = lookup_accounts(l);
	if (!db)
		return F_TEMP;
	may = accounts_sender(db, l->j->profile, login, sender);
	lookup_note(l, profile_query_name(PQ_SENDER), addr_span(sender), began);
	return may;
}

enum fact lookup_known(struct lookup *l, const struct addr *a)
{
	int64_t began = clock_us();
	struct judge_mailbox b;
	struct db *db;

	if (judge_memory_get_mailbox(l->j->memory, a, l->asked, &b))
		return F_YES;
	db = lookup_accounts(l);
	if (!db)
		return F_TEMP;
	accounts_mailbox(db, l->j->profile, a, &b.facts);
	lookup_note(l, profile_query_name(PQ_MAILBOX), addr_span(a), began);
	return b.facts.known;
}

void lookup_login(struct lookup *l, const struct addr *login,
		  struct login_facts *f_r)
{
	int64_t began = clock_us();
	struct login_look look;
	bool tls_only;
	struct db *db;

	*f_r = (struct login_facts){ .known = F_NO };
	if (l->j->profile->query[PQ_STATE].n == 0)
		return;
	if (judge_memory_get_login(l->j->memory, login, l->asked, &tls_only)) {
		*f_r = (struct login_facts){ .known = F_YES,
					     .active = F_YES,
					     .smtp = F_YES,
					     .tls_only = fact_of(tls_only) };
		return;
	}
	f_r->known = F_TEMP;
	db = lookup_accounts(l);
	if (!db)
		return;
	f_r->known = login_look(db, l->j->profile, login, &look);
	lookup_note(l, profile_query_name(PQ_STATE), addr_span(login), began);
	if (f_r->known != F_YES)
		return;
	tls_only = look.state.smtp == LOGIN_TLS_ONLY;
	f_r->active = fact_of(look.state.active && !look.state.expired);
	f_r->smtp = fact_of(look.state.smtp != LOGIN_CLOSED);
	f_r->tls_only = fact_of(tls_only);
	if (f_r->active == F_YES && f_r->smtp == F_YES)
		judge_memory_put_login(l->j->memory, login, l->asked, tls_only);
}

/* asked_r: when the database was asked. */
static bool find_mode(struct lookup *l, const struct addr *a,
		      enum served_mode *mode_r, int64_t *asked_r)
{
	int64_t began = clock_us();
	struct db *db;

	if (judge_memory_get_mode(l->j->memory, a, l->asked, mode_r, asked_r))
		return true;
	*asked_r = l->asked;
	db = lookup_store(l);
	if (!db || served_get(db, a, mode_r) != DB_OK)
		return false;
	lookup_note(l, "served", addr_span(a), began);
	if (*mode_r == SERVED_DEFAULT)
		*mode_r = served_mode_of(span_of(l->j->conf->default_mode));
	judge_memory_put_mode(l->j->memory, a, l->asked, *mode_r);
	return true;
}

bool lookup_mode(struct lookup *l, const struct addr *a,
		 enum served_mode *mode_r)
{
	int64_t asked;

	return find_mode(l, a, mode_r, &asked);
}

static enum db_result find_row(struct lookup *l, struct db *db,
			       struct judge_mailbox *b)
{
	if (l->j->look_only)
		return box_peek(db, &b->facts.name, b->facts.incarnation,
				&b->box);
	return box_resolve(db, &b->facts.name, b->facts.incarnation,
			   l->deadline, &b->box);
}

/* A mailbox that is not stored in gets no row. asked_r: when the older of both
 * answers was asked for. */
static bool lookup_row(struct lookup *l, struct judge_mailbox *b,
		       int64_t *asked_r)
{
	int64_t began;
	struct db *db;

	if (!find_mode(l, &b->facts.name, &b->mode, asked_r))
		return false;
	if (b->mode == SERVED_PASS)
		return true;
	began = clock_us();
	db = lookup_store(l);
	if (!db || find_row(l, db, b) != DB_OK)
		return false;
	lookup_note(l, "mailbox", addr_span(&b->facts.name), began);
	return true;
}

void lookup_mailbox(struct lookup *l, const struct addr *a,
		    struct judge_mailbox *b_r)
{
	int64_t began = clock_us();
	struct db *db;

	if (judge_memory_get_mailbox(l->j->memory, a, l->asked, b_r))
		return;
	memset(b_r, 0, sizeof(*b_r));
	b_r->facts.known = F_TEMP;
	db = lookup_accounts(l);
	if (!db)
		return;
	accounts_mailbox(db, l->j->profile, a, &b_r->facts);
	lookup_note(l, profile_query_name(PQ_MAILBOX), addr_span(a), began);
	if (b_r->facts.known != F_YES || b_r->facts.active != F_YES)
		return;
	if (lookup_row(l, b_r, &b_r->asked))
		judge_memory_put_mailbox(l->j->memory, a, b_r->asked, b_r);
	else
		b_r->facts.known = F_TEMP;
}

bool lookup_usage(struct lookup *l, enum limit_direction d,
		  const struct addr *who,
		  void (*take)(void *arg, const struct usage_row *r), void *arg)
{
	struct span address = addr_span(who);
	int64_t began = clock_us();
	struct db *db = lookup_store(l);

	if (!db)
		return false;
	if (usage_read(db, d, address, span_skip(address, who->at), take,
		       arg) != DB_OK) {
		log_warn("cannot read what is used of limits: %s", db_why(db));
		return false;
	}
	lookup_note(l, "usage", address, began);
	return true;
}
