#include "auth/digest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "lib/base64.h"

/* Feeds octets, as base64. */
static enum mech_step feed(struct mech *m, struct span octets,
			   struct span *challenge_r)
{
	struct buf text = BUF_INIT(32768);
	enum mech_step step;

	base64_encode(octets, &text);
	assert_true(buf_ok(&text));
	step = mech_feed(m, true, buf_span(&text), challenge_r);
	buf_release(&text);
	return step;
}

static void assert_found(const struct mech *m, const char *user,
			 const char *secret)
{
	assert_true(span_is(buf_span(&m->user), user));
	assert_true(span_is(buf_span(&m->secret), secret));
}

static void plain_takes_an_initial_response(void **state)
{
	struct span challenge;
	struct mech m;

	(void)state;
	mech_init(&m, MECH_PLAIN);
	assert_int_equal(feed(&m, SPAN_LIT("\0bob@x\0secret"), &challenge),
			 MECH_DONE);
	assert_found(&m, "bob@x", "secret");
	mech_forget_secret(&m);
	assert_found(&m, "bob@x", "");
	mech_release(&m);
	assert_found(&m, "", "");
}

static void without_one_the_client_is_asked_once(void **state)
{
	static const struct {
		enum auth_mech mech;
		const char *challenge;
		enum mech_step step;
	} row[] = {
		{ MECH_PLAIN, "", MECH_ASK },
		{ MECH_LOGIN, "VXNlcm5hbWU6", MECH_ASK },
		{ MECH_APOP, "", MECH_BAD },
		{ MECH_CRAM_MD5, "", MECH_BAD },
		{ MECH_NONE, "", MECH_BAD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct span challenge;
		struct mech m;

		mech_init(&m, row[i].mech);
		assert_int_equal(mech_feed(&m, false, SPAN_EMPTY, &challenge),
				 row[i].step);
		assert_true(span_is(challenge, row[i].challenge));
		assert_int_equal(mech_feed(&m, false, SPAN_EMPTY, &challenge),
				 MECH_BAD);
		mech_release(&m);
	}
}

static void login_asks_for_name_and_password(void **state)
{
	(void)state;
	for (int initial = 0; initial < 2; initial++) {
		struct span challenge;
		struct mech m;

		mech_init(&m, MECH_LOGIN);
		if (!initial)
			assert_int_equal(
				mech_feed(&m, false, SPAN_EMPTY, &challenge),
				MECH_ASK);
		assert_int_equal(feed(&m, SPAN_LIT("bob@x"), &challenge),
				 MECH_ASK);
		assert_true(span_is(challenge, "UGFzc3dvcmQ6"));
		assert_int_equal(feed(&m, SPAN_LIT("secret"), &challenge),
				 MECH_DONE);
		assert_found(&m, "bob@x", "secret");
		mech_release(&m);
	}
}

static void digests_have_challenge_name_and_digest(void **state)
{
	static const enum auth_mech mechs[] = { MECH_APOP, MECH_CRAM_MD5 };
	struct span challenge;
	struct mech m;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		mech_init(&m, mechs[i]);
		assert_int_equal(feed(&m,
				      SPAN_LIT("<1@x>\0bob@x\0"
					       "0123\0"
					       "56789abcdef"),
				      &challenge),
				 MECH_DONE);
		assert_true(span_is(buf_span(&m.challenge), "<1@x>"));
		assert_true(span_is(buf_span(&m.user), "bob@x"));
		assert_true(
			span_eq(buf_span(&m.secret), SPAN_LIT("0123\0"
							      "56789abcdef")));
		mech_release(&m);
	}
}

/* The examples of RFC 1939 s.7 and RFC 2195 s.2. */
static const struct {
	enum auth_mech mech;
	const char *challenge, *password;
	uint8_t digest[MECH_DIGEST_SIZE];
} known[] = {
	{ MECH_APOP,
	  "<1896.697170952@dbc.mtview.ca.us>",
	  "{PLAIN}tanstaaf",
	  { 0xc4, 0xc9, 0x33, 0x4b, 0xac, 0x56, 0x0e, 0xcc, 0x97, 0x9e, 0x58,
	    0x00, 0x1b, 0x3e, 0x22, 0xfb } },
	{ MECH_CRAM_MD5,
	  "<1896.697170952@postoffice.reston.mci.net>",
	  "{PLAIN}tanstaaftanstaaf",
	  { 0xb9, 0x13, 0xa6, 0x02, 0xc7, 0xed, 0xa7, 0xa4, 0x95, 0xb4, 0xe6,
	    0xe7, 0x33, 0x4d, 0x38, 0x90 } },
};

static enum pwhash_result verify(size_t i, size_t turned, const char *stored)
{
	enum pwhash_result r;
	struct mech m;

	mech_init(&m, known[i].mech);
	buf_puts(&m.challenge, known[i].challenge);
	buf_put(&m.secret, known[i].digest, MECH_DIGEST_SIZE);
	if (turned < MECH_DIGEST_SIZE)
		m.secret.p[turned] ^= 1;
	assert_true(digest_applies(&m));
	r = digest_verify(&m, span_of(stored));
	mech_release(&m);
	return r;
}

static void the_rfcs_digests_are_right_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(verify(i, SIZE_MAX, known[i].password),
				 PWHASH_OK);
		for (size_t k = 0; k < MECH_DIGEST_SIZE; k++)
			assert_int_equal(verify(i, k, known[i].password),
					 PWHASH_WRONG);
		assert_int_equal(verify(i, SIZE_MAX, "{PLAIN}tanstaaF"),
				 PWHASH_WRONG);
		assert_int_equal(verify(i, SIZE_MAX, "{PLAIN}"), PWHASH_WRONG);
		assert_int_equal(verify(i, SIZE_MAX, "{SHA256}x"),
				 PWHASH_WRONG);
	}
}

static void malformed_messages_are_bad(void **state)
{
	static const struct {
		enum auth_mech mech;
		struct span message;
	} row[] = {
		{ MECH_PLAIN, { "", 0 } },
		{ MECH_PLAIN, { "bob", 3 } },
		{ MECH_PLAIN, { "\0bob", 4 } },
		{ MECH_PLAIN, { "\0bob\0", 5 } },
		{ MECH_PLAIN, { "\0\0secret", 8 } },
		{ MECH_PLAIN, { "\0bob\0secret\0", 12 } },
		{ MECH_PLAIN, { "eve\0bob\0secret", 14 } },
		{ MECH_LOGIN, { "", 0 } },
		{ MECH_LOGIN, { "bob\0x", 5 } },
		{ MECH_APOP, { "<1@x>", 5 } },
		{ MECH_APOP, { "<1@x>\0bob\0short", 15 } },
		{ MECH_APOP,
		  { "<1@x>\0bob\0"
		    "0123456789abcdefg",
		    27 } },
		{ MECH_APOP,
		  { "<1@x>\0\0"
		    "0123456789abcdef",
		    23 } },
		{ MECH_APOP,
		  { "\0bob\0"
		    "0123456789abcdef",
		    21 } },
		{ MECH_NONE, { "\0bob\0secret", 11 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct span challenge;
		struct mech m;

		mech_init(&m, row[i].mech);
		if (feed(&m, row[i].message, &challenge) != MECH_BAD)
			fail_msg("taken: row %zu", i);
		mech_release(&m);
	}
}

static void what_is_no_base64_is_bad(void **state)
{
	static const char *const bad[] = { "!", "AGJvYgBz=", "AGJvYgBz ",
					   "AGJvYg", "*" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct span challenge;
		struct mech m;

		mech_init(&m, MECH_PLAIN);
		assert_int_equal(
			mech_feed(&m, true, span_of(bad[i]), &challenge),
			MECH_BAD);
		mech_release(&m);
	}
}

static void names_and_passwords_have_a_longest(void **state)
{
	static const struct {
		size_t user, password;
		enum mech_step step;
	} row[] = {
		{ AUTHPROTO_NAME_MAX, AUTHPROTO_SECRET_MAX, MECH_DONE },
		{ AUTHPROTO_NAME_MAX + 1, AUTHPROTO_SECRET_MAX, MECH_BAD },
		{ AUTHPROTO_NAME_MAX, AUTHPROTO_SECRET_MAX + 1, MECH_BAD },
	};
	char text[AUTHPROTO_SECRET_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct buf plain = BUF_INIT(4096);
		enum mech_step step;
		struct span challenge;
		struct mech m;

		buf_putc(&plain, '\0');
		buf_put(&plain, text, row[i].user);
		buf_putc(&plain, '\0');
		buf_put(&plain, text, row[i].password);
		mech_init(&m, MECH_PLAIN);
		assert_int_equal(feed(&m, buf_span(&plain), &challenge),
				 row[i].step);
		mech_release(&m);
		buf_release(&plain);

		mech_init(&m, MECH_LOGIN);
		step = feed(&m, span_make(text, row[i].user), &challenge);
		if (step == MECH_ASK)
			step = feed(&m, span_make(text, row[i].password),
				    &challenge);
		assert_int_equal(step, row[i].step);
		mech_release(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_takes_an_initial_response),
		cmocka_unit_test(without_one_the_client_is_asked_once),
		cmocka_unit_test(login_asks_for_name_and_password),
		cmocka_unit_test(digests_have_challenge_name_and_digest),
		cmocka_unit_test(the_rfcs_digests_are_right_and_no_other),
		cmocka_unit_test(malformed_messages_are_bad),
		cmocka_unit_test(what_is_no_base64_is_bad),
		cmocka_unit_test(names_and_passwords_have_a_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
