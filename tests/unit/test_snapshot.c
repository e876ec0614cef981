/* tests/unit/test_snapshot.c */
#include "policy/snapshot_make.h"

#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ROWS(a) (sizeof(a) / sizeof(*(a)))

static const uint8_t secret[SIPHASH_KEY_SIZE] = { 9 };

static struct snapshot_maker maker;

static int begin(void **state)
{
	(void)state;
	return snapshot_make_init(&maker, secret, true) ? 0 : -1;
}

static int end(void **state)
{
	struct snapshot *s = *state;

	snapshot_put(&s);
	assert_null(s);
	*state = NULL;
	snapshot_make_release(&maker);
	return 0;
}

/* Kept for end(). */
static const struct snapshot *made(void **state)
{
	struct snapshot *s = snapshot_make_finish(&maker, 7);

	if (!s)
		fail_msg("%s", buf_cstr(&maker.why));
	*state = s;
	return s;
}

static struct addr address(const char *text)
{
	struct addr a = { .n = 0 };

	if (*text)
		assert_int_equal(addr_parse(span_of(text), true, &a), ADDR_OK);
	return a;
}

static void rule(const char *scope, const char *sender, const char *action)
{
	snapshot_make_rule(&maker, span_of(scope), span_of(sender),
			   span_of(action));
}

static enum access access_of(const struct snapshot *s, const char *rcpt,
			     const char *sender, struct snapshot_rule *rule_r)
{
	struct addr r = address(rcpt), f = address(sender);

	return snapshot_access(s, &r, &f, rule_r);
}

static void the_narrowest_rule_decides(void **state)
{
	static const struct {
		const char *rcpt, *from;
		enum access access;
		const char *scope, *sender;
	} row[] = {
		{ "ann@a.example", "bob@x.example", ACCESS_ALLOW,
		  "ann@a.example", "bob@x.example" },
		{ "ann@a.example", "joe@x.example", ACCESS_DENY,
		  "ann@a.example", "@x.example" },
		/* the address's own rules have no match: its domain's */
		{ "ann@a.example", "bob@y.example", ACCESS_DENY, "@a.example",
		  "bob@" },
		{ "ann@a.example", "joe@y.example", ACCESS_ALLOW, "@a.example",
		  "*" },
		{ "eve@a.example", "bob@x.example", ACCESS_DENY, "@a.example",
		  "bob@" },
		{ "eve@a.example", "", ACCESS_ALLOW, "@a.example", "*" },
		{ "eve@b.example", "", ACCESS_DENY, "*", "<>" },
		{ "eve@b.example", "joe@m.n.bad.example", ACCESS_ALLOW, "*",
		  "@.n.bad.example" },
		{ "eve@b.example", "joe@n.bad.example", ACCESS_DENY, "*",
		  "@.bad.example" },
		{ "eve@b.example", "joe@bad.example", ACCESS_NONE, "", "" },
		{ "eve@b.example", "joe@good.example", ACCESS_NONE, "", "" },
	};
	const struct snapshot *s;

	rule("ann@a.example", "bob@x.example", "allow");
	rule("ann@a.example", "@x.example", "deny");
	rule("@a.example", "bob@", "deny");
	rule("@a.example", "*", "allow");
	rule("*", "<>", "deny");
	rule("*", "@.bad.example", "deny");
	rule("*", "@.n.bad.example", "allow");
	s = made(state);
	for (size_t i = 0; i < ROWS(row); i++) {
		struct snapshot_rule by = { "", "" };

		assert_int_equal(access_of(s, row[i].rcpt, row[i].from, &by),
				 row[i].access);
		assert_string_equal(by.scope, row[i].scope);
		assert_string_equal(by.sender, row[i].sender);
		assert_int_equal(access_of(s, row[i].rcpt, row[i].from, NULL),
				 row[i].access);
	}
}

static void grant(const char *login, const char *sender)
{
	snapshot_make_grant(&maker, span_of(login), span_of(sender));
}

static void a_grant_is_of_a_login_or_its_domain(void **state)
{
	static const struct {
		const char *login, *sender;
		bool may;
	} row[] = {
		{ "ann@a.example", "sales@a.example", true },
		{ "bob@a.example", "sales@a.example", false },
		{ "bob@a.example", "any@news.example", true },
		{ "ann@a.example", "any@news.example", true },
		{ "ann@a.example", "any@x.news.example", false },
		{ "ann@a.example", "any@x.mail.example", true },
		{ "ann@a.example", "any@mail.example", false },
		{ "root@b.example", "who@ever.example", true },
		{ "root@b.example", "", false },
		{ "eve@b.example", "root@b.example", false },
	};
	const struct snapshot *s;

	grant("ann@a.example", "sales@a.example");
	grant("@a.example", "@news.example");
	grant("ann@a.example", "@.mail.example");
	grant("root@b.example", "*");
	s = made(state);
	for (size_t i = 0; i < ROWS(row); i++) {
		struct addr l = address(row[i].login);
		struct addr f = address(row[i].sender);

		assert_int_equal(snapshot_send_as(s, &l, &f), row[i].may);
	}
}

static void account(const char *name, const char *relay, const char *relay_to,
		    const char *accept, const uint64_t *const *number)
{
	struct account_columns c = { .name = span_of(name),
				     .relay = span_of(relay),
				     .relay_to = span_of(relay_to),
				     .has_relay_to = relay_to != NULL,
				     .accept_from = span_of(accept) };

	for (size_t i = 0; number && i < ACCOUNT_NUMBERS; i++)
		c.number[i] = number[i];
	snapshot_make_account(&maker, &c);
}

static struct account_policy policy_of(const struct snapshot *s,
				       const char *name, int64_t now)
{
	struct account_policy p;
	struct addr a = address(name);

	snapshot_account(s, &a, now, &p);
	return p;
}

static void assert_row(const struct snapshot *s, const char *name,
		       unsigned said, const char *row)
{
	struct addr a = address(name);
	struct span found;

	if (!row) {
		assert_false(snapshot_account_row(s, &a, said, &found));
		return;
	}
	assert_true(snapshot_account_row(s, &a, said, &found));
	assert_true(span_is(found, row));
}

static void of_whom_nothing_is_said_all_is_permitted(void **state)
{
	const struct snapshot *s = made(state);
	struct account_policy p = policy_of(s, "ann@a.example", 1000);

	assert_false(p.suspended || p.expired || p.require_tls);
	assert_true(p.may_send && p.may_receive);
	assert_int_equal(p.relay, RELAY_YES);
	assert_int_equal(p.accept_from, ACCEPT_ANYONE);
	assert_int_equal(p.max_size, 0);
	assert_int_equal(p.max_send_size, 0);
	assert_int_equal(p.max_recipients, 0);
	assert_int_equal(p.expires_at, 0);
}

static void the_narrower_name_counts_column_by_column(void **state)
{
	const uint64_t no = 0, yes = 1, soon = 500, many = 100, few = 5;
	const uint64_t *const site[ACCOUNT_NUMBERS] = {
		[ACCOUNT_MAX_SIZE] = &many,
		[ACCOUNT_MAX_RECIPIENTS] = &many,
		[ACCOUNT_REQUIRE_TLS] = &yes,
		[ACCOUNT_MAY_SEND] = &no,
	};
	const uint64_t *const domain[ACCOUNT_NUMBERS] = {
		[ACCOUNT_SUSPENDED] = &yes,
		[ACCOUNT_MAX_RECIPIENTS] = &few,
		[ACCOUNT_EXPIRES_AT] = &soon,
		[ACCOUNT_MAY_RECEIVE] = &no,
	};
	const uint64_t *const own[ACCOUNT_NUMBERS] = {
		[ACCOUNT_SUSPENDED] = &no,
		[ACCOUNT_MAX_SIZE] = &no,
		[ACCOUNT_MAX_SEND_SIZE] = &few,
		[ACCOUNT_MAY_SEND] = &yes,
	};
	const struct snapshot *s;
	struct account_policy p;

	account("*", "internal", "a.example .b.example", NULL, site);
	account("@a.example", "list", NULL, "list", domain);
	account("ann@a.example", NULL, "", "internal", own);
	s = made(state);

	p = policy_of(s, "ann@a.example", 499);
	assert_false(p.suspended);
	assert_false(p.expired);
	assert_int_equal(p.expires_at, 500);
	assert_true(p.may_send && p.require_tls);
	assert_false(p.may_receive);
	assert_int_equal(p.relay, RELAY_LIST);
	assert_int_equal(p.relay_to.n, 0);
	assert_int_equal(p.accept_from, ACCEPT_INTERNAL);
	assert_int_equal(p.max_size, 0); /* any, though the site says 100 */
	assert_int_equal(p.max_send_size, 5);
	assert_int_equal(p.max_recipients, 5);

	assert_row(s, "ann@a.example", SAID_MAX_SIZE, "ann@a.example");
	assert_row(s, "ann@a.example", SAID_MAX_RECIPIENTS, "@a.example");
	assert_row(s, "ann@a.example", SAID_REQUIRE_TLS, "*");
	assert_row(s, "ann@a.example", SAID_RELAY | SAID_RELAY_TO,
		   "ann@a.example");
	assert_row(s, "eve@a.example", SAID_MAX_SEND_SIZE, NULL);

	p = policy_of(s, "eve@a.example", 500);
	assert_true(p.suspended && p.expired && p.require_tls);
	assert_false(p.may_send || p.may_receive);
	assert_int_equal(p.max_size, 100);
	assert_int_equal(p.accept_from, ACCEPT_LIST);
	assert_true(pattern_list_has(p.relay_to, SPAN_LIT("x.b.example")));

	p = policy_of(s, "eve@b.example", 500);
	assert_false(p.suspended || p.expired);
	assert_true(p.may_receive);
	assert_int_equal(p.relay, RELAY_INTERNAL);
	assert_int_equal(p.max_recipients, 100);
}

static void a_time_before_the_epoch_is_over(void **state)
{
	const uint64_t epoch = 0, never = UINT64_MAX;
	const uint64_t *const past[ACCOUNT_NUMBERS] = { [ACCOUNT_EXPIRES_AT] =
								&epoch };
	const uint64_t *const far[ACCOUNT_NUMBERS] = { [ACCOUNT_EXPIRES_AT] =
							       &never };
	const struct snapshot *s;

	account("@a.example", NULL, NULL, NULL, past);
	account("@b.example", NULL, NULL, NULL, far);
	s = made(state);
	assert_true(policy_of(s, "ann@a.example", 1000).expired);
	assert_false(policy_of(s, "ann@b.example", 1000).expired);
}

static void limit(const char *subject, const char *direction, uint32_t seconds,
		  uint64_t messages)
{
	struct limit_row l = { .seconds = seconds,
			       .has_messages = true,
			       .messages = messages };

	snapshot_make_limit(&maker, span_of(subject), span_of(direction), &l);
}

/* "subject/seconds/messages ..." */
static const char *limits(const struct snapshot *s, const char *name,
			  enum limit_direction d)
{
	static struct buf text = BUF_INIT(2000);
	const struct limit_row *row[LIMITS_MAX];
	struct addr a = address(name);
	size_t n = snapshot_limits(s, &a, d, row);

	buf_reset(&text);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(row[i]->direction, d);
		assert_true(row[i]->has_messages);
		assert_false(row[i]->has_octets);
		buf_printf(&text, "%.*s/%u/%llu ", (int)row[i]->subject.n,
			   row[i]->subject.p, (unsigned)row[i]->seconds,
			   (unsigned long long)row[i]->messages);
	}
	return buf_cstr(&text);
}

static void who_has_no_limits_has_the_default_ones(void **state)
{
	const struct snapshot *s;

	/* not in the order of their subjects */
	limit("ann@a.example", "out", 60, 10);
	limit("*", "out", 3600, 50);
	limit("@*", "in", 86400, 3);
	limit("@a.example", "in", 60, 4);
	limit("ann@a.example", "out", 3600, 100);
	limit("*", "in", 60, 6);
	limit("@a.example", "out", 60, 5);
	limit("ann@a.example", "out", 86400, 1000);
	s = made(state);
	assert_string_equal(limits(s, "ann@a.example", LIMIT_OUT),
			    "ann@a.example/60/10 ann@a.example/3600/100 "
			    "ann@a.example/86400/1000 @a.example/60/5 ");
	assert_string_equal(limits(s, "ann@a.example", LIMIT_IN),
			    "*/60/6 @a.example/60/4 ");
	assert_string_equal(limits(s, "eve@b.example", LIMIT_OUT),
			    "*/3600/50 ");
	assert_string_equal(limits(s, "eve@b.example", LIMIT_IN),
			    "*/60/6 @*/86400/3 ");
}

static void without_limits_there_are_none(void **state)
{
	assert_string_equal(limits(made(state), "ann@a.example", LIMIT_OUT),
			    "");
}

static void a_network_has_a_kind(void **state)
{
	const struct snapshot *s;
	struct network net;
	enum network_kind k;
	struct ipaddr a;

	snapshot_make_network(&maker, SPAN_LIT("10.0.0.0/8"),
			      SPAN_LIT("blocked"));
	snapshot_make_network(&maker, SPAN_LIT("10.1.0.0/16"),
			      SPAN_LIT("webmail"));
	s = made(state);
	assert_true(ipaddr_parse(SPAN_LIT("10.1.2.3"), &a));
	assert_int_equal(snapshot_network(s, &a), NETWORK_WEBMAIL);
	assert_true(snapshot_network_row(s, &a, &k, &net));
	assert_int_equal(net.bits, 96 + 16);
	assert_true(ipaddr_parse(SPAN_LIT("192.0.2.1"), &a));
	assert_int_equal(snapshot_network(s, &a), NETWORK_PLAIN);
	assert_false(snapshot_network_row(s, &a, &k, &net));
}

static void mode(const char *predicate, const char *domain, const char *name)
{
	snapshot_make_mode(&maker, span_of(predicate), span_of(domain),
			   span_of(name));
}

static unsigned mode_of(const struct snapshot *s, const char *predicate,
			const char *domain)
{
	struct policy_modes m;

	snapshot_modes(s, span_of(domain), &m);
	return m.mode[predicate_find(span_of(predicate))];
}

static void a_domains_mode_is_before_the_sites(void **state)
{
	const struct snapshot *s;

	mode("access_denied", "a.example", "off");
	mode("sender_forged", "", "enforce");
	mode("access_denied", "", "shadow");
	mode("from_forged", "a.example", "enforce");
	s = made(state);
	assert_int_equal(mode_of(s, "access_denied", "a.example"), M_OFF);
	assert_int_equal(mode_of(s, "access_denied", "b.example"), M_SHADOW);
	assert_int_equal(mode_of(s, "access_denied", ""), M_SHADOW);
	assert_int_equal(mode_of(s, "sender_forged", "a.example"), M_ENFORCE);
	assert_int_equal(mode_of(s, "sender_forged", ""), M_ENFORCE);
	assert_int_equal(mode_of(s, "from_forged", "a.example"), M_ENFORCE);
	assert_int_equal(mode_of(s, "from_forged", "b.example"), M_SHADOW);
	assert_int_equal(mode_of(s, "network_blocked", "a.example"), M_ENFORCE);
	assert_int_equal(mode_of(s, "recipient_unknown", "a.example"), M_FIXED);
}

static bool is_on(const struct snapshot *s, const char *predicate)
{
	return snapshot_mode_is_on(s, predicate_find(span_of(predicate)));
}

static void the_site_alone_turns_a_predicate_on_or_off(void **state)
{
	const struct snapshot *s;

	mode("sender_forged", "", "off");
	s = made(state);
	assert_true(is_on(s, "from_forged"));
	assert_true(is_on(s, "recipient_unknown"));
	assert_false(is_on(s, "sender_forged"));
}

static void one_domain_turns_a_predicate_on(void **state)
{
	const struct snapshot *s;

	mode("from_forged", "", "off");
	mode("from_forged", "a.example", "shadow");
	mode("sender_forged", "a.example", "off");
	mode("access_denied", "", "off");
	mode("access_denied", "a.example", "off");
	s = made(state);
	assert_true(is_on(s, "from_forged"));
	assert_true(is_on(s, "sender_forged"));
	assert_false(is_on(s, "access_denied"));
}

static void a_broken_row_makes_no_snapshot(void **state)
{
	struct snapshot *s;

	(void)state;
	snapshot_make_network(&maker, SPAN_LIT("192.0.2.1/24"),
			      SPAN_LIT("blocked"));
	snapshot_make_network(&maker, SPAN_LIT("10.0.0.0/8"), SPAN_LIT(""));
	snapshot_make_network(&maker, SPAN_LIT("10.0.0.1/8"), SPAN_EMPTY);
	rule("Ann@a.example", "*", "deny");
	rule("*", "@X.example", "deny");
	rule("*", "*", "");
	rule("bob@", "*", "deny");
	grant("*", "*");
	grant("ann@a.example", "<>");
	account("@*", NULL, NULL, NULL, NULL);
	account("*", "most", NULL, NULL, NULL);
	account("*", NULL, NULL, "some", NULL);
	account("*", NULL, "a b c! d", NULL, NULL);
	limit("bob@", "out", 60, 1);
	limit("*", "up", 60, 1);
	limit("*", "out", 59, 1);
	limit("*", "out", 2678401, 1);
	mode("access_denied", "a_.", "off");
	mode("access_denied", "", "on");
	mode("recipient_unknown", "", "off");
	assert_int_equal(maker.broken, 20);
	s = snapshot_make_finish(&maker, 1);
	assert_null(s);
	assert_non_null(strstr(buf_cstr(&maker.why), "network '192.0.2.1/24'"));
	assert_non_null(
		strstr(buf_cstr(&maker.why),
		       "access_rule 'Ann@a.example' '*': not canonical, "
		       "so never found; write 'ann@a.example'\n"));
	assert_non_null(strstr(buf_cstr(&maker.why), "'c!'"));
}

static void a_network_that_is_there_twice_is_broken(void **state)
{
	(void)state;
	snapshot_make_network(&maker, SPAN_LIT("192.0.2.1"),
			      SPAN_LIT("blocked"));
	snapshot_make_network(&maker, SPAN_LIT("192.0.2.1/32"),
			      SPAN_LIT("trusted"));
	assert_null(snapshot_make_finish(&maker, 1));
	assert_string_equal(buf_cstr(&maker.why),
			    "network '192.0.2.1': is there twice\n");
}

static void a_subject_has_a_bounded_number_of_windows(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < LIMIT_WINDOWS_MAX; i++)
		limit("*", "out", 60 + i, 1);
	assert_int_equal(maker.broken, 0);
	limit("*", "in", 60, 1);
	assert_int_equal(maker.broken, 0);
	limit("*", "out", 120, 1);
	assert_int_equal(maker.broken, 1);
}

static void an_unknown_predicate_is_told_but_does_no_harm(void **state)
{
	mode("of_next_year", "", "enforce");
	made(state);
	assert_string_equal(buf_cstr(&maker.why),
			    "policy_mode 'of_next_year': no such predicate\n");
}

static void what_is_told_is_bounded_and_escaped(void **state)
{
	(void)state;
	for (int i = 0; i < 10000; i++)
		rule("\n\x1b", "*", "deny");
	assert_int_equal(maker.broken, 10000);
	assert_true(maker.why.n <= SNAPSHOT_WHY_MAX);
	assert_null(memchr(maker.why.p, 0x1b, maker.why.n));
	assert_true(span_starts_nocase(buf_span(&maker.why),
				       SPAN_LIT("access_rule '\\x0A\\x1B'")) ||
		    span_starts_nocase(buf_span(&maker.why),
				       SPAN_LIT("access_rule '\\x0a\\x1b'")));
}

static void a_reference_keeps_it(void **state)
{
	struct snapshot *one, *two;

	rule("*", "*", "deny");
	one = (struct snapshot *)(uintptr_t)made(state);
	two = snapshot_ref(one);
	assert_int_equal(snapshot_generation(two), 7);
	assert_int_equal(snapshot_size(two).rules, 1);
	snapshot_put(&two);
	assert_null(two);
	assert_int_equal(access_of(one, "a@b", "c@d", NULL), ACCESS_DENY);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_narrowest_rule_decides),
		TEST(a_grant_is_of_a_login_or_its_domain),
		TEST(of_whom_nothing_is_said_all_is_permitted),
		TEST(the_narrower_name_counts_column_by_column),
		TEST(a_time_before_the_epoch_is_over),
		TEST(who_has_no_limits_has_the_default_ones),
		TEST(without_limits_there_are_none),
		TEST(a_network_has_a_kind),
		TEST(a_domains_mode_is_before_the_sites),
		TEST(the_site_alone_turns_a_predicate_on_or_off),
		TEST(one_domain_turns_a_predicate_on),
		TEST(a_broken_row_makes_no_snapshot),
		TEST(a_network_that_is_there_twice_is_broken),
		TEST(a_subject_has_a_bounded_number_of_windows),
		TEST(an_unknown_predicate_is_told_but_does_no_harm),
		TEST(what_is_told_is_bounded_and_escaped),
		TEST(a_reference_keeps_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
