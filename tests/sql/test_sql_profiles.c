/* tests/sql/test_sql_profiles.c: what the shipped profiles answer. Every
 * panel's database holds the same people as far as the panel can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sql/login.h"
#include "tests/sql/fixture.h"
#include "tests/sql/panel.h"
#include "tests/sql/panelrows.h"

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

static const char *state_text(const struct login_state *s)
{
	return !s->active ? "- " : s->expired ? "expired " : "";
}

static const char *door_text(enum login_door door, const char *name)
{
	static char text[4][20];
	static unsigned next;
	char *t = text[next++ % 4];

	snprintf(t, sizeof(text[0]), "%s%s%s", door == LOGIN_CLOSED ? "" : " ",
		 door == LOGIN_CLOSED ? "" : name,
		 door == LOGIN_TLS_ONLY ? "+tls" : "");
	return t;
}

static void ask_login(const struct panel *p, const char *asked, struct buf *got)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	bool more;
	struct addr a = address_of(span_of(asked));
	enum fact f;
	size_t n;

	f = login_find(p->db[PANEL_AUTH], p->profile, &a, row, &n, &more);
	if (f != F_YES)
		buf_puts(got, fact_text[f]);
	for (size_t i = 0; i < n; i++)
		buf_printf(got, "%s%s%s %s%s%s", i > 0 ? "," : "",
			   state_text(&row[i].state), row[i].hash,
			   row[i].mailbox.text,
			   door_text(row[i].state.smtp, "smtp"),
			   door_text(row[i].state.pop3, "pop3"));
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
	bool more;
	struct addr a = address_of(SPAN_LIT("bob@example.org"));
	size_t n;

	(void)state;
	for (size_t i = 0; i < PANELS; i++) {
		struct panel *p = &panels[i];
		struct mailbox_facts f = mailbox_of(p, "bob@example.org");

		assert_int_equal(login_find(p->db[PANEL_AUTH], p->profile, &a,
					    row, &n, &more),
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
	bool more;
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
		assert_int_equal(login_find(p->db[PANEL_AUTH], p->profile, &a,
					    row, &n, &more),
				 F_YES);
		assert_string_equal(row[0].incarnation, "");
	}
	assert_int_equal(asked, 4);
}

static void names_that_are_sql_are_only_names(void **state)
{
	static const char *const evil[] = {
		"u1'--@d1.example",
		"u1'#@d1.example",
		"u_@d1.example",
		"%@d1.example",
		"u1`@d1.example",
		"\"u1\\\\\"@d1.example",
		"\"u1' OR '1'='1\"@d1.example",
		"\"u1@d1.example' -- \"@d1.example",
		"\"x' UNION SELECT 1, 'u1@d1.example' -- \"@d1.example",
		"\":address\"@d1.example",
	};
	static struct login_row row[LOGIN_ROWS_MAX];
	struct addr a;
	bool more;
	size_t n;

	(void)state;
	for (size_t i = 0; i < PANELS * sizeof(evil) / sizeof(*evil); i++) {
		struct panel *p = &panels[i % PANELS];
		const char *name = evil[i / PANELS];

		a = address_of(span_of(name));
		assert_int_equal(mailbox_of(p, name).known, F_NO);
		assert_int_equal(login_find(p->db[PANEL_AUTH], p->profile, &a,
					    row, &n, &more),
				 F_NO);
		assert_int_equal(mailbox_of(p, "u1@d1.example").known, F_YES);
	}
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

static void ask_state(const struct panel *p, const char *asked, struct buf *got)
{
	struct addr a = address_of(span_of(asked));
	struct login_look l;
	enum fact f = login_look(p->db[PANEL_MILTER], p->profile, &a, &l);

	if (f != F_YES) {
		buf_puts(got, fact_text[f]);
		return;
	}
	buf_printf(got, "%s%s%s",
		   !l.state.active   ? "-"
		   : l.state.expired ? "expired"
				     : "",
		   door_text(l.state.smtp, "smtp"),
		   door_text(l.state.pop3, "pop3"));
	if (l.state.active && !l.state.expired)
		buf_drop(got, 1);
}

static void a_login_has_a_state_without_its_hash(void **state)
{
	(void)state;
	COMPARE(state_rows, ask_state);
}

static void the_networks_of_a_login_are_told(void **state)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	struct addr a = address_of(SPAN_LIT("keep@example.org"));
	bool more;
	size_t n;

	(void)state;
	for (size_t i = 0; i < PANELS; i++) {
		struct panel *p = &panels[i];

		assert_int_equal(login_find(p->db[PANEL_AUTH], p->profile, &a,
					    row, &n, &more),
				 F_YES);
		assert_string_equal(row[0].networks,
				    panel_in(p, "native iredmail")
					    ? "192.0.2.0/24,2001:db8::/32"
					    : "");
	}
}

static void a_hash_is_replaced_where_it_still_stands(void **state)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	struct panel *p = &panels[0];
	struct addr a = address_of(SPAN_LIT("bob@example.org"));
	bool more, changed;
	size_t n;

	(void)state;
	assert_int_equal(
		login_find(p->db[PANEL_AUTH], p->profile, &a, row, &n, &more),
		F_YES);
	assert_int_equal(login_rehash(p->db[PANEL_AUTH], p->profile, row,
				      SPAN_LIT("better"), &changed),
			 DB_OURS);
	assert_int_equal(panel_apply(p, "#= "), 1);
	assert_int_equal(login_rehash(p->db[PANEL_AUTH], p->profile, row,
				      SPAN_LIT("better"), &changed),
			 DB_OK);
	assert_true(changed);
	assert_int_equal(login_rehash(p->db[PANEL_AUTH], p->profile, row,
				      SPAN_LIT("other"), &changed),
			 DB_OK);
	assert_false(changed);
	assert_string_equal(fix_text("SELECT GROUP_CONCAT(password) FROM"
				     " panel_native.account WHERE password IN"
				     " ('better', 'other', 'hash-bob')"),
			    "better");
}

static bool asks(unsigned user, unsigned q)
{
	if (q == PQ_REHASH)
		return false;
	if (q == PQ_STATE)
		return user == PANEL_MILTER || user == PANEL_AUTH ||
		       user == PANEL_ADMIN;
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
		cmocka_unit_test(names_that_are_sql_are_only_names),
		cmocka_unit_test(senders_belong_to_logins),
		cmocka_unit_test(a_login_has_a_state_without_its_hash),
		cmocka_unit_test(the_networks_of_a_login_are_told),
		cmocka_unit_test(a_hash_is_replaced_where_it_still_stands),
		cmocka_unit_test(nobody_but_authd_may_read_a_hash),
		cmocka_unit_test(each_program_may_ask_what_it_asks),
	};

	return cmocka_run_group_tests(tests, panel_start, panel_end);
}
