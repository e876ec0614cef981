/* ctl/checkmtadomain.c: mta_domains against the domains that the MTA names. A
 * domain in neither our tables nor mta_domains is one we relay for nobody. */
#include "ctl/checkmta.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/esc.h"
#include "sql/accounts.h"

enum { MISSING_MAX = 64 };

struct missing {
	struct mta *m;
	struct db *db;
	const struct profile *profile;
	char name[MISSING_MAX][ADDR_DOMAIN_MAX + 1];
	size_t n;
	bool tables;  /* some names stand in tables that we do not read */
	bool foreign; /* and may be of domains that our tables lack */
	bool unknown; /* the database does not answer */
};

static bool is_known(struct missing *x, const char *domain)
{
	struct domain_facts f;
	size_t i;

	if (conf_list_has(&x->m->conf->mta_domains, span_of(domain)))
		return true;
	for (i = 0; i < x->n; i++)
		if (strcmp(x->name[i], domain) == 0)
			return true;
	accounts_domain(x->db, x->profile, span_of(domain), &f);
	x->unknown |= f.ours == F_TEMP;
	return f.ours != F_NO;
}

static bool is_this_host(struct span word)
{
	return span_starts_nocase(word, SPAN_LIT("localhost")) &&
	       (word.n == 9 || word.p[9] == '.');
}

/* What Postfix hands to us, our tables must know. */
static bool is_for_us(struct missing *x, const char *list, const char *domain)
{
	struct mta *m = x->m;
	char fix[CHECK_FIX_MAX];

	if (!m->lmtp || !x->profile->ours ||
	    strcmp(list, "virtual_mailbox_domains") != 0)
		return false;
	snprintf(fix, sizeof(fix), "mailrow domain add %s", domain);
	mta_say(m, CHECK_WARN, "mta_domains", fix,
		"virtual_mailbox_domains names %s, which our tables lack",
		domain);
	return true;
}

/* Mailbox domains that lead to us are in our tables. By default the alias
 * domains are looked up where the aliases are; a panel's table answers to
 * addresses only. */
static bool is_foreign(const struct missing *x, const char *list,
		       struct span word)
{
	const struct mta *m = x->m;

	if (strcmp(list, "virtual_mailbox_domains") == 0)
		return !m->lmtp || !mta_stores(m);
	return strcmp(list, "virtual_alias_domains") != 0 ||
	       !mta_table_is_sql(word) ||
	       !span_eq(mta_get(m, NULL, list),
			mta_get(m, NULL, "virtual_alias_maps"));
}

static void take_list(struct missing *x, const char *name)
{
	struct span list = mta_get(x->m, NULL, name), word;
	char domain[ADDR_DOMAIN_MAX + 1];
	size_t n;

	while (mta_word(&list, &word)) {
		if (span_find(word, ':') < word.n || word.p[0] == '/') {
			x->tables = true;
			x->foreign |= is_foreign(x, name, word);
			continue;
		}
		if (word.p[0] == '!' || is_this_host(word) ||
		    addr_domain_parse(word, domain, &n) != ADDR_OK)
			continue;
		if (!is_known(x, domain) && !is_for_us(x, name, domain) &&
		    x->n < MISSING_MAX)
			snprintf(x->name[x->n++], sizeof(domain), "%s", domain);
	}
}

/* What mta_domains holds, and what it lacks. */
static void put_all(const struct missing *x, struct buf *b)
{
	const struct conf_list *l = &x->m->conf->mta_domains;
	size_t i;

	for (i = 0; i < l->n; i++)
		buf_printf(b, "%s%s", b->n ? " " : "", l->word[i]);
	for (i = 0; i < x->n; i++)
		buf_printf(b, "%s%s", b->n ? " " : "", x->name[i]);
	if (b->n == 0)
		buf_put_span(b, mta_get(x->m, NULL, "myhostname"));
}

static void say_missing(const struct missing *x)
{
	struct mta *m = x->m;
	struct buf all = BUF_INIT(1000), some = BUF_INIT(1000);
	char fix[CHECK_FIX_MAX];
	struct esc_text e;
	size_t i;

	put_all(x, &all);
	for (i = 0; i < x->n; i++)
		buf_printf(&some, "%s%s", i ? " " : "", x->name[i]);
	(void)mta_option_fix(m, "mta_domains", buf_cstr(&all),
			     "reload mailrow-milter", fix);
	if (m->conf->mta_domains.n == 0 && x->foreign)
		mta_say(m, CHECK_WARN, "mta_domains",
			"edit mta_domains in mailrow.conf",
			"empty: the relay check only logs what it would "
			"reject; set, it must hold also what the tables of "
			"relay_domains, mydestination and virtual_*_domains "
			"name, or their mail is rejected");
	else if (x->n)
		mta_say(m, CHECK_WARN, "mta_domains",
			buf_ok(&all) ? fix : "edit mta_domains in mailrow.conf",
			"lacks what Postfix serves and our tables do not: %s",
			esc_text(&e, buf_span(&some)));
	else if (m->conf->mta_domains.n == 0)
		mta_say(m, CHECK_WARN, "mta_domains", fix,
			"empty: the relay check only logs what it would "
			"reject");
	else
		mta_say(m, CHECK_OK, "mta_domains", "",
			"holds what Postfix names%s",
			x->tables ? ", besides its tables" : "");
	buf_release(&all);
	buf_release(&some);
}

static void compare(struct missing *x)
{
	static const char *const lists[] = { "mydestination", "relay_domains",
					     "virtual_mailbox_domains",
					     "virtual_alias_domains" };
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		take_list(x, lists[i]);
	if (x->unknown)
		mta_say(x->m, CHECK_WARN, "mta_domains",
			"mailrow schema status",
			"not compared: the database does not tell our domains");
	else
		say_missing(x);
}

void checkmtadomain_run(struct mta *m)
{
	struct tool *t = check_tool(m->k);
	struct buf why = BUF_INIT(4096);
	struct missing *x = calloc(1, sizeof(*x));
	struct db_target *target;

	target = db_target_new(m->conf, PROG_TOOL, DB_ACCOUNTS, &why);
	if (x && target && tool_profile(t)) {
		x->m = m;
		x->profile = tool_profile(t);
		x->db = db_new(target);
		if (x->db)
			db_take_any_server(x->db);
		if (x->db && db_connect(x->db) == DB_OK)
			compare(x);
		db_free(&x->db);
	}
	db_target_free(&target);
	buf_release(&why);
	free(x);
}
