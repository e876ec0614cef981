/* tests/sql/test_sql_profiles.c: what the shipped profiles answer. Every
 * panel's database holds the same people as far as the panel can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sql/panel.h"

/* Panels where an alias domain is one by domain_query; in the others it is a
 * catch-all that goes to '@target'. */
#define WITH_ALIAS_DOMAINS                                                     \
	"native postfixadmin postfixadmin3 iredmail ispconfig modoboa"         \
	" vpopmail mailcow"
#define WITH_CATCH_ALL_DOMAINS "extmail vimbadmin"

struct row {
	const char *panels; /* panel_in() */
	const char *ask;
	const char *want;
};

static const struct row domain_rows[] = {
	{ "*", "example.org", "active" },
	{ "!vpopmail", "off.example", "off" },
	{ "*", "catch.example", "active" },
	{ "*", "elsewhere.example", "no" },
	{ "*", "relay.example", "no" },
	{ WITH_ALIAS_DOMAINS, "alias.example", "active example.org" },
	{ WITH_CATCH_ALL_DOMAINS, "alias.example", "active" },
	{ "froxlor", "alias.example", "no" },
	/* stored with a blank behind, which the server pads away */
	{ "*", "blank.example", "no" },
	{ "postfixadmin postfixadmin3", "all", "no" },
	{ "vpopmail", "dom_89", "no" },
};

static const struct row mailbox_rows[] = {
	{ "*", "bob@example.org", "active 5242880" },
	{ "*", "off@example.org", "off 0" },
	{ "!vpopmail", "nina@off.example", "off 0" },
	{ "*", "keep@example.org", "active 0" },
	{ "!modoboa", "smtp@example.org", "active 0" },
	{ "*", "sales@example.org", "no" },
	{ "*", "eve@example.org", "no" },
	{ "*", "eve@elsewhere.example", "no" },
	/* the MTA relays its domain now; the account is still there */
	{ "iredmail mailcow modoboa postfixadmin postfixadmin3 vimbadmin",
	  "ray@relay.example", "off 0" },
	{ "*", "bob@alias.example", "no" },
	{ "*",
	  "b\xc3\xb3"
	  "b@example.org",
	  "no" },
	/* the tables cannot hold it (latin1, utf8mb3), or do not */
	{ "*", "\xd0\xb6@example.org", "no" },
	{ "*", "\xf0\x9f\x8e\x89@example.org", "no" },
	{ "*", "\"bob \"@example.org", "no" },
	{ "*", "bo_@example.org", "no" },
	{ "*", "bo%@example.org", "no" },
	{ "iredmail", "full@example.org", "off 0" },
	{ "ispconfig", "away@example.org", "off 0" },
	{ "ispconfig froxlor", "carl@example.org", "active 0" },
	{ "ispconfig froxlor", "c17@example.org", "no" },
	{ "extmail", "pop@example.org", "active 700" },
	{ "extmail", "old@example.org", "off 0" },
	{ "extmail", "soon@example.org", "active 0" },
	{ "vimbadmin", "going@example.org", "off 0" },
	{ "modoboa", "smtp@example.org", "off 0" },
	{ "vpopmail", "pop@example.org", "active 0" },
	{ "mailcow", "deaf@example.org", "active 0" },
	{ "mailcow", "room@example.org", "no" },
	{ "mailcow", "ldap@example.org", "active 0" },
};

#define SALES "bob@example.org remote@elsewhere.example"

static const struct row alias_rows[] = {
	{ "*", "sales@example.org", SALES },
	{ "*", "keep@example.org", "bob@example.org keep@example.org" },
	{ "*", "gone@example.org", "no" },
	{ "*", "eve@example.org", "no" },
	{ "*", "s\xc3\xa1les@example.org", "no" },
	{ "*", "\xf0\x9f\x8e\x89@example.org", "no" },
	{ "*", "@\xd0\xb6.example", "no" },
	{ "*", "@example.org", "no" },
	{ "!vpopmail", "@catch.example", "bob@example.org" },
	{ "vpopmail", "@catch.example", "no" },
	{ "*", "any@catch.example", "no" },
	{ "*", "catch.example@example.org", "no" },
	{ WITH_CATCH_ALL_DOMAINS, "@alias.example", "@example.org" },
	{ WITH_ALIAS_DOMAINS, "@alias.example", "no" },
	{ "postfixadmin postfixadmin3 mailcow modoboa vimbadmin froxlor",
	  "bob@example.org", "bob@example.org" },
	{ "ispconfig", "away@example.org", "bob@example.org" },
	{ "modoboa", "past@example.org", "no" },
	{ "vpopmail", "file@example.org", "no" },
	{ "mailcow", "x1@example.org", "bob@example.org" },
	{ "mailcow", "x2@example.org", "no" },
	{ "froxlor", "all@catch.example", "bob@example.org" },
	{ "froxlor", "none@example.org", "no" },
};

/* Rows as "hash mailbox doors", in the order of the query; '-' for a row that
 * is not active. */
static const struct row login_rows[] = {
	{ "!postfixadmin mailcow", "bob@example.org",
	  "hash-bob bob@example.org smtp pop3" },
	{ "postfixadmin", "bob@example.org",
	  "hash-bob bob@example.org smtp pop3,"
	  "hash-phone bob@example.org smtp pop3" },
	{ "mailcow", "bob@example.org",
	  "hash-bob bob@example.org smtp pop3,hash-phone bob@example.org smtp,"
	  "- hash-lost bob@example.org smtp pop3" },
	{ "*", "eve@example.org", "no" },
	{ "*", "sales@example.org", "no" },
	{ "*", "bob@elsewhere.example", "no" },
	{ "*", "\xf0\x9f\x8e\x89@example.org", "no" },
	{ "!postfixadmin mailcow",
	  "b\xc3\xb3"
	  "b@example.org",
	  "no" },
	/* there is such an application password, but no such mailbox */
	{ "postfixadmin mailcow",
	  "b\xc3\xb3"
	  "b@example.org",
	  "not temp" },
	{ "!vpopmail ispconfig", "off@example.org",
	  "- hash-off off@example.org smtp pop3" },
	/* these only disable receiving */
	{ "vpopmail ispconfig", "off@example.org",
	  "hash-off off@example.org smtp pop3" },
	{ "!vpopmail", "nina@off.example",
	  "- hash-nina nina@off.example smtp pop3" },
	{ "!postfixadmin postfixadmin3", "smtp@example.org",
	  "hash-smtp smtp@example.org smtp" },
	{ "!postfixadmin3 modoboa", "pop@example.org",
	  "hash-pop pop@example.org pop3" },
	{ "!vpopmail", "bob@alias.example", "no" },
	{ "vpopmail", "bob@alias.example",
	  "hash-bob bob@example.org smtp pop3" },
	{ "vpopmail", "norelay@example.org",
	  "hash-norelay norelay@example.org pop3" },
	{ "vpopmail", "ann@shut.example", "hash-ann ann@shut.example" },
	{ "vpopmail", "boss@shut.example",
	  "hash-boss boss@shut.example smtp pop3" },
	{ "ispconfig froxlor", "c17@example.org",
	  "hash-carl carl@example.org smtp pop3" },
	{ "ispconfig froxlor", "carl@example.org",
	  "hash-carl carl@example.org smtp pop3" },
	{ "extmail", "old@example.org",
	  "- hash-old old@example.org smtp pop3" },
	{ "vimbadmin", "going@example.org",
	  "- hash-going going@example.org smtp pop3" },
	{ "mailcow", "deaf@example.org",
	  "- hash-deaf deaf@example.org smtp pop3" },
	{ "mailcow", "room@example.org", "no" },
	{ "mailcow", "ldap@example.org",
	  "hash-app ldap@example.org smtp pop3" },
	{ "mailcow", "stale@example.org",
	  "- hash-stale stale@example.org smtp pop3" },
};

/* "login sender" */
static const struct row sender_rows[] = {
	{ "*", "bob@example.org bob@example.org", "yes" },
	{ "*", "bob@example.org sales@example.org", "yes" },
	{ "*", "smtp@example.org sales@example.org", "no" },
	{ "*", "bob@example.org smtp@example.org", "no" },
	{ "*", "bob@example.org eve@example.org", "no" },
	{ "*", "bob@example.org bob@elsewhere.example", "no" },
	{ "*", "eve@example.org eve@example.org", "no" },
	/* who forwards his mail lends nobody his name */
	{ "*", "bob@example.org keep@example.org", "no" },
	{ "*", "bob@example.org gone@example.org", "no" },
	{ "*", "keep@example.org bob@example.org", "no" },
	{ "*",
	  "b\xc3\xb3"
	  "b@example.org bob@example.org",
	  "no" },
	{ "*",
	  "bob@example.org b\xc3\xb3"
	  "b@example.org",
	  "no" },
	{ "*",
	  "b\xc3\xb3"
	  "b@example.org sales@example.org",
	  "no" },
	{ "*", "bob@example.org s\xc3\xa1les@example.org", "no" },
	{ "*", "\xf0\x9f\x8e\x89@example.org sales@example.org", "no" },
	{ "!froxlor", "bob@example.org bob@alias.example", "yes" },
	{ "!froxlor", "bob@example.org keep@alias.example", "no" },
	{ "native postfixadmin postfixadmin3 iredmail modoboa",
	  "bob@example.org sales@alias.example", "yes" },
	{ "*", "smtp@example.org sales@alias.example", "no" },
	{ "*", "smtp@example.org bob@alias.example", "no" },
	{ "*", "smtp@example.org any@catch.example", "no" },
	{ "ispconfig", "bob@example.org info@example.org", "no" },
	{ "ispconfig froxlor", "c17@example.org carl@example.org", "yes" },
	{ "ispconfig froxlor", "carl@example.org carl@example.org", "yes" },
	{ "ispconfig froxlor", "c17@example.org bob@example.org", "no" },
	{ "ispconfig froxlor", "c17@example.org desk@example.org", "yes" },
	{ "ispconfig froxlor", "carl@example.org desk@example.org", "yes" },
	{ "ispconfig froxlor", "c17@example.org sales@example.org", "no" },
	{ "modoboa", "bob@example.org past@example.org", "no" },
	{ "modoboa mailcow", "bob@example.org robert@elsewhere.example",
	  "yes" },
	{ "modoboa mailcow", "smtp@example.org robert@elsewhere.example",
	  "no" },
	{ "modoboa mailcow", "bob@example.org any@brand.example", "yes" },
	{ "vpopmail", "bob@alias.example bob@alias.example", "yes" },
	{ "vpopmail", "bob@alias.example bob@example.org", "no" },
	{ "mailcow", "bob@example.org info@example.org", "no" },
	{ "mailcow", "bob@example.org any@catch.example", "yes" },
	{ "mailcow", "pop@example.org any@elsewhere.example", "yes" },
};

static struct addr address_of(struct span text)
{
	struct addr a;

	if (addr_parse(text, true, &a) != ADDR_OK)
		fail_msg("%.*s is no address", (int)text.n, text.p);
	return a;
}

/* What a panel answers, as text. */
typedef void (*answer)(const struct panel *p, const char *asked,
		       struct buf *got);

static void compare(const struct row *row, size_t n, answer ask)
{
	for (size_t i = 0; i < n; i++) {
		size_t asked = 0;

		for (size_t k = 0; k < PANELS; k++) {
			struct buf got = BUF_INIT(10000);

			if (!panel_in(&panels[k], row[i].panels))
				continue;
			asked++;
			ask(&panels[k], row[i].ask, &got);
			if (strcmp(row[i].want, "not temp") == 0
				    ? strcmp(buf_cstr(&got), "temp") == 0
				    : strcmp(buf_cstr(&got), row[i].want) != 0)
				fail_msg("%s: %s: wanted '%s', got '%s'",
					 panels[k].name, row[i].ask,
					 row[i].want, buf_cstr(&got));
			buf_release(&got);
		}
		assert_true(asked > 0);
	}
}

#define COMPARE(rows, ask) compare(rows, sizeof(rows) / sizeof(*(rows)), ask)

static const char *const fact_text[] = {
	[F_NO] = "no", [F_YES] = "yes", [F_TEMP] = "temp"
};

static void ask_domain(const struct panel *p, const char *asked,
		       struct buf *got)
{
	struct domain_facts f;

	accounts_domain(p->db[PANEL_MILTER], p->profile, span_of(asked), &f);
	if (f.ours != F_YES)
		buf_puts(got, fact_text[f.ours]);
	else
		buf_printf(got, "%s%s%s", f.active == F_YES ? "active" : "off",
			   *f.alias_of ? " " : "", f.alias_of);
}

static void domains_are_ours_off_aliases_or_not_known(void **state)
{
	(void)state;
	COMPARE(domain_rows, ask_domain);
}

static struct mailbox_facts mailbox_of(const struct panel *p, const char *asked)
{
	struct addr a = address_of(span_of(asked));
	struct mailbox_facts f;

	accounts_mailbox(p->db[PANEL_MILTER], p->profile, &a, &f);
	return f;
}

static void ask_mailbox(const struct panel *p, const char *asked,
			struct buf *got)
{
	struct mailbox_facts f = mailbox_of(p, asked);

	if (f.known != F_YES)
		buf_puts(got, fact_text[f.known]);
	else
		buf_printf(got, "%s %llu", f.active == F_YES ? "active" : "off",
			   (unsigned long long)f.quota);
}

static void mailboxes_have_state_and_quota_in_octets(void **state)
{
	(void)state;
	COMPARE(mailbox_rows, ask_mailbox);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

struct targets {
	char text[20][100];
	size_t n;
};

static bool take_target(void *arg, struct span text)
{
	struct targets *t = arg;

	for (size_t i = 0; i < text.n; i++) {
		size_t n = strcspn(text.p + i, ", \n");

		n = n < text.n - i ? n : text.n - i;
		if (n > 0)
			snprintf(t->text[t->n++], sizeof(t->text[0]), "%.*s",
				 (int)n, text.p + i);
		i += n;
	}
	return t->n < 10;
}

static void ask_alias(const struct panel *p, const char *asked, struct buf *got)
{
	struct targets t = { .n = 0 };
	enum fact f;

	/* canonical, as the address of a mail is */
	f = accounts_alias(p->db[PANEL_MILTER], p->profile, span_of(asked),
			   take_target, &t);
	if (f != F_YES)
		buf_puts(got, fact_text[f]);
	qsort(t.text, t.n, sizeof(t.text[0]), by_text);
	for (size_t i = 0; i < t.n; i++)
		buf_printf(got, "%s%s", i > 0 ? " " : "", t.text[i]);
}

static void aliases_have_targets_and_domains_a_catch_all(void **state)
{
	(void)state;
	COMPARE(alias_rows, ask_alias);
}

static void ask_login(const struct panel *p, const char *asked, struct buf *got)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	struct addr a = address_of(span_of(asked));
	enum fact f;
	size_t n;

	f = accounts_login(p->db[PANEL_AUTH], p->profile, &a, row, &n);
	if (f != F_YES)
		buf_puts(got, fact_text[f]);
	for (size_t i = 0; i < n; i++)
		buf_printf(got, "%s%s%s %s%s%s", i > 0 ? "," : "",
			   row[i].active ? "" : "- ", row[i].hash,
			   row[i].mailbox.text, row[i].smtp ? " smtp" : "",
			   row[i].pop3 ? " pop3" : "");
}

static void logins_have_hashes_a_mailbox_and_doors(void **state)
{
	(void)state;
	COMPARE(login_rows, ask_login);
}

/* Or the mailbox would be taken for another life's at one of the doors. */
static void a_login_tells_the_incarnation_of_its_mailbox(void **state)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	struct addr a = address_of(SPAN_LIT("bob@example.org"));
	size_t n;

	(void)state;
	for (size_t i = 0; i < PANELS; i++) {
		struct panel *p = &panels[i];
		struct mailbox_facts f = mailbox_of(p, "bob@example.org");

		assert_int_equal(accounts_login(p->db[PANEL_AUTH], p->profile,
						&a, row, &n),
				 F_YES);
		for (size_t k = 0; k < n; k++)
			assert_string_equal(row[k].incarnation, f.incarnation);
		if (panel_in(p, "vpopmail"))
			assert_string_equal(f.incarnation, "");
		else if (panel_in(p, "native"))
			assert_string_equal(f.incarnation, "1");
		else if (panel_in(p, "ispconfig vimbadmin modoboa froxlor"))
			assert_string_equal(f.incarnation, "7");
		else
			assert_string_equal(f.incarnation,
					    "2024-05-06 07:08:09");
	}
}

/* What was made past the panel has the column's default: all lives have the
 * same, so it tells none. */
static void a_default_date_is_no_incarnation(void **state)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	struct addr a = address_of(SPAN_LIT("u1@d1.example"));
	size_t n, asked = 0;

	(void)state;
	for (size_t i = 0; i < PANELS; i++) {
		struct panel *p = &panels[i];

		if (!panel_in(p, "extmail iredmail postfixadmin postfixadmin3"))
			continue;
		asked++;
		assert_string_equal(mailbox_of(p, "u1@d1.example").incarnation,
				    "");
		assert_int_equal(accounts_login(p->db[PANEL_AUTH], p->profile,
						&a, row, &n),
				 F_YES);
		assert_string_equal(row[0].incarnation, "");
	}
	assert_int_equal(asked, 4);
}

static void ask_sender(const struct panel *p, const char *asked,
		       struct buf *got)
{
	struct span login, sender;
	struct addr l, s;

	assert_true(span_cut(span_of(asked), ' ', &login, &sender));
	l = address_of(login);
	s = address_of(sender);
	buf_puts(got, fact_text[accounts_sender(p->db[PANEL_MILTER], p->profile,
						&l, &s)]);
}

static void senders_belong_to_logins(void **state)
{
	(void)state;
	COMPARE(sender_rows, ask_sender);
}

static enum db_result prepare(const struct panel *p, enum panel_user u,
			      enum profile_query q)
{
	const struct profile_statement *s = &p->profile->query[q];
	char name[DB_SITE_COLUMNS][64];
	size_t n;

	return db_site_columns(p->db[u], q, span_make(s->text, s->n), name,
			       DB_SITE_COLUMNS, &n);
}

/* The rights of milter and authd are in use in all that stands above. The
 * native accounts are the tool's to keep. */
static void nobody_but_authd_may_read_a_hash(void **state)
{
	(void)state;
	for (size_t i = 0; i < PANELS; i++)
		for (unsigned u = 0; u < PANEL_USERS; u++) {
			const struct panel *p = &panels[i];
			enum db_result r;

			if (u == PANEL_AUTH ||
			    (u == PANEL_ADMIN && panel_in(p, "native")))
				continue;
			r = prepare(p, (enum panel_user)u, PQ_LOGIN);
			if (r != DB_OURS || (db_errno(p->db[u]) != 1142 &&
					     db_errno(p->db[u]) != 1143))
				fail_msg("%s: user %u: %s", p->name, u,
					 db_why(p->db[u]));
		}
}

static bool asks(unsigned user, unsigned q)
{
	if (user == PANEL_AUTH || q == PQ_LOGIN)
		return user == PANEL_AUTH && q == PQ_LOGIN;
	return user != PANEL_PURGE || q == PQ_MAILBOX;
}

static void each_program_may_ask_what_it_asks(void **state)
{
	(void)state;
	for (size_t i = 0; i < PANELS; i++)
		for (unsigned q = 0; q < PQ_COUNT; q++)
			for (unsigned u = 0; u < PANEL_USERS; u++) {
				const struct panel *p = &panels[i];

				if (!asks(u, q))
					continue;
				if (prepare(p, (enum panel_user)u,
					    (enum profile_query)q) != DB_OK)
					fail_msg("%s: %s: user %u: %s", p->name,
						 profile_query_name(
							 (enum profile_query)q),
						 u, db_why(p->db[u]));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_are_ours_off_aliases_or_not_known),
		cmocka_unit_test(mailboxes_have_state_and_quota_in_octets),
		cmocka_unit_test(aliases_have_targets_and_domains_a_catch_all),
		cmocka_unit_test(logins_have_hashes_a_mailbox_and_doors),
		cmocka_unit_test(a_login_tells_the_incarnation_of_its_mailbox),
		cmocka_unit_test(a_default_date_is_no_incarnation),
		cmocka_unit_test(senders_belong_to_logins),
		cmocka_unit_test(nobody_but_authd_may_read_a_hash),
		cmocka_unit_test(each_program_may_ask_what_it_asks),
	};

	return cmocka_run_group_tests(tests, panel_start, panel_end);
}
