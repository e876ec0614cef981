/* The predicates: facts in, verdict out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/predicate.h"

/* A stranger's mail for a good mailbox of ours. */
static struct facts good(void)
{
	return (struct facts){ .client = { .relay_port = true },
			       .rcpt = { .syntax_ok = true,
					 .local = F_YES,
					 .domain_active = F_YES,
					 .known = F_YES,
					 .active = F_YES,
					 .room = F_YES } };
}

/* A login of ours that writes to a foreign address. */
static struct facts abroad(void)
{
	struct facts f = good();

	f.rcpt.local = F_NO;
	f.client.authenticated = true;
	f.login = (struct login_facts){ .known = F_YES,
					.active = F_YES,
					.smtp = F_YES };
	return f;
}

static struct verdict decide(unsigned stage, const struct facts *f)
{
	struct policy_modes m;

	policy_modes_default(&m);
	return policy_decide(stage, f, &m, NULL, NULL);
}

enum {
	ALL = STAGE_MAIL | STAGE_RCPT | STAGE_TARGET | STAGE_HEADERS | STAGE_END
};

static void assert_verdict(const struct facts *f, enum reply_id id,
			   const char *predicate)
{
	struct verdict v = decide(ALL, f);

	assert_string_equal(v.predicate, predicate);
	assert_int_equal(v.id, id);
}

static void a_good_recipient_and_a_good_login_are_accepted(void **state)
{
	struct facts f = good();

	(void)state;
	assert_verdict(&f, R_NONE, "");
	f = abroad();
	assert_verdict(&f, R_NONE, "");
}

/* One change to the facts, which makes one predicate hit: the fact at this
 * offset (or its opposite), or what make() does. */
struct change {
	enum predicate_id id;
	bool login; /* to what a login writes abroad; else to a stranger's */
	size_t offset;
	bool opposite;
	void (*make)(struct facts *f, enum fact value);
};

static void make_nobody(struct facts *f, enum fact v)
{
	f->client.webmail = F_YES;
	f->mail.nobody = v;
}

static void make_deleted(struct facts *f, enum fact v)
{
	f->login.known = fact_not(v);
	f->login.was_known = true;
}

static void make_null(struct facts *f, enum fact v)
{
	f->mail.null_sender = v == F_YES;
}

static void make_bad_syntax(struct facts *f, enum fact v)
{
	f->rcpt.syntax_ok = v != F_YES;
}

static void make_scope_no(struct facts *f, enum fact v)
{
	f->rcpt.scope = v == F_YES ? RELAY_NO : RELAY_YES;
	f->rcpt.rules = v == F_TEMP ? F_TEMP : F_NO;
}

static void make_denied(struct facts *f, enum fact v)
{
	f->rcpt.access = v == F_YES ? ACCESS_DENY : ACCESS_NONE;
	f->rcpt.rules = v == F_TEMP ? F_TEMP : F_NO;
}

static void make_internal(struct facts *f, enum fact v)
{
	f->rcpt.accepts = v == F_YES ? ACCEPT_INTERNAL : ACCEPT_ANYONE;
}

static void make_several(struct facts *f, enum fact v)
{
	f->header.several = v == F_YES;
}

#define IS(member)  offsetof(struct facts, member), false
#define NOT(member) offsetof(struct facts, member), true

static const struct change changes[] = {
	{ P_NETWORK_BLOCKED, false, IS(client.blocked), NULL },
	{ P_HELO_FORGED, false, IS(client.helo_served), NULL },
	{ P_LOGIN_DELETED, true, 0, false, make_deleted },
	{ P_LOGIN_DISABLED, true, NOT(login.active), NULL },
	{ P_LOGIN_SMTP_CLOSED, true, NOT(login.smtp), NULL },
	{ P_LOGIN_NEEDS_TLS, true, IS(login.tls_only), NULL },
	{ P_LOGIN_SUSPENDED, true, IS(login.suspended), NULL },
	{ P_LOGIN_EXPIRED, true, IS(login.expired), NULL },
	{ P_LOGIN_RECEIVE_ONLY, true, IS(login.receive_only), NULL },
	{ P_WEBMAIL_SENDER, false, 0, false, make_nobody },
	{ P_SENDER_NULL, true, 0, false, make_null },
	{ P_SENDER_NOT_OWNED, true, IS(mail.alien), NULL },
	{ P_SENDER_FORGED, false, IS(mail.ours), NULL },
	{ P_SIZE_SENDER, true, IS(mail.too_large), NULL },
	{ P_RCPT_SYNTAX, false, 0, false, make_bad_syntax },
	{ P_RELAY_DENIED, false, NOT(rcpt.local), NULL },
	{ P_RELAY_LOGIN, true, 0, false, make_scope_no },
	{ P_DOMAIN_INACTIVE, false, NOT(rcpt.domain_active), NULL },
	{ P_RCPT_UNKNOWN, false, NOT(rcpt.known), NULL },
	{ P_RCPT_DISABLED, false, NOT(rcpt.active), NULL },
	{ P_RCPT_SUSPENDED, false, IS(rcpt.suspended), NULL },
	{ P_RCPT_EXPIRED, false, IS(rcpt.expired), NULL },
	{ P_RCPT_SEND_ONLY, false, IS(rcpt.send_only), NULL },
	{ P_ACCESS_DENIED, false, 0, false, make_denied },
	{ P_RCPT_RESTRICTED, false, 0, false, make_internal },
	{ P_RCPT_NEEDS_TLS, false, IS(rcpt.needs_tls), NULL },
	{ P_RCPT_SIZE, false, IS(rcpt.too_large), NULL },
	{ P_RCPT_OVER_QUOTA, false, NOT(rcpt.room), NULL },
	{ P_RCPTS_PER_MESSAGE, true, IS(rcpt.one_too_many), NULL },
	{ P_LIMIT_OUT, true, IS(limit_out), NULL },
	{ P_LIMIT_IN, false, IS(limit_in), NULL },
	{ P_FROM_NOT_OWNED, true, IS(header.from_alien), NULL },
	{ P_FROM_SEVERAL, true, 0, false, make_several },
	{ P_SENDER_FIELD, true, IS(header.sender_alien), NULL },
	{ P_RESENT_FROM, true, IS(header.resent_alien), NULL },
	{ P_FROM_FORGED, false, IS(header.from_ours), NULL },
};

_Static_assert(sizeof(changes) / sizeof(*changes) == PREDICATE_COUNT,
	       "each predicate has its change");

static struct facts changed(const struct change *c, enum fact value)
{
	struct facts f = c->login ? abroad() : good();
	enum fact v = c->opposite ? fact_not(value) : value;

	if (c->make)
		c->make(&f, value);
	else
		memcpy((char *)&f + c->offset, &v, sizeof(v));
	return f;
}

/* All modes off but one. */
static struct verdict decide_one(enum predicate_id id, enum policy_mode mode,
				 unsigned stage, const struct facts *f)
{
	struct policy_modes m = { { 0 } };

	m.mode[id] = (uint8_t)mode;
	return policy_decide(stage, f, &m, NULL, NULL);
}

static void each_predicate_has_its_reply_and_no_other_hits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PREDICATE_COUNT; i++) {
		const struct predicate *p = predicate_get(changes[i].id);
		struct facts f = changed(&changes[i], F_YES);
		struct policy_modes all;
		struct verdict v;

		assert_int_equal(changes[i].id, i);
		memset(all.mode, M_ENFORCE, sizeof(all.mode));
		v = policy_decide(ALL, &f, &all, NULL, NULL);
		assert_string_equal(v.predicate, p->name);
		assert_int_equal(v.id, p->reply);
		assert_int_equal(v.shadow, 0);
		f = changed(&changes[i], F_NO);
		assert_int_equal(
			decide_one(changes[i].id, M_ENFORCE, ALL, &f).id,
			R_NONE);
	}
}

static void in_shadow_it_is_noted_and_off_it_is_not_tried(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PREDICATE_COUNT; i++) {
		struct facts f = changed(&changes[i], F_YES);
		struct verdict v = decide_one(changes[i].id, M_SHADOW, ALL, &f);

		assert_int_equal(v.id, R_NONE);
		assert_true(v.shadow == UINT64_C(1) << i);
		assert_string_equal(policy_shadow_next(&v.shadow),
				    predicate_get(changes[i].id)->name);
		assert_null(policy_shadow_next(&v.shadow));
		v = decide_one(changes[i].id, M_OFF, ALL, &f);
		assert_int_equal(v.id, R_NONE);
		assert_true(v.shadow == 0);
	}
}

/* A predicate that cannot tell says 451, or nothing in shadow; which of them
 * need no database never do. */
static void what_is_not_known_is_temporary(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PREDICATE_COUNT; i++) {
		const struct predicate *p = predicate_get(changes[i].id);
		struct facts f = changed(&changes[i], F_TEMP);
		struct verdict v =
			decide_one(changes[i].id, M_ENFORCE, ALL, &f);

		if (v.id != R_NONE) {
			assert_int_equal(v.id, R_STORE_DOWN);
			assert_string_equal(v.predicate, p->name);
			assert_true(p->needs != N_NONE);
		}
		v = decide_one(changes[i].id, M_SHADOW, ALL, &f);
		assert_int_equal(v.id, R_NONE);
		assert_true(v.shadow == 0);
	}
}

/* Every combination of facts of a recipient: no reply is permanent while
 * another value of an unknown fact would have made it another. */
static void no_permanent_reply_hangs_on_a_guess(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3 * 3 * 3 * 3 * 3; i++) {
		struct facts f = good();
		enum reply_id id;

		f.rcpt.local = (enum fact)(i % 3);
		f.rcpt.domain_active = (enum fact)(i / 3 % 3);
		f.rcpt.known = (enum fact)(i / 9 % 3);
		f.rcpt.active = (enum fact)(i / 27 % 3);
		f.rcpt.room = (enum fact)(i / 81);
		f.rcpt.mta_domain = true;
		id = decide(ALL, &f).id;
		if (f.rcpt.local == F_NO)
			assert_int_equal(id, R_NONE);
		else if (f.rcpt.domain_active == F_NO)
			assert_int_equal(id, f.rcpt.local == F_TEMP
						     ? R_STORE_DOWN
						     : R_RCPT_DISABLED);
		else if (f.rcpt.local == F_TEMP &&
			 f.rcpt.domain_active == F_YES &&
			 f.rcpt.known == F_YES && f.rcpt.active == F_YES &&
			 f.rcpt.room == F_YES)
			assert_int_equal(id, R_NONE); /* whichever it is */
		else if (f.rcpt.local == F_TEMP ||
			 f.rcpt.domain_active == F_TEMP ||
			 f.rcpt.known == F_TEMP)
			assert_int_equal(id, R_STORE_DOWN);
		else if (f.rcpt.known == F_NO)
			assert_int_equal(id, R_RCPT_UNKNOWN);
		else if (f.rcpt.active != F_YES)
			assert_int_equal(id, f.rcpt.active == F_NO
						     ? R_RCPT_DISABLED
						     : R_STORE_DOWN);
		else if (f.rcpt.room == F_TEMP)
			assert_int_equal(id, R_STORE_DOWN);
		else
			assert_int_equal(id, f.rcpt.room == F_NO
						     ? R_RCPT_OVER_QUOTA
						     : R_NONE);
	}
}

static void the_first_that_hits_decides(void **state)
{
	struct facts f = good();

	(void)state;
	f.rcpt.room = F_NO;
	assert_verdict(&f, R_RCPT_OVER_QUOTA, "recipient_over_quota");
	f.rcpt.active = F_NO;
	assert_verdict(&f, R_RCPT_DISABLED, "recipient_disabled");
	f.rcpt.known = F_NO;
	assert_verdict(&f, R_RCPT_UNKNOWN, "recipient_unknown");
	f.rcpt.domain_active = F_NO;
	assert_verdict(&f, R_RCPT_DISABLED, "domain_inactive");
	f.rcpt.syntax_ok = false;
	assert_verdict(&f, R_RCPT_SYNTAX, "recipient_syntax");
	f.client.blocked = F_YES;
	assert_verdict(&f, R_NETWORK_BLOCKED, "network_blocked");
}

static void who_may_relay(void **state)
{
	struct facts f = good();

	(void)state;
	f.rcpt.local = F_NO;
	assert_verdict(&f, R_RELAY_DENIED, "relay_denied");
	f.client.trusted = F_YES;
	assert_verdict(&f, R_NONE, "");
	f.client.relay_port = false;
	assert_verdict(&f, R_RELAY_DENIED, "relay_denied");
	f.rcpt.mta_domain = true;
	assert_verdict(&f, R_NONE, "");
	f.rcpt.mta_domain = false;
	f.client =
		(struct client_facts){ .webmail = F_YES, .relay_port = true };
	assert_verdict(&f, R_NONE, "");
	f.client =
		(struct client_facts){ .partner = F_YES, .relay_port = true };
	assert_verdict(&f, R_RELAY_DENIED, "relay_denied");
	f.client =
		(struct client_facts){ .trusted = F_TEMP, .relay_port = true };
	assert_verdict(&f, R_STORE_DOWN, "relay_denied");
	f.rcpt.local = F_TEMP;
	assert_verdict(&f, R_STORE_DOWN, "relay_denied");
}

static void how_far_a_login_may_relay(void **state)
{
	struct facts f = abroad();

	(void)state;
	f.rcpt.scope = RELAY_INTERNAL;
	assert_verdict(&f, R_RELAY_LOGIN, "relay_login");
	f.rcpt.mta_domain = true;
	assert_verdict(&f, R_NONE, "");
	f.rcpt.scope = RELAY_NO;
	assert_verdict(&f, R_RELAY_LOGIN, "relay_login");
	f.rcpt.mta_domain = false;
	f.rcpt.scope = RELAY_LIST;
	assert_verdict(&f, R_RELAY_LOGIN, "relay_login");
	f.rcpt.in_scope = true;
	assert_verdict(&f, R_NONE, "");
	f.rcpt.scope = RELAY_NO;
	f.rcpt.local = F_YES;
	assert_verdict(&f, R_NONE, "");
}

static void whom_a_recipient_lets_in(void **state)
{
	struct facts f = good();

	(void)state;
	f.rcpt.accepts = ACCEPT_LIST;
	assert_verdict(&f, R_RCPT_RESTRICTED, "recipient_restricted");
	f.client.authenticated = true;
	assert_verdict(&f, R_RCPT_RESTRICTED, "recipient_restricted");
	f.rcpt.accepts = ACCEPT_INTERNAL;
	assert_verdict(&f, R_NONE, "");
	f.client.authenticated = false;
	assert_verdict(&f, R_RCPT_RESTRICTED, "recipient_restricted");
	f.rcpt.access = ACCESS_ALLOW;
	assert_verdict(&f, R_NONE, "");
	f.rcpt.accepts = ACCEPT_LIST;
	assert_verdict(&f, R_NONE, "");
}

static void a_partner_and_a_login_use_our_domains(void **state)
{
	struct facts f = good();

	(void)state;
	f.mail.ours = F_YES;
	f.header.from_ours = F_YES;
	assert_true(decide(ALL, &f).shadow == (UINT64_C(1) << P_SENDER_FORGED |
					       UINT64_C(1) << P_FROM_FORGED));
	f.client.partner = F_YES;
	assert_true(decide(ALL, &f).shadow == 0);
	f.client.partner = F_NO;
	f.client.authenticated = true;
	assert_true(decide(ALL, &f).shadow == 0);
}

/* Other back-ends' logins have no addresses that we know of. */
static void a_login_that_is_not_ours_owns_what_it_likes(void **state)
{
	struct facts f = abroad();

	(void)state;
	f.login = (struct login_facts){ .known = F_NO };
	f.mail.alien = F_YES;
	f.header.from_alien = F_YES;
	assert_verdict(&f, R_NONE, "");
}

static void options_choose_the_hard_reply(void **state)
{
	struct facts f = good();

	(void)state;
	f.rcpt.room = F_NO;
	f.over_quota_hard = true;
	assert_verdict(&f, R_RCPT_QUOTA_HARD, "recipient_over_quota");
	f = good();
	f.limit_in = F_YES;
	assert_verdict(&f, R_LIMIT_IN, "limit_in");
	f.limit_hard = true;
	assert_verdict(&f, R_LIMIT_IN_HARD, "limit_in");
	f.limit_in = F_TEMP;
	assert_verdict(&f, R_STORE_DOWN, "limit_in");
	f.limit_out = F_YES;
	assert_verdict(&f, R_LIMIT_OUT_HARD, "limit_out");
}

static void where_mail_is_only_stored_the_sender_is_not_judged(void **state)
{
	struct facts f = good();

	(void)state;
	f.rcpt.access = ACCESS_DENY;
	f.rcpt.local = F_YES;
	f.client.blocked = F_YES;
	assert_int_equal(decide(ALL | STAGE_STORE, &f).id, R_NONE);
	f.rcpt.suspended = F_YES;
	assert_int_equal(decide(ALL | STAGE_STORE, &f).id, R_RCPT_SUSPENDED);
	f.rcpt.active = F_NO;
	assert_int_equal(decide(ALL | STAGE_STORE, &f).id, R_RCPT_DISABLED);
}

struct seen {
	unsigned n;
	enum predicate_id last;
};

static void see(void *arg, enum predicate_id id, enum policy_mode mode,
		enum fact hits)
{
	struct seen *s = arg;

	(void)mode;
	(void)hits;
	s->n++;
	s->last = id;
}

static void who_asks_is_told_each_one_tried(void **state)
{
	struct facts f = good();
	struct policy_modes m;
	struct seen seen = { 0 };

	(void)state;
	policy_modes_default(&m);
	f.rcpt.active = F_NO;
	(void)policy_decide(STAGE_TARGET, &f, &m, see, &seen);
	assert_int_equal(seen.last, P_RCPT_DISABLED);
	assert_int_equal(seen.n, 3);
}

static void modes_are_set_but_for_the_fixed(void **state)
{
	struct policy_modes m;

	(void)state;
	policy_modes_default(&m);
	assert_true(policy_modes_set(&m, P_SENDER_FORGED, M_ENFORCE));
	assert_int_equal(m.mode[P_SENDER_FORGED], M_ENFORCE);
	assert_false(policy_modes_set(&m, P_RCPT_UNKNOWN, M_OFF));
	assert_int_equal(m.mode[P_RCPT_UNKNOWN], M_FIXED);
}

static void names_are_found_and_differ(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PREDICATE_COUNT; i++) {
		const struct predicate *p = predicate_get((enum predicate_id)i);

		assert_int_equal(predicate_find(span_of(p->name)), i);
		assert_true(reply_get(p->reply)->smtp >= 400);
		if (p->hard != R_NONE)
			assert_true(reply_get(p->hard)->smtp >= 500);
	}
	assert_int_equal(predicate_find(SPAN_LIT("nothing")), PREDICATE_COUNT);
	assert_string_equal(policy_mode_name(M_SHADOW), "shadow");
}

static void the_end_of_a_mail_has_its_predicates_too(void **state)
{
	static const struct {
		enum reply_id id;
		const char *behind;
	} of[] = {
		{ R_NONE, "" },
		{ R_LIMIT_OUT, "limit_out" },
		{ R_LIMIT_OUT_HARD, "limit_out" },
		{ R_LIMIT_IN, "limit_in" },
		{ R_LIMIT_IN_HARD, "limit_in" },
		{ R_RCPT_SIZE, "recipient_size" },
		{ R_SIZE_SENDER, "size_sender" },
		{ R_DELIVER_QUOTA, "recipient_over_quota" },
		{ R_DELIVER_FULL, "recipient_over_quota" },
		{ R_DELIVER_TEMP, "database" },
		{ R_NO_MEMORY, "memory" },
		{ R_STOPPING, "stopping" },
		{ R_FORWARD_TEMP, "forward" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++)
		assert_string_equal(predicate_behind(of[i].id), of[i].behind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_good_recipient_and_a_good_login_are_accepted),
		cmocka_unit_test(
			each_predicate_has_its_reply_and_no_other_hits),
		cmocka_unit_test(in_shadow_it_is_noted_and_off_it_is_not_tried),
		cmocka_unit_test(what_is_not_known_is_temporary),
		cmocka_unit_test(no_permanent_reply_hangs_on_a_guess),
		cmocka_unit_test(the_first_that_hits_decides),
		cmocka_unit_test(who_may_relay),
		cmocka_unit_test(how_far_a_login_may_relay),
		cmocka_unit_test(whom_a_recipient_lets_in),
		cmocka_unit_test(a_partner_and_a_login_use_our_domains),
		cmocka_unit_test(a_login_that_is_not_ours_owns_what_it_likes),
		cmocka_unit_test(options_choose_the_hard_reply),
		cmocka_unit_test(
			where_mail_is_only_stored_the_sender_is_not_judged),
		cmocka_unit_test(who_asks_is_told_each_one_tried),
		cmocka_unit_test(modes_are_set_but_for_the_fixed),
		cmocka_unit_test(names_are_found_and_differ),
		cmocka_unit_test(the_end_of_a_mail_has_its_predicates_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
