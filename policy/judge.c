/* policy/judge.c: see judge.h. The database being away is one of the values
 * of a fact, so nothing here returns an error. */
#include "policy/judge.h"

#include "lib/clock.h"
#include "sql/box.h"

/* One decision: its connections are taken when first needed. */
struct lookup {
	const struct judge *j;
	int64_t asked;
	int64_t deadline;
	struct db *store;
	struct db *accounts;
};

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
	return lookup_get(l, l->j->store, &l->store);
}

static struct db *lookup_accounts(struct lookup *l)
{
	if (l->j->accounts == l->j->store)
		return lookup_store(l);
	return lookup_get(l, l->j->accounts, &l->accounts);
}

static void lookup_end(struct lookup *l)
{
	if (l->accounts)
		pool_put(l->j->accounts, &l->accounts);
	if (l->store)
		pool_put(l->j->store, &l->store);
}

static void lookup_domain(struct lookup *l, struct span domain,
			  struct domain_facts *f_r)
{
	struct db *db;

	if (judge_memory_get_domain(l->j->memory, domain, l->asked, f_r))
		return;
	f_r->ours = F_TEMP;
	f_r->active = F_TEMP;
	db = lookup_accounts(l);
	if (!db)
		return;
	accounts_domain(db, l->j->profile, domain, f_r);
	judge_memory_put_domain(l->j->memory, domain, l->asked, f_r);
}

/* The mailbox and its row, which only a mailbox in use needs. */
static void lookup_mailbox(struct lookup *l, const struct addr *a,
			   struct judge_mailbox *b_r)
{
	struct db *db;

	if (judge_memory_get_mailbox(l->j->memory, a, l->asked, b_r))
		return;
	b_r->facts.known = F_TEMP;
	db = lookup_accounts(l);
	if (!db)
		return;
	accounts_mailbox(db, l->j->profile, a, &b_r->facts);
	if (b_r->facts.known != F_YES || b_r->facts.active != F_YES)
		return;
	db = lookup_store(l);
	if (!db || box_resolve(db, &b_r->facts.name, b_r->facts.incarnation,
			       &b_r->box) != DB_OK)
		b_r->facts.known = F_TEMP;
	else
		judge_memory_put_mailbox(l->j->memory, a, l->asked, b_r);
}

/* The exact address first, then without its extension; "unknown" only when
 * the database said so both times. */
static void lookup_recipient(struct lookup *l, const struct addr *a,
			     struct judge_mailbox *b_r)
{
	struct span delimiters = span_of(l->j->conf->recipient_delimiter);
	struct span extension;
	struct addr base;

	lookup_mailbox(l, a, b_r);
	if (b_r->facts.known == F_NO &&
	    addr_strip_extension(a, delimiters, &base, &extension))
		lookup_mailbox(l, &base, b_r);
}

/* A mail whose size was not told has one octet at least. */
static enum fact has_room(const struct judge_mailbox *b, uint64_t size)
{
	uint64_t sum;

	if (b->facts.quota == 0)
		return F_YES;
	if (__builtin_add_overflow(b->box.octets, size ? size : 1, &sum))
		return F_NO;
	return sum <= b->facts.quota ? F_YES : F_NO;
}

/* The domain of an address that is otherwise none: what follows the last @.
 * Empty: a bare name, which is the MTA's own. */
static struct span broken_domain(struct span rcpt)
{
	struct span domain = SPAN_EMPTY;

	if (rcpt.n && rcpt.p[rcpt.n - 1] == '>')
		rcpt.n--;
	for (size_t i = 0; i < rcpt.n; i++)
		if (rcpt.p[i] == '@')
			domain = span_skip(rcpt, i + 1);
	return domain;
}

static void judge_local(struct lookup *l, const struct addr *a, uint64_t size,
			struct rcpt_facts *f, struct judged_rcpt *r)
{
	struct judge_mailbox box = { .facts = { .known = F_NO } };

	lookup_recipient(l, a, &box);
	f->known = box.facts.known;
	f->active = box.facts.active;
	f->room = box.facts.known == F_YES ? has_room(&box, size) : F_TEMP;
	r->mailbox = box.facts.name;
	r->mailbox_id = box.box.mailbox_id;
	r->quota = box.facts.quota;
}

/* A domain that has no canonical form, such as an address literal, is not
 * ours. */
static void judge_domain(struct lookup *l, struct span domain,
			 struct rcpt_facts *f)
{
	const struct conf_list *mta = &l->j->conf->mta_domains;
	struct domain_facts d = { .ours = F_NO, .active = F_NO };
	char canonical[ADDR_DOMAIN_MAX + 1];
	size_t n;

	if (addr_domain_parse(domain, canonical, &n) == ADDR_OK) {
		domain = span_make(canonical, n);
		lookup_domain(l, domain, &d);
	}
	f->local = d.ours;
	f->domain_active = d.active;
	f->mta_domains_set = mta->n > 0;
	f->mta_domain = domain.n == 0 || conf_list_has(mta, domain);
}

void judge_rcpt(const struct judge *j, const struct judge_client *c,
		struct span rcpt, uint64_t size, int64_t deadline,
		struct judged_rcpt *r)
{
	struct lookup l = { .j = j, .asked = clock_ms(), .deadline = deadline };
	struct rcpt_facts f = { .authenticated = c->authenticated };
	struct addr a;

	memset(r, 0, sizeof(*r));
	f.trusted = c->has_addr &&
		    network_set_has(&j->conf->trusted_networks, &c->addr);
	f.syntax_ok = addr_parse(rcpt, j->conf->fold_local_part, &a) == ADDR_OK;
	judge_domain(&l, f.syntax_ok ? addr_domain(&a) : broken_domain(rcpt),
		     &f);
	if (f.syntax_ok && f.local == F_YES && f.domain_active == F_YES)
		judge_local(&l, &a, size, &f, r);
	lookup_end(&l);
	r->verdict = policy_rcpt(&f);
	r->store = r->verdict.id == R_NONE && f.local == F_YES;
}
