/* tests/unit/test_receipt.c */
#include "tests/unit/wire.h"

#include "lib/receipt.h"

#define FOREIGN "Received", " from a by mx.foreign.test; Mon"
#define OWN     "Received", " from a by mx.own.test (Postfix); Mon"
#define ID      "Message-ID", " <1@a.test>"
#define DATE    "Date", " Mon, 23 Nov 2026 05:15:11 +0000"

struct mail {
	const char *header[8][2];
	const char *body;
	const char *queue_id;
};

struct key {
	bool ok;
	uint8_t octets[RECEIPT_KEY_SIZE];
};

static bool own_host(void *arg, struct span host)
{
	return span_is(host, arg);
}

/* The body goes in cut at offset at. */
static struct key key_cut(const struct mail *m, size_t at)
{
	static char own[] = "mx.own.test";
	struct receipt *r = receipt_new(own_host, own);
	struct span body = span_of(m->body);
	struct key k = { .ok = false };

	assert_non_null(r);
	for (size_t i = 0; i < 8 && m->header[i][0] != NULL; i++)
		receipt_header(r, span_of(m->header[i][0]),
			       span_of(m->header[i][1]));
	if (m->body != NULL) {
		receipt_body(r, span_head(body, at));
		receipt_body(r, span_skip(body, at));
	}
	k.ok = receipt_finish(r, span_of(m->queue_id), k.octets);
	receipt_free(&r);
	assert_null(r);
	return k;
}

static struct key key(const struct mail *m)
{
	return key_cut(m, 0);
}

static bool same(const struct key *a, const struct key *b)
{
	return memcmp(a->octets, b->octets, RECEIPT_KEY_SIZE) == 0;
}

static const struct mail usual = { { { FOREIGN }, { ID }, { DATE } },
				   "Hello\r\n\r\nBob\r\n",
				   "4F1B2C3D4E" };

static void mails_that_are_a_retry_have_one_key(void **state)
{
	static const struct mail again[] = {
		{ { { FOREIGN }, { ID }, { DATE } },
		  "Hello\r\n\r\nBob\r\n",
		  "AAAAAAAAAA" },
		/* by the other way in: own Received, line ends, no final one */
		{ { { OWN }, { FOREIGN }, { ID }, { DATE } },
		  "Hello\n\nBob\n",
		  "" },
		{ { { FOREIGN }, { OWN }, { ID }, { DATE } },
		  "Hello\n\r\nBob",
		  "" },
		{ { { "Return-Path", "<x>" },
		    { "RECEIVED", "from  a\r\n\tby mx.foreign.test;\n Mon " },
		    { "Date", "Mon, 23 Nov 2026\n 05:15:11 +0000" },
		    { "X-Spam", "no" },
		    { "message-id", "<1@a.test>" } },
		  "Hello\r\n\r\nBob\r\n",
		  "" },
	};
	struct key want = key(&usual);

	(void)state;
	assert_true(want.ok);
	for (size_t i = 0; i < COUNT(again); i++) {
		struct key k = key(&again[i]);

		assert_true(k.ok);
		if (!same(&k, &want))
			fail_msg("mail %zu has another key", i);
	}
}

static void mails_that_differ_have_different_keys(void **state)
{
	static const struct mail others[] = {
		{ { { FOREIGN }, { ID }, { DATE } },
		  "Hello\r\n\r\nBob\r\n",
		  "" },
		{ { { FOREIGN }, { ID }, { DATE } },
		  "Hello\r\n\r\nBob\r\n\r\n",
		  "" },
		{ { { FOREIGN }, { ID }, { DATE } }, "Hello\r\nBob\r\n", "" },
		{ { { FOREIGN }, { ID }, { DATE } }, "", "" },
		{ { { FOREIGN }, { ID }, { DATE } }, "\r\n", "" },
		{ { { FOREIGN }, { ID }, { DATE } }, "\r", "" },
		{ { { FOREIGN }, { ID } }, "Hello\r\n\r\nBob\r\n", "" },
		{ { { FOREIGN }, { DATE } }, "Hello\r\n\r\nBob\r\n", "" },
		{ { { ID }, { DATE } }, "Hello\r\n\r\nBob\r\n", "" },
		{ { { FOREIGN }, { FOREIGN }, { ID }, { DATE } },
		  "Hello\r\n\r\nBob\r\n",
		  "" },
		{ { { FOREIGN }, { ID }, { DATE }, { "Resent-To", "x" } },
		  "Hello\r\n\r\nBob\r\n",
		  "" },
		{ { { FOREIGN }, { ID }, { DATE }, { "Resent-To", "y" } },
		  "Hello\r\n\r\nBob\r\n",
		  "" },
		{ { { FOREIGN }, { ID }, { ID }, { DATE } },
		  "Hello\r\n\r\nBob\r\n",
		  "" },
		{ { { FOREIGN }, { "Message-ID", "<2@a.test>" }, { DATE } },
		  "Hello\r\n\r\nBob\r\n",
		  "" },
		{ { { FOREIGN }, { "Message-ID", "<1@A.test>" }, { DATE } },
		  "Hello\r\n\r\nBob\r\n",
		  "" },
	};
	struct key keys[COUNT(others)];

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		keys[i] = key(&others[i]);
		assert_true(keys[i].ok);
		for (size_t k = 0; k < i; k++)
			if (same(&keys[i], &keys[k]))
				fail_msg("mails %zu and %zu have one key", i,
					 k);
	}
}

static void a_mail_without_identity_has_no_key(void **state)
{
	static const struct mail mails[] = {
		{ { { DATE } }, "x\r\n", "" },
		{ { { OWN }, { DATE } }, "x\r\n", "" },
		{ { { "Resent-To", "bob" } }, "x\r\n", "" },
		{ { { "Message-ID", "  " } }, "x\r\n", "" },
		{ { { "Message-ID", "<2026.4F1B2C3D4E@mx>" }, { DATE } },
		  "x\r\n",
		  "4F1B2C3D4E" },
		{ { { NULL } }, NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(mails); i++)
		assert_false(key(&mails[i]).ok);
}

static void what_the_mta_added_itself_does_not_count(void **state)
{
	static const struct mail first = { { { FOREIGN },
					     { "Date", "now" },
					     { "Message-ID",
					       "<2026.4F1B2C3D4E@mx>" } },
					   "x\r\n",
					   "4F1B2C3D4E" };
	static const struct mail again = { { { "Message-ID",
					       "<2026.5A5A5A5A5A@mx>" },
					     { FOREIGN },
					     { "Date", "later" } },
					   "x\r\n",
					   "5A5A5A5A5A" };
	static const struct mail bare = { { { FOREIGN } }, "x\r\n", "" };
	struct key a = key(&first), b = key(&again), c = key(&bare);

	(void)state;
	assert_true(a.ok && b.ok && c.ok);
	assert_true(same(&a, &b) && same(&a, &c));
}

static void the_key_is_the_same_wherever_the_body_is_cut(void **state)
{
	static const struct mail mails[] = {
		{ { { ID } }, "a\r\nb\nc\rd\r\r\n\n\n\r\n.", "" },
		{ { { ID } }, "\n", "" },
		{ { { ID } }, "a\r", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(mails); i++) {
		struct key want = key(&mails[i]);

		for (size_t at = 1; at <= strlen(mails[i].body); at++) {
			struct key k = key_cut(&mails[i], at);

			assert_true(same(&k, &want));
		}
	}
}

static void a_mail_without_body_is_one_with_an_empty_body(void **state)
{
	static const struct mail none = { { { ID } }, NULL, "" };
	static const struct mail empty = { { { ID } }, "", "" };
	struct key a = key(&none), b = key(&empty);

	(void)state;
	assert_true(a.ok && b.ok && same(&a, &b));
}

static void a_huge_message_id_counts_as_any_other(void **state)
{
	static char huge[20000];
	struct mail m = { { { "Message-ID", huge }, { DATE } }, "x\r\n", "" };
	struct key a, b;

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	a = key(&m);
	huge[10000] = 'y';
	b = key(&m);
	assert_true(a.ok && b.ok);
	assert_false(same(&a, &b));
}

static void a_body_line_is_not_taken_for_a_header(void **state)
{
	static const struct mail a = { { { ID }, { "Resent-To", "x" } },
				       "",
				       "" };
	static const struct mail b = { { { ID } }, "resent-to:x\r\n", "" };
	static const struct mail c = { { { ID } }, "", "" };
	struct key x = key(&a), y = key(&b), z = key(&c);

	(void)state;
	assert_false(same(&x, &y));
	assert_false(same(&x, &z));
}

/* Stored keys must keep their meaning for the length of receipt_window, over
 * an upgrade too: whoever changes this value changes the version line. */
static void the_key_of_a_known_mail_never_changes(void **state)
{
	struct key k = key(&usual);
	char hex[2 * RECEIPT_KEY_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < RECEIPT_KEY_SIZE; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", k.octets[i]);
	assert_string_equal(hex, "869d764c0171a4bf8dac7fa500c62acd");
}

#define OWN_ID(id)                                                             \
	"Received", " by mx.own.test (Postfix)\n\tid " id "; Mon, 23 Nov 2026"

/* LMTP tells no queue id; the MTA's own line does. */
static void a_message_id_of_our_mta_counts_as_absent_without_its_queue_id(
	void **state)
{
	static const struct mail first = {
		{ { OWN_ID("4F1B2C") },
		  { FOREIGN },
		  { "Message-ID", "<20261123.4F1B2C@mx.own.test>" },
		  { DATE } },
		"x",
		""
	};
	static const struct mail again = {
		{ { FOREIGN },
		  { "Message-ID", "<20261123.77AABB@mx.own.test>" },
		  { "Date", "later" } },
		"x",
		"77AABB"
	};
	static const struct mail other = {
		{ { OWN_ID("4F1B2C") },
		  { FOREIGN },
		  { "Message-ID", "<20261123.4F1B2D@mx.own.test>" },
		  { DATE } },
		"x",
		""
	};
	/* a filter after the queue: two hops of ours */
	static const struct mail filtered = {
		{ { OWN_ID("99CCDD") },
		  { OWN_ID("4F1B2C") },
		  { FOREIGN },
		  { "Message-ID", "<20261123.4F1B2C@mx.own.test>" },
		  { DATE } },
		"x",
		""
	};
	struct key a = key(&first), b = key(&again), c = key(&other),
		   d = key(&filtered);

	(void)state;
	assert_true(a.ok && b.ok && c.ok && d.ok);
	assert_true(same(&a, &b));
	assert_false(same(&a, &c));
	assert_true(same(&a, &d));
}

static void the_queue_id_is_that_of_the_first_received_line(void **state)
{
	static const struct {
		const char *header[2][2];
		const char *id;
	} rows[] = {
		{ { { OWN_ID("4F1B2C") }, { OWN_ID("99CCDD") } }, "4F1B2C" },
		{ { { OWN_ID("4F1B2C") }, { FOREIGN } }, "4F1B2C" },
		{ { { FOREIGN }, { OWN_ID("4F1B2C") } }, "" },
		{ { { OWN }, { OWN_ID("4F1B2C") } }, "" },
		{ { { ID }, { DATE } }, "" },
	};
	static char own[] = "mx.own.test";

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct receipt *r = receipt_new(own_host, own);

		assert_non_null(r);
		for (size_t k = 0; k < 2; k++)
			receipt_header(r, span_of(rows[i].header[k][0]),
				       span_of(rows[i].header[k][1]));
		assert_text(receipt_queue_id(r), span_of(rows[i].id));
		receipt_free(&r);
	}
}

/* A try is the same mail; another mail of the same words is not. */
static void a_bare_mail_of_a_queue_is_known_again(void **state)
{
#define QUEUED(id, time)                                                       \
	{                                                                      \
		{ { OWN_ID(id) " 05:15:" time " +0000" }, { DATE } }, "x\r\n", \
			""                                                     \
	}
	static const struct mail first = QUEUED("4F1B2C", "11");
	static const struct mail other = QUEUED("4F1B2D", "11");
	static const struct mail later = QUEUED("4F1B2C", "12");
	struct key a = key(&first), b = key(&first), c = key(&other),
		   d = key(&later);

	(void)state;
	assert_true(a.ok && b.ok && c.ok && d.ok);
	assert_true(same(&a, &b));
	assert_false(same(&a, &c));
	assert_false(same(&a, &d));
}

static void the_queue_tells_when_the_mail_came(void **state)
{
	static const struct {
		const char *header[2][2];
		int64_t time;
	} rows[] = {
		{ { { OWN_ID("4F1B2C") " 05:15:11 +0000 (UTC)" }, { FOREIGN } },
		  1795410911 },
		{ { { OWN_ID("4F1B2C") " 05:15:11 +0000" },
		    { OWN_ID("4F1B2C") " 05:15:12 +0000" } },
		  1795410911 },
		{ { { OWN_ID("4F1B2C") }, { FOREIGN } }, 0 },
		{ { { FOREIGN }, { OWN_ID("4F1B2C") " 05:15:11 +0000" } }, 0 },
		{ { { ID }, { DATE } }, 0 },
	};
	static char own[] = "mx.own.test";

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct receipt *r = receipt_new(own_host, own);

		assert_non_null(r);
		for (size_t k = 0; k < 2; k++)
			receipt_header(r, span_of(rows[i].header[k][0]),
				       span_of(rows[i].header[k][1]));
		assert_int_equal(receipt_queue_time(r), rows[i].time);
		receipt_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mails_that_are_a_retry_have_one_key),
		cmocka_unit_test(mails_that_differ_have_different_keys),
		cmocka_unit_test(a_mail_without_identity_has_no_key),
		cmocka_unit_test(what_the_mta_added_itself_does_not_count),
		cmocka_unit_test(the_key_is_the_same_wherever_the_body_is_cut),
		cmocka_unit_test(a_mail_without_body_is_one_with_an_empty_body),
		cmocka_unit_test(a_huge_message_id_counts_as_any_other),
		cmocka_unit_test(a_body_line_is_not_taken_for_a_header),
		cmocka_unit_test(the_key_of_a_known_mail_never_changes),
		cmocka_unit_test(
			a_message_id_of_our_mta_counts_as_absent_without_its_queue_id),
		cmocka_unit_test(
			the_queue_id_is_that_of_the_first_received_line),
		cmocka_unit_test(a_bare_mail_of_a_queue_is_known_again),
		cmocka_unit_test(the_queue_tells_when_the_mail_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
