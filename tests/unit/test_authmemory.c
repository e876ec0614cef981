/* tests/unit/test_authmemory.c: passwords that are remembered, and for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/memory.h"
#include "auth/weak.h"

enum { MINUTE = 60000 };

static struct memory *m;

static int start(void **state)
{
	(void)state;
	m = memory_new();
	return m ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	memory_free(&m);
	assert_null(m);
	return 0;
}

static struct addr address_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(span_of(text), true, &a), ADDR_OK);
	return a;
}

static struct login_row row_of(const char *login)
{
	struct login_row row = { .login = address_of(login),
				 .mailbox = address_of("box@example.org"),
				 .hash = "$2y$12$abc",
				 .state = { .active = true,
					    .smtp = LOGIN_OPEN,
					    .pop3 = LOGIN_OPEN },
				 .networks = "192.0.2.0/24",
				 .incarnation = "7" };

	return row;
}

static struct memory_tag tag_of(const struct login_row *row, const char *word)
{
	struct memory_tag t;

	assert_true(memory_tag(m, &row->login, span_of(word), &t));
	return t;
}

static void what_was_right_is_known_for_the_same_row_and_password(void **state)
{
	struct login_row row = row_of("bob@example.org");
	struct login_row eve = row_of("eve@example.org");
	struct memory_tag t = tag_of(&row, "secret");
	struct memory_tag wrong = tag_of(&row, "secret ");
	struct memory_tag other = tag_of(&eve, "secret");

	(void)state;
	assert_false(memory_knows(m, &t, &row, 0, 100));
	memory_put(m, &t, &row, 0, 100);
	assert_true(memory_knows(m, &t, &row, 0, 100));
	assert_false(memory_knows(m, &wrong, &row, 0, 100));
	assert_false(memory_knows(m, &other, &eve, 0, 100));
	assert_false(memory_knows(m, &other, &row, 0, 100));
}

static void each_change_of_the_row_makes_it_another(void **state)
{
	static struct login_row changed[9];
	struct login_row row = row_of("bob@example.org");
	struct memory_tag t = tag_of(&row, "changing");
	size_t n = 0;

	(void)state;
	memory_put(m, &t, &row, 0, 100);
	for (size_t i = 0; i < 9; i++)
		changed[i] = row;
	changed[n++].hash[0] = '*';
	changed[n++].networks[0] = '\0';
	changed[n++].incarnation[0] = '8';
	changed[n++].mailbox = address_of("other@example.org");
	changed[n++].state.active = false;
	changed[n++].state.expired = true;
	changed[n++].state.smtp = LOGIN_CLOSED;
	changed[n++].state.pop3 = LOGIN_TLS_ONLY;
	/* an octet that goes from one value to the next */
	changed[n].networks[strlen(row.networks) - 1] = '\0';
	memcpy(changed[n++].incarnation, "47", 3);
	for (size_t i = 0; i < n; i++)
		assert_false(memory_knows(m, &t, &changed[i], 0, 100));
	assert_true(memory_knows(m, &t, &row, 0, 100));
}

/* It may be revoked while the row stays as it is, without a hash even. */
static void an_application_password_is_not_the_rows(void **state)
{
	struct login_row row = row_of("bob@example.org");
	struct memory_tag t = tag_of(&row, "application");

	(void)state;
	row.hash[0] = '\0';
	memory_put(m, &t, &row, 42, 100);
	assert_false(memory_knows(m, &t, &row, 0, 100));
}

static void an_application_password_is_never_another_of_its_letters(
	void **state)
{
	static const char text[] = "abcde-abcde-abcde-abcde-abcde-0";
	struct login_row row = row_of("bob@example.org");
	uint8_t hash[APPPASS_HASH_SIZE], same[APPPASS_HASH_SIZE];
	struct memory_tag app, again, typed;

	(void)state;
	assert_true(apppass_hash(span_of(text), hash));
	assert_true(apppass_hash(SPAN_LIT("ABCDEABCDEABCDEABCDEABCDEO"), same));
	assert_true(memory_tag_app(m, &row.login, hash, &app));
	assert_true(memory_tag_app(m, &row.login, same, &again));
	assert_memory_equal(&app, &again, sizeof(app));
	typed = tag_of(&row, text);
	assert_memory_not_equal(&app, &typed, sizeof(app));
	assert_true(memory_tag(m, &row.login, span_make(hash, sizeof(hash)),
			       &typed));
	assert_memory_not_equal(&app, &typed, sizeof(app));
}

static void what_is_wrong_now_is_forgotten(void **state)
{
	struct login_row row = row_of("bob@example.org"), told;
	struct memory_tag t = tag_of(&row, "forgotten");
	struct memory_tag other = tag_of(&row, "kept");
	uint64_t app;

	(void)state;
	memory_put(m, &t, &row, 0, 100);
	memory_put(m, &other, &row, 0, 100);
	memory_forget(m, &t);
	memory_forget(m, &t);
	assert_false(memory_recall(m, &t, &row.login, 0, &told, &app));
	assert_true(memory_recall(m, &other, &row.login, 0, &told, &app));
}

static void it_is_forgotten_after_a_while_without_logins(void **state)
{
	struct login_row row = row_of("bob@example.org");
	struct memory_tag t = tag_of(&row, "timed");
	int64_t now = 100 * MINUTE;

	(void)state;
	memory_put(m, &t, &row, 0, now);
	for (int i = 0; i < 5; i++, now += 9 * MINUTE)
		assert_true(memory_knows(m, &t, &row, now - 10 * MINUTE, now));
	/* the last one was 9 minutes before now */
	assert_true(memory_knows(m, &t, &row, now - 10 * MINUTE, now));
	now += 10 * MINUTE;
	assert_false(memory_knows(m, &t, &row, now - 10 * MINUTE, now));
}

static void without_a_row_it_says_what_the_row_said(void **state)
{
	struct login_row row = row_of("bob@example.org"), told;
	struct memory_tag t = tag_of(&row, "recalled");
	uint64_t app = 0;

	(void)state;
	row.state.pop3 = LOGIN_TLS_ONLY;
	memory_put(m, &t, &row, 42, 1000);
	assert_false(memory_recall(m, &t, &row.login, 1000, &told, &app));
	assert_true(memory_recall(m, &t, &row.login, 999, &told, &app));
	assert_int_equal(app, 42);
	assert_string_equal(told.login.text, "bob@example.org");
	assert_string_equal(told.mailbox.text, "box@example.org");
	assert_string_equal(addr_domain(&told.mailbox).p, "example.org");
	assert_string_equal(told.networks, "192.0.2.0/24");
	assert_string_equal(told.incarnation, "7");
	assert_string_equal(told.hash, "");
	assert_true(told.state.active && !told.state.expired);
	assert_int_equal(told.state.smtp, LOGIN_OPEN);
	assert_int_equal(told.state.pop3, LOGIN_TLS_ONLY);
}

static void of_a_login_it_says_whether_it_has_any(void **state)
{
	struct login_row row = row_of("owner@example.org");
	struct login_row eve = row_of("stranger@example.org");
	struct memory_tag t = tag_of(&row, "owned");

	(void)state;
	assert_false(memory_has(m, &row.login, 0));
	memory_put(m, &t, &row, 0, 1000);
	assert_true(memory_has(m, &row.login, 999));
	assert_false(memory_has(m, &row.login, 1000));
	assert_false(memory_has(m, &eve.login, 0));
	memory_forget(m, &t);
	assert_false(memory_has(m, &row.login, 0));
}

/* More than it holds: it stays as large as it is, and the latest are there. */
static void the_oldest_make_room(void **state)
{
	struct login_row row = row_of("bob@example.org");
	struct memory_tag t;
	unsigned known = 0;
	char word[20];

	(void)state;
	/* that nine of the last 256 meet in a set does not happen */
	for (int i = 0; i < MEMORY_PLACES * 2; i++) {
		snprintf(word, sizeof(word), "p%d", i);
		t = tag_of(&row, word);
		memory_put(m, &t, &row, 0, 1000 + i);
	}
	for (int i = 0; i < MEMORY_PLACES * 2; i++) {
		snprintf(word, sizeof(word), "p%d", i);
		t = tag_of(&row, word);
		if (memory_knows(m, &t, &row, 0, 1000 + i))
			known++;
		else
			assert_true(i < MEMORY_PLACES * 2 - MEMORY_PLACES / 64);
	}
	assert_true(known <= MEMORY_PLACES);
	assert_true(known > MEMORY_PLACES * 9 / 10);
}

static void another_memory_has_another_key(void **state)
{
	struct login_row row = row_of("bob@example.org");
	struct memory_tag t = tag_of(&row, "secret"), there;
	struct memory *other = memory_new();

	(void)state;
	assert_non_null(other);
	assert_true(memory_tag(other, &row.login, SPAN_LIT("secret"), &there));
	assert_memory_not_equal(t.octet, there.octet, sizeof(t.octet));
	memory_free(&other);
}

static void schemes_that_are_fast_are_weak(void **state)
{
	static const char *const weak[] = {
		"",
		"5f4dcc3b5aa765d61d8327deb882cf99",
		"{PLAIN}x",
		"{CLEARTEXT}x",
		"{SSHA}abc=",
		"{SSHA512}abc=",
		"{MD5}$1$salt$hash",
		"$1$salt$hash",
		"ab01FAX.bQRSU",
		"{PLAIN-MD5}00",
		"{DES-CRYPT}ab01FAX.bQRSU",
		"{SHA256}abc=",
		"{CRYPT}$1$salt$hash",
		"{SMD5}$2y$",
	};
	static const char *const strong[] = {
		"$y$j9T$abc$def",
		"$2y$12$abc",
		"{BLF-CRYPT}$2y$12$abc",
		"{CRYPT}$6$salt$hash",
		"{SHA512-CRYPT}$6$salt$hash",
		"{SHA512-CRYPT.B64}JDYk",
		"{ARGON2ID}$argon2id$v=19",
		"$argon2i$v=19",
		"{PBKDF2}$1$salt$5000$hash",
		"{SCRAM-SHA-256}4096,a,b,c",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(weak) / sizeof(*weak); i++)
		if (!weak_hash(span_of(weak[i])))
			fail_msg("%s", weak[i]);
	for (size_t i = 0; i < sizeof(strong) / sizeof(*strong); i++)
		if (weak_hash(span_of(strong[i])))
			fail_msg("%s", strong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_was_right_is_known_for_the_same_row_and_password),
		cmocka_unit_test(each_change_of_the_row_makes_it_another),
		cmocka_unit_test(an_application_password_is_not_the_rows),
		cmocka_unit_test(
			an_application_password_is_never_another_of_its_letters),
		cmocka_unit_test(what_is_wrong_now_is_forgotten),
		cmocka_unit_test(it_is_forgotten_after_a_while_without_logins),
		cmocka_unit_test(without_a_row_it_says_what_the_row_said),
		cmocka_unit_test(of_a_login_it_says_whether_it_has_any),
		cmocka_unit_test(the_oldest_make_room),
		cmocka_unit_test(another_memory_has_another_key),
		cmocka_unit_test(schemes_that_are_fast_are_weak),
	};

	return cmocka_run_group_tests(tests, start, end);
}
