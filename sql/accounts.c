/* sql/accounts.c: the profile's answers become facts. */
#include "sql/accounts.h"

#include "sql/asking.h"

enum { DOMAIN_NAME, DOMAIN_ACTIVE, DOMAIN_ALIAS_OF };

static enum fact take_domain(const struct asking *a, struct domain_facts *f)
{
	struct span alias = asking_text(a, DOMAIN_ALIAS_OF);
	uint64_t active;
	size_t n;

	if (!asking_number(a, DOMAIN_ACTIVE, 1, &active))
		return F_TEMP;
	f->active = active ? F_YES : F_NO;
	f->alias_of[0] = '\0';
	if (alias.n > 0 &&
	    addr_domain_parse(alias, f->alias_of, &n) != ADDR_OK) {
		asking_log_value(a, DOMAIN_ALIAS_OF);
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
	f_r->ours = f_r->active = asking_begin(&a, value);
	if (f_r->ours != F_YES)
		return;
	do
		f_r->ours = asking_next(&a);
	while (f_r->ours == F_YES &&
	       !asking_same_domain(&a, domain, asking_text(&a, DOMAIN_NAME)));
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

	if (!asking_number(a, MAILBOX_ACTIVE, 1, &active) ||
	    !asking_number(a, MAILBOX_QUOTA, 0, &f->quota) ||
	    !asking_copy(a, MAILBOX_INCARNATION, f->incarnation,
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
	f_r->known = f_r->active = asking_begin(&a, value);
	if (f_r->known != F_YES)
		return;
	do
		f_r->known = asking_next(&a);
	while (f_r->known == F_YES &&
	       !asking_same_address(&a, address,
				    asking_text(&a, MAILBOX_NAME)));
	if (f_r->known == F_YES) {
		f_r->known = take_mailbox(&a, f_r);
		f_r->senseless = f_r->known == F_TEMP;
	}
	if (f_r->known != F_YES)
		f_r->active = f_r->known;
	db_site_done(db, (unsigned)a.q);
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
		       asking_same_domain(a, span_skip(asked, 1),
					  span_skip(returned, 1));
	if (addr_parse(returned, !a->profile->keep_case, &stored) == ADDR_OK &&
	    span_eq(asked, addr_span(&stored)))
		return true;
	asking_log_other(a, asked, returned);
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

	while ((f = asking_next(a)) == F_YES) {
		struct span text;

		if (rows++ == ALIAS_ROWS_MAX) {
			asking_log(a, "too many rows for one name");
			return F_TEMP;
		}
		if (!same_alias(a, name, asking_text(a, ALIAS_NAME)))
			continue;
		text = span_trim(asking_text(a, ALIAS_TARGET));
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
	f = asking_begin(&a, value);
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
	struct span stored = asking_text(a, SENDER_SENDER);

	if (a->at[SENDER_SENDER] < 0 || span_is(stored, "*"))
		return true;
	if (is_catch_all(stored))
		return asking_same_domain(a, addr_domain(asked),
					  span_skip(stored, 1));
	return asking_same_address(a, asked, stored);
}

static enum fact find_sender(struct asking *a, const struct addr *login,
			     const struct addr *sender)
{
	size_t rows = 0;
	enum fact f;

	while ((f = asking_next(a)) == F_YES) {
		if (rows++ == SENDER_ROWS_MAX) {
			asking_log(a, "too many rows for one sender");
			return F_TEMP;
		}
		if (asking_same_address(a, login,
					asking_text(a, SENDER_LOGIN)) &&
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
	f = asking_begin(&a, value);
	if (f != F_YES)
		return f;
	f = find_sender(&a, login, sender);
	db_site_done(db, (unsigned)a.q);
	return f;
}
