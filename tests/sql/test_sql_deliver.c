/* tests/sql/test_sql_deliver.c: one mail, one transaction, all its mailboxes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "tests/sql/fixture.h"
#include "tests/sql/mailing.h"

enum { FIRST_UID = 16777216 };

static struct pool *pool;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	pool = fix_pool(PROG_MILTER, 2);
	return 0;
}

static int end(void **state)
{
	pool_free(&pool);
	return fix_end(state);
}

static uint64_t status(const char *name)
{
	return fix_number("SELECT VARIABLE_VALUE FROM"
			  " information_schema.GLOBAL_STATUS"
			  " WHERE VARIABLE_NAME = '%s'",
			  name);
}

static void make(struct mailing *g, const char *text, const char *key)
{
	assert_true(mailing_make(g, span_of(text), key));
}

static void a_mail_is_in_all_its_mailboxes(void **state)
{
	uint64_t b = fix_box("all2@example.org");
	uint64_t a = fix_box("all1@example.org");
	struct mailing g;

	(void)state;
	make(&g, "Subject: x\r\n\r\nbody\r\n", "all");
	mailing_to(&g, a);
	mailing_to(&g, b);
	assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_OK);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(g.t[i].uid_r, FIRST_UID);
		assert_false(g.t[i].duplicate_r);
	}
	assert_int_equal(fix_number("SELECT COUNT(*) FROM mail"), 2);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM content"), 1);
	assert_int_equal(fix_number("SELECT refs FROM content"), 2);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM receipt"), 2);
	assert_int_equal(
		fix_number("SELECT COUNT(*) FROM mail WHERE trace = '%s' AND"
			   " uidl LIKE '%d%%' AND sender = 's@example.org' AND"
			   " LENGTH(uidl) = 17",
			   "Return-Path: <s@example.org>\r\n", FIRST_UID),
		2);
	assert_int_equal(fix_number("SELECT sha256 = REPEAT(0xa5, 32) FROM"
				    " content"),
			 1);
	mailing_check_store(0);
	mailing_release(&g);
}

/* One mail of these mailboxes costs this many round trips, once the statements
 * are prepared; the question itself is one more. Its commit is a write of the
 * log; what the server writes by itself meanwhile may add to that, so the least
 * of some mails tells. */
static void costs(const char *name, const uint64_t *id, size_t n,
		  uint64_t trips)
{
	uint64_t before, flushes, least = UINT64_MAX;
	char key[16];

	for (int i = 0; i < 12; i++) {
		struct mailing g;

		snprintf(key, sizeof(key), "%s%d", name, i);
		make(&g, "Subject: x\r\n\r\nbody\r\n", key);
		for (size_t k = 0; k < n; k++)
			mailing_to(&g, id[k]);
		flushes = status("Innodb_log_writes");
		before = status("Questions");
		assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_OK);
		if (i > 0)
			assert_int_equal(status("Questions") - before,
					 trips + 1);
		flushes = status("Innodb_log_writes") - flushes;
		least = flushes < least ? flushes : least;
		assert_int_equal(g.t[0].uid_r, FIRST_UID + (uint64_t)i);
		mailing_release(&g);
	}
	assert_int_equal(least, 1);
	mailing_check_store(0);
}

static void a_mail_to_one_mailbox_costs_one_round_trip_and_one_flush(
	void **state)
{
	uint64_t id = fix_box("trip@example.org");

	(void)state;
	costs("trip", &id, 1, 1);
}

/* Two receipts, content, chunk, two times mailbox and mail, COMMIT. */
static void a_mail_to_two_mailboxes_costs_nine_round_trips(void **state)
{
	uint64_t id[] = { fix_box("trips1@example.org"),
			  fix_box("trips2@example.org") };

	(void)state;
	costs("trips", id, 2, 9);
}

static void without_the_procedure_the_steps_store_it(void **state)
{
	uint64_t id = fix_box("steps@example.org");

	(void)state;
	fix_sql("DROP PROCEDURE deliver_plain");
	assert_int_equal(mailing_quick(pool, id, "Subject: x\r\n\r\n"),
			 FIRST_UID);
	mailing_check_store(0);
}

static void octets_of_any_value_are_kept(void **state)
{
	uint64_t id = fix_box("octets@example.org");
	struct mailing g;
	char all[512];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	assert_true(mailing_make(&g, span_make(all, sizeof(all)), NULL));
	mailing_to(&g, id);
	assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_OK);
	for (unsigned i = 0; i < sizeof(all); i++)
		assert_int_equal(
			fix_number("SELECT ORD(SUBSTRING(data, %u, 1)) FROM"
				   " chunk JOIN mail USING (content_id)"
				   " WHERE mailbox_id = %llu",
				   i + 1, (unsigned long long)id),
			i % 256);
	mailing_release(&g);
}

static void an_empty_content_has_no_chunk(void **state)
{
	uint64_t id = fix_box("empty@example.org");

	(void)state;
	assert_int_equal(mailing_quick(pool, id, ""), FIRST_UID);
	mailing_check_store(0);
}

static enum deliver_result send_copy(uint64_t id, const char *key,
				     struct deliver_target *t_r)
{
	enum deliver_result r;
	struct mailing g;

	make(&g, "Subject: copy\r\n\r\n", key);
	mailing_to(&g, id);
	r = mailing_send(&g, pool, 10000);
	*t_r = g.t[0];
	mailing_release(&g);
	return r;
}

static void a_retry_inside_the_window_stores_nothing_twice(void **state)
{
	uint64_t id = fix_box("dup@example.org");
	struct deliver_target t;

	(void)state;
	assert_int_equal(send_copy(id, "dup", &t), DELIVER_OK);
	assert_int_equal(t.uid_r, FIRST_UID);
	assert_int_equal(send_copy(id, "dup", &t), DELIVER_OK);
	assert_int_equal(t.uid_r, 0);
	assert_true(t.duplicate_r);
	assert_int_equal(send_copy(id, "other", &t), DELIVER_OK);
	assert_int_equal(t.uid_r, FIRST_UID + 1);
	mailing_check_store(0);
}

static void a_mail_without_a_key_is_never_a_duplicate(void **state)
{
	uint64_t id = fix_box("nokey@example.org");
	struct deliver_target t;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(send_copy(id, NULL, &t), DELIVER_OK);
		assert_int_equal(t.uid_r, FIRST_UID + i);
	}
}

static void an_expired_receipt_is_renewed_and_the_mail_stored(void **state)
{
	uint64_t id = fix_box("expired@example.org");
	struct deliver_target t;

	(void)state;
	assert_int_equal(send_copy(id, "expired", &t), DELIVER_OK);
	fix_sql("UPDATE receipt SET received_at = UTC_TIMESTAMP()"
		" - INTERVAL 4 DAY WHERE mailbox_id = %llu",
		(unsigned long long)id);
	assert_int_equal(send_copy(id, "expired", &t), DELIVER_OK);
	assert_true(t.duplicate_r);
	fix_sql("UPDATE receipt SET received_at = UTC_TIMESTAMP()"
		" - INTERVAL 6 DAY WHERE mailbox_id = %llu",
		(unsigned long long)id);
	assert_int_equal(send_copy(id, "expired", &t), DELIVER_OK);
	assert_false(t.duplicate_r);
	assert_int_equal(t.uid_r, FIRST_UID + 1);
	assert_int_equal(send_copy(id, "expired", &t), DELIVER_OK);
	assert_true(t.duplicate_r);
}

static void only_mailboxes_that_lack_it_get_a_retry(void **state)
{
	uint64_t a = fix_box("part1@example.org");
	uint64_t b = fix_box("part2@example.org");
	struct deliver_target t;
	struct mailing g;

	(void)state;
	assert_int_equal(send_copy(a, "part", &t), DELIVER_OK);
	make(&g, "Subject: copy\r\n\r\n", "part");
	mailing_to(&g, b);
	mailing_to(&g, a);
	assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_OK);
	assert_int_equal(g.t[0].uid_r, FIRST_UID);
	assert_false(g.t[0].duplicate_r);
	assert_int_equal(g.t[1].uid_r, 0);
	assert_true(g.t[1].duplicate_r);
	mailing_release(&g);
	mailing_check_store(0);
}

static void a_full_mailbox_takes_nothing_and_nobody_else_does(void **state)
{
	uint64_t a = fix_box("full1@example.org");
	uint64_t b = fix_box("full2@example.org");
	uint64_t size = strlen(MAILING_TRACE) + 6;
	struct mailing g;

	(void)state;
	make(&g, "1234\r\n", "full");
	mailing_to(&g, a);
	mailing_to(&g, b);
	g.t[1].quota = size - 1;
	assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_QUOTA);
	assert_non_null(strstr(buf_cstr(&g.why), "quota"));
	assert_int_equal(fix_number("SELECT COUNT(*) FROM mail WHERE"
				    " mailbox_id IN (%llu, %llu)",
				    (unsigned long long)a,
				    (unsigned long long)b),
			 0);
	/* the receipts went with it: it is taken as soon as there is room */
	g.t[1].quota = size;
	assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_OK);
	assert_int_equal(g.t[1].uid_r, FIRST_UID);
	mailing_release(&g);
	mailing_check_store(0);
}

static void a_retired_mailbox_takes_nothing_for_now(void **state)
{
	uint64_t id = fix_box("gone@example.org");
	struct mailing g;

	(void)state;
	fix_sql("UPDATE mailbox SET address = NULL WHERE mailbox_id = %llu",
		(unsigned long long)id);
	make(&g, "x\r\n", NULL);
	mailing_to(&g, id);
	g.t[0].quota = 1000000;
	assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_TEMP);
	assert_non_null(strstr(buf_cstr(&g.why), "retired"));
	mailing_release(&g);
	mailing_check_store(0);
}

static void trace_headers_too_long_for_their_column_are_told(void **state)
{
	static char trace[9000];
	uint64_t id = fix_box("trace@example.org");
	struct mailing g;

	(void)state;
	memset(trace, 'x', sizeof(trace));
	make(&g, "x\r\n", NULL);
	mailing_to(&g, id);
	g.t[0].trace = span_make(trace, 8192);
	assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_OK);
	mailing_release(&g);
	make(&g, "x\r\n", NULL);
	mailing_to(&g, id);
	g.t[0].trace = span_make(trace, 8193);
	assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_TEMP);
	assert_true(g.why.n > 0);
	mailing_release(&g);
	mailing_check_store(0);
}

/* A mail of n octets, each 256 KiB with other ones. */
static void make_big(struct mailing *g, size_t n, const char *key)
{
	static char piece[65536];

	make(g, "", key);
	for (size_t done = 0; done < n;) {
		size_t k = n - done < sizeof(piece) ? n - done : sizeof(piece);

		memset(piece, (char)('A' + done / sizeof(piece) % 26), k);
		assert_true(spool_put(g->spool, span_make(piece, k)));
		done += k;
	}
}

static void check_big(struct mailing *g, size_t n)
{
	assert_int_equal(fix_number("SELECT octets FROM content WHERE refs = 1"
				    " ORDER BY octets DESC LIMIT 1"),
			 n);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM chunk JOIN content"
				    " USING (content_id) WHERE octets = %zu"
				    " AND LENGTH(data) = 262144",
				    n),
			 n / 262144);
	for (size_t at = 0; at < n; at += 999983)
		assert_int_equal(
			fix_number("SELECT ORD(SUBSTRING(data, %zu, 1)) FROM"
				   " chunk JOIN content USING (content_id)"
				   " WHERE octets = %zu AND seq = %zu",
				   at % 262144 + 1, n, at / 262144),
			'A' + at / 65536 % 26);
	mailing_release(g);
	mailing_check_store(0);
	fix_sql("DELETE FROM mail; DELETE FROM trash; DELETE FROM chunk;"
		" DELETE FROM content; DELETE FROM mailbox");
}

static void a_big_mail_is_uploaded_while_it_arrives(void **state)
{
	enum { N = 30 * 1000 * 1000 };
	static char piece[1000000];
	uint64_t id = fix_box("big@example.org");
	struct mailing g;

	(void)state;
	make(&g, "", "big");
	for (size_t i = 0; i < N; i += sizeof(piece)) {
		for (size_t k = 0; k < sizeof(piece); k++)
			piece[k] = (char)('A' + (i + k) / 65536 % 26);
		assert_true(
			spool_put(g.spool, span_make(piece, sizeof(piece))));
		deliver_upload(pool, &g.m, deadline_in(10000));
		assert_false(g.m.upload_broken);
		assert_int_equal(g.m.uploaded,
				 (i + sizeof(piece)) / 262144 * 262144);
	}
	assert_int_equal(fix_number("SELECT refs FROM content WHERE octets = 0"
				    " AND content_id IN (SELECT content_id"
				    " FROM chunk)"),
			 0);
	mailing_to(&g, id);
	assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_OK);
	check_big(&g, N);
}

static void a_big_mail_that_was_not_uploaded_is_stored_as_well(void **state)
{
	enum { N = 5 * 1000 * 1000 };
	uint64_t id = fix_box("big2@example.org");
	struct mailing g;

	(void)state;
	make_big(&g, N, NULL);
	mailing_to(&g, id);
	assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_OK);
	check_big(&g, N);
}

static void chunk_borders_are_met_exactly(void **state)
{
	static const size_t size[] = { 262143, 262144,  262145,
				       524288, 1048576, 1048577 };

	(void)state;
	for (size_t i = 0; i < sizeof(size) / sizeof(*size); i++) {
		uint64_t id = fix_box("border@example.org");
		struct mailing g;

		make_big(&g, size[i], NULL);
		mailing_to(&g, id);
		assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_OK);
		check_big(&g, size[i]);
	}
}

/* The sweep may have taken what a stalled client left for a day. */
static void an_upload_that_was_swept_is_made_again(void **state)
{
	enum { N = 1500000 };
	uint64_t id = fix_box("swept@example.org");
	struct mailing g;

	(void)state;
	make_big(&g, N, NULL);
	deliver_upload(pool, &g.m, deadline_in(10000));
	assert_true(g.m.uploaded > 0);
	fix_sql("DELETE FROM chunk; DELETE FROM content");
	mailing_to(&g, id);
	assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_OK);
	check_big(&g, N);
}

static void a_duplicate_of_a_big_mail_leaves_its_upload_to_the_sweep(
	void **state)
{
	enum { N = 1500000 };
	uint64_t id = fix_box("bigdup@example.org");
	struct mailing g;

	(void)state;
	for (int i = 0; i < 2; i++) {
		make_big(&g, N, "bigdup");
		deliver_upload(pool, &g.m, deadline_in(10000));
		mailing_to(&g, id);
		assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_OK);
		assert_int_equal(g.t[0].duplicate_r, i);
		mailing_release(&g);
	}
	mailing_check_store(1);
	fix_sql("DELETE FROM content WHERE refs = 0; DELETE FROM chunk WHERE"
		" content_id NOT IN (SELECT content_id FROM content)");
}

static void a_lock_that_is_held_too_long_ends_at_the_deadline(void **state)
{
	uint64_t id = fix_box("held@example.org");
	struct mailing g;
	int64_t begin;

	(void)state;
	fix_sql("SET autocommit = 0; UPDATE mailbox SET octets = octets + 0,"
		" messages = messages + 0, created_at = '2001-01-01' WHERE"
		" mailbox_id = %llu",
		(unsigned long long)id);
	make(&g, "x\r\n", "held");
	mailing_to(&g, id);
	begin = clock_ms();
	assert_int_equal(mailing_send(&g, pool, 1000), DELIVER_TEMP);
	assert_true(clock_ms() - begin < 7000);
	assert_non_null(strstr(buf_cstr(&g.why), "1205"));
	fix_sql("ROLLBACK; SET autocommit = 1");
	assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_OK);
	assert_int_equal(g.t[0].uid_r, FIRST_UID);
	mailing_release(&g);
	mailing_check_store(0);
}

static void a_server_that_is_away_is_waited_for_until_the_deadline(void **state)
{
	struct pool *away;
	struct mailing g;
	int64_t begin;

	(void)state;
	fix_option_file("mailrow-lmtpd.cnf",
			"[mailrow-lmtpd]\nsocket=/nonexistent/s\n", 0600);
	away = fix_pool(PROG_LMTPD, 1);
	make(&g, "x\r\n", NULL);
	mailing_to(&g, 1);
	begin = clock_ms();
	assert_int_equal(mailing_send(&g, away, 500), DELIVER_TEMP);
	assert_true(clock_ms() - begin < 1500);
	assert_non_null(strstr(buf_cstr(&g.why), "2002"));
	pool_free(&away);
	mailing_release(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_is_in_all_its_mailboxes),
		cmocka_unit_test(
			a_mail_to_one_mailbox_costs_one_round_trip_and_one_flush),
		cmocka_unit_test(
			a_mail_to_two_mailboxes_costs_nine_round_trips),
		cmocka_unit_test(octets_of_any_value_are_kept),
		cmocka_unit_test(an_empty_content_has_no_chunk),
		cmocka_unit_test(
			a_retry_inside_the_window_stores_nothing_twice),
		cmocka_unit_test(a_mail_without_a_key_is_never_a_duplicate),
		cmocka_unit_test(
			an_expired_receipt_is_renewed_and_the_mail_stored),
		cmocka_unit_test(only_mailboxes_that_lack_it_get_a_retry),
		cmocka_unit_test(
			a_full_mailbox_takes_nothing_and_nobody_else_does),
		cmocka_unit_test(a_retired_mailbox_takes_nothing_for_now),
		cmocka_unit_test(
			trace_headers_too_long_for_their_column_are_told),
		cmocka_unit_test(a_big_mail_is_uploaded_while_it_arrives),
		cmocka_unit_test(
			a_big_mail_that_was_not_uploaded_is_stored_as_well),
		cmocka_unit_test(chunk_borders_are_met_exactly),
		cmocka_unit_test(an_upload_that_was_swept_is_made_again),
		cmocka_unit_test(
			a_duplicate_of_a_big_mail_leaves_its_upload_to_the_sweep),
		cmocka_unit_test(
			a_lock_that_is_held_too_long_ends_at_the_deadline),
		cmocka_unit_test(
			a_server_that_is_away_is_waited_for_until_the_deadline),
		cmocka_unit_test(without_the_procedure_the_steps_store_it),
	};

	return cmocka_run_group_tests(tests, start, end);
}
