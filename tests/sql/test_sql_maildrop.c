/* tests/sql/test_sql_maildrop.c: what POP3 reads and moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "sql/maildrop.h"
#include "tests/sql/fixture.h"
#include "tests/sql/mailing.h"

static struct pool *milter, *pop3;
static struct db *db;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	milter = fix_pool(PROG_MILTER, 1);
	pop3 = fix_pool(PROG_POP3D, 1);
	db = pool_get(pop3, deadline_in(1000));
	return 0;
}

static int end(void **state)
{
	pool_put(pop3, &db);
	pool_free(&pop3);
	pool_free(&milter);
	return fix_end(state);
}

struct listed {
	size_t n, most;
	uint64_t uid[64], octets[64];
	char uidl[64][80];
};

static bool take(void *arg, const struct maildrop_entry *e)
{
	struct listed *l = arg;

	if (l->n < 64) {
		l->uid[l->n] = e->uid;
		l->octets[l->n] = e->octets;
		snprintf(l->uidl[l->n], sizeof(l->uidl[0]), "%.*s",
			 (int)e->uidl.n, e->uidl.p);
	}
	l->n++;
	return l->most == 0 || l->n < l->most;
}

static uint64_t open_box(const char *address, const char *incarnation,
			 size_t max, struct listed *l, bool *more)
{
	struct maildrop_box box = { .mailbox_id = 99 };

	*l = (struct listed){ 0 };
	if (maildrop_open(db, span_of(address), span_of(incarnation), false,
			  max, take, l, &box) != DB_OK)
		fail_msg("%s", db_why(db));
	*more = box.more;
	return box.mailbox_id;
}

static void the_list_is_ascending_and_has_octets_and_uidl(void **state)
{
	uint64_t id = fix_box("list@example.org");
	uint64_t other = fix_box("list2@example.org");
	struct listed l;
	bool more;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(mailing_quick(milter, id, "one\r\n") > 0);
		assert_true(mailing_quick(milter, other, "foreign\r\n") > 0);
	}
	assert_true(open_box("list@example.org", "", 100, &l, &more) == id);
	assert_int_equal(l.n, 3);
	assert_false(more);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(l.uid[i], 16777216 + i);
		assert_int_equal(l.octets[i], strlen(MAILING_TRACE) + 5);
		assert_string_equal(
			l.uidl[i],
			fix_text("SELECT uidl FROM mail WHERE mailbox_id = %llu"
				 " AND uid = %llu",
				 (unsigned long long)id,
				 (unsigned long long)l.uid[i]));
	}
}

static void pages_join_without_gap_or_overlap(void **state)
{
	uint64_t id = fix_box("page@example.org");
	struct listed l;
	uint64_t last;
	bool more;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(mailing_quick(milter, id, "x\r\n") > 0);
	open_box("page@example.org", "", 2, &l, &more);
	assert_int_equal(l.n, 2);
	assert_true(more);
	last = l.uid[1];
	l = (struct listed){ 0 };
	assert_int_equal(maildrop_list(db, id, false, last, 2, take, &l, &more),
			 DB_OK);
	assert_int_equal(l.n, 2);
	assert_true(more);
	assert_int_equal(l.uid[0], last + 1);
	last = l.uid[1];
	l = (struct listed){ 0 };
	assert_int_equal(maildrop_list(db, id, false, last, 2, take, &l, &more),
			 DB_OK);
	assert_int_equal(l.n, 1);
	assert_false(more);
	/* who has enough may stop, and the connection is usable again */
	l = (struct listed){ .most = 1 };
	assert_int_equal(maildrop_list(db, id, false, 0, 100, take, &l, &more),
			 DB_OK);
	assert_int_equal(l.n, 1);
	open_box("page@example.org", "", 100, &l, &more);
	assert_int_equal(l.n, 5);
}

static void an_empty_and_a_missing_mailbox_are_told_apart(void **state)
{
	uint64_t id = fix_box("none@example.org");
	struct listed l;
	bool more;

	(void)state;
	assert_true(open_box("none@example.org", "", 10, &l, &more) == id);
	assert_int_equal(l.n, 0);
	assert_false(more);
	assert_true(open_box("no@example.org", "", 10, &l, &more) == 0);
	assert_int_equal(l.n, 0);
}

static void mail_of_a_former_account_is_not_shown(void **state)
{
	uint64_t id = fix_box("former@example.org");
	struct listed l;
	bool more;

	(void)state;
	assert_true(mailing_quick(milter, id, "x\r\n") > 0);
	fix_sql("UPDATE mailbox SET incarnation = '1' WHERE mailbox_id = %llu",
		(unsigned long long)id);
	assert_true(open_box("former@example.org", "2", 10, &l, &more) == 0);
	assert_int_equal(l.n, 0);
	assert_true(open_box("former@example.org", "1", 10, &l, &more) == id);
	assert_int_equal(l.n, 1);
	assert_true(open_box("former@example.org", "", 10, &l, &more) == id);
	assert_int_equal(l.n, 1);
}

/* Reads a mail in pieces of at most limit. */
static void read_whole(uint64_t id, uint64_t uid, uint64_t limit,
		       struct buf *out)
{
	struct maildrop_mail m = { 0 };
	bool got = true;
	size_t pieces = 0;

	do {
		size_t before = out->n;

		if (maildrop_read(db, id, uid, out->n, limit, &m, out, &got) !=
		    DB_OK)
			fail_msg("%s", db_why(db));
		assert_true(got);
		assert_int_equal(m.trace_octets, strlen(MAILING_TRACE));
		if (limit > 0)
			assert_true(out->n - before <= limit);
		assert_true(out->n > before);
		assert_true(++pieces < 2000);
	} while (out->n < m.octets);
	assert_int_equal(out->n, m.octets);
}

static uint64_t store(uint64_t id, struct span text)
{
	struct mailing g;
	uint64_t uid;

	assert_true(mailing_make(&g, text, NULL));
	mailing_to(&g, id);
	assert_int_equal(mailing_send(&g, milter, 20000), DELIVER_OK);
	uid = g.t[0].uid_r;
	mailing_release(&g);
	return uid;
}

static char *make_text(size_t n)
{
	char *p = malloc(n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 7 + i / 251);
	return p;
}

static void a_mail_comes_back_octet_by_octet_in_any_pieces(void **state)
{
	static const size_t size[] = { 0, 1, 700, 262144, 262145, 700000 };
	static const uint64_t limit[] = { 0, 31, 4096, 65536, 100000, 262144 };
	uint64_t id = fix_box("read@example.org");

	(void)state;
	for (size_t i = 0; i < sizeof(size) / sizeof(*size); i++) {
		char *text = make_text(size[i]);
		uint64_t uid = store(id, span_make(text, size[i]));

		for (size_t k = 0; k < sizeof(limit) / sizeof(*limit); k++) {
			struct buf out = BUF_INIT(1 << 24);

			if (limit[k] == 31 && size[i] > 10000)
				continue;
			read_whole(id, uid, limit[k], &out);
			assert_memory_equal(out.p, MAILING_TRACE,
					    strlen(MAILING_TRACE));
			assert_memory_equal(out.p + strlen(MAILING_TRACE), text,
					    size[i]);
			buf_release(&out);
		}
		free(text);
	}
}

static void reading_at_the_end_gives_nothing_and_the_length(void **state)
{
	uint64_t id = fix_box("end@example.org");
	uint64_t uid = store(id, SPAN_LIT("12345\r\n"));
	struct buf out = BUF_INIT(1000);
	struct maildrop_mail m;
	bool got;

	(void)state;
	assert_int_equal(maildrop_read(db, id, uid, strlen(MAILING_TRACE) + 7,
				       0, &m, &out, &got),
			 DB_OK);
	assert_true(got);
	assert_int_equal(out.n, 0);
	assert_int_equal(m.octets, strlen(MAILING_TRACE) + 7);
	assert_int_equal(maildrop_read(db, id + 1, uid, 0, 0, &m, &out, &got),
			 DB_OK);
	assert_false(got);
	buf_release(&out);
}

static void a_mail_in_the_trash_can_still_be_read(void **state)
{
	uint64_t id = fix_box("trash@example.org"), moved;
	uint64_t uid = store(id, SPAN_LIT("12345\r\n"));
	struct buf out = BUF_INIT(1000);

	(void)state;
	assert_int_equal(maildrop_move(db, id, &uid, 1, SPAN_LIT("who"),
				       SPAN_LIT("::1"), NULL, &moved),
			 DB_OK);
	assert_int_equal(moved, 1);
	read_whole(id, uid, 0, &out);
	assert_string_equal(buf_cstr(&out), MAILING_TRACE "12345\r\n");
	buf_release(&out);
}

static void a_mail_whose_chunk_is_gone_is_damage_not_an_end(void **state)
{
	uint64_t id = fix_box("damage@example.org");
	char *text = make_text(300000);
	uint64_t uid = store(id, span_make(text, 300000));
	struct buf out = BUF_INIT(1 << 20);
	struct maildrop_mail m;
	bool got;

	(void)state;
	fix_sql("DELETE FROM chunk WHERE seq = 1 AND content_id = (SELECT"
		" content_id FROM mail WHERE mailbox_id = %llu)",
		(unsigned long long)id);
	assert_int_equal(maildrop_read(db, id, uid, 0, 0, &m, &out, &got),
			 DB_OK);
	assert_int_equal(maildrop_read(db, id, uid,
				       strlen(MAILING_TRACE) + 262144, 0, &m,
				       &out, &got),
			 DB_OK);
	assert_true(got && m.damaged);
	fix_sql("DELETE FROM mail WHERE mailbox_id = %llu;"
		" DELETE FROM mailbox WHERE mailbox_id = %llu;"
		" DELETE FROM content WHERE octets = 300000; DELETE FROM chunk"
		" WHERE content_id NOT IN (SELECT content_id FROM content)",
		(unsigned long long)id, (unsigned long long)id);
	buf_release(&out);
	free(text);
}

struct many {
	size_t n;
	uint64_t uid[64];
	struct buf text;
};

static bool take_many(void *arg, const struct maildrop_mail *m,
		      struct span trace, struct span data)
{
	struct many *many = arg;

	many->uid[many->n++] = m->uid;
	buf_put_span(&many->text, trace);
	buf_put_span(&many->text, data);
	buf_putc(&many->text, '|');
	return many->n < 64;
}

static void several_mails_come_in_one_question(void **state)
{
	uint64_t id = fix_box("many@example.org"), uid[40];
	struct many many = { .text = BUF_INIT(1 << 20) };
	struct buf want = BUF_INIT(1 << 20);

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		char text[32];

		snprintf(text, sizeof(text), "mail %zu\r\n", i);
		uid[i] = store(id, span_of(text));
		if (i == 3 || i == 20)
			uid[i] += 5000000;
		else
			buf_printf(&want, MAILING_TRACE "%s|", text);
	}
	assert_int_equal(
		maildrop_read_many(db, id, uid, 40, 0, take_many, &many),
		DB_OK);
	assert_int_equal(many.n, 38);
	assert_string_equal(buf_cstr(&many.text), buf_cstr(&want));

	many.n = 0;
	buf_reset(&many.text);
	assert_int_equal(
		maildrop_read_many(db, id, uid, 1, 34, take_many, &many),
		DB_OK);
	assert_int_equal(many.text.n, 35);
	many.n = 0;
	buf_reset(&many.text);
	assert_int_equal(
		maildrop_read_many(db, id, uid, 1, 10, take_many, &many),
		DB_OK);
	assert_string_equal(buf_cstr(&many.text), "Return-Pat|");
	buf_release(&many.text);
	buf_release(&want);
}

/* Whose chunk is missing, empty, cut short, or has lost one octet. */
static void a_damaged_mail_costs_none_of_its_neighbours(void **state)
{
	static const char *const damage[] = {
		"DELETE", "UPDATE chunk SET data = ''",
		"UPDATE chunk SET data = SUBSTRING(data, 1, 3)",
		"UPDATE chunk SET data = SUBSTRING(data, 2)"
	};
	uint64_t id = fix_box("partly@example.org"), uid[5];
	struct many many = { .text = BUF_INIT(1 << 20) };
	struct buf out = BUF_INIT(1 << 20);
	struct maildrop_mail m;
	bool got;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		uid[i] = store(id, SPAN_LIT("a mail\r\n"));
	for (size_t i = 0; i < 4; i++) {
		fix_sql("%s%s WHERE content_id = (SELECT content_id FROM mail"
			" WHERE mailbox_id = %llu AND uid = %llu)",
			damage[i], i ? "" : " FROM chunk",
			(unsigned long long)id, (unsigned long long)uid[i]);
		assert_int_equal(
			maildrop_read(db, id, uid[i], 0, 0, &m, &out, &got),
			DB_OK);
		assert_true(got && m.damaged);
		assert_int_equal(out.n, 0);
	}
	assert_int_equal(
		maildrop_read_many(db, id, uid, 5, 0, take_many, &many), DB_OK);
	assert_int_equal(many.n, 5);
	assert_string_equal(buf_cstr(&many.text),
			    "||||" MAILING_TRACE "a mail\r\n|");
	/* its trace is there */
	assert_int_equal(maildrop_read(db, id, uid[0], 0, 10, &m, &out, &got),
			 DB_OK);
	assert_true(got && !m.damaged && out.n == 10);
	fix_sql("DELETE FROM mail WHERE mailbox_id = %llu;"
		" DELETE FROM mailbox WHERE mailbox_id = %llu;"
		" DELETE FROM chunk WHERE content_id NOT IN (SELECT content_id"
		" FROM mail UNION SELECT content_id FROM trash);"
		" DELETE FROM content WHERE content_id NOT IN (SELECT"
		" content_id FROM mail UNION SELECT content_id FROM trash)",
		(unsigned long long)id, (unsigned long long)id);
	buf_release(&many.text);
	buf_release(&out);
}

static void rule_35_what_is_moved_leaves_the_counters(void **state)
{
	uint64_t id = fix_box("move@example.org"), uid[40], moved;

	(void)state;
	for (size_t i = 0; i < 40; i++)
		uid[39 - i] = store(id, SPAN_LIT("x\r\n"));
	assert_int_equal(maildrop_move(db, id, uid, 35,
				       SPAN_LIT("move@example.org"),
				       SPAN_LIT("192.0.2.1"), NULL, &moved),
			 DB_OK);
	assert_int_equal(moved, 35);
	assert_int_equal(fix_number("SELECT messages FROM mailbox WHERE"
				    " mailbox_id = %llu",
				    (unsigned long long)id),
			 5);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM trash WHERE"
				    " mailbox_id = %llu AND deleted_by ="
				    " 'move@example.org' AND deleted_from ="
				    " '192.0.2.1' AND deleted_at >="
				    " UTC_TIMESTAMP() - INTERVAL 1 MINUTE",
				    (unsigned long long)id),
			 35);
	mailing_check_store(0);
	/* what is gone counts as done */
	assert_int_equal(maildrop_move(db, id, uid, 40, SPAN_LIT("w"),
				       SPAN_LIT("f"), NULL, &moved),
			 DB_OK);
	assert_int_equal(moved, 5);
	assert_int_equal(maildrop_move(db, id, uid, 40, SPAN_LIT("w"),
				       SPAN_LIT("f"), NULL, &moved),
			 DB_OK);
	assert_int_equal(moved, 0);
	assert_int_equal(maildrop_move(db, id + 1000, uid, 40, SPAN_LIT("w"),
				       SPAN_LIT("f"), NULL, &moved),
			 DB_OK);
	assert_int_equal(moved, 0);
	mailing_check_store(0);
}

static void a_wrong_counter_does_not_keep_mail_from_going(void **state)
{
	uint64_t id = fix_box("wrong@example.org"), moved;
	uint64_t uid = store(id, SPAN_LIT("x\r\n"));

	(void)state;
	fix_sql("UPDATE mailbox SET messages = 0, octets = 3"
		" WHERE mailbox_id = %llu",
		(unsigned long long)id);
	assert_int_equal(maildrop_move(db, id, &uid, 1, SPAN_LIT("w"),
				       SPAN_LIT("f"), NULL, &moved),
			 DB_OK);
	assert_int_equal(moved, 1);
	mailing_check_store(0);
}

/* Each with and without the line; the trace comes before. */
static void rule_10_a_header_without_its_empty_line_counts_it(void **state)
{
	static const struct {
		struct span text;
		uint64_t more;
	} rows[] = {
		{ SPAN_INIT("A: b\r\n\r\nbody\r\n"), 0 },
		{ SPAN_INIT("A: b\r\n\r\n"), 0 },
		{ SPAN_INIT("\r\n"), 0 },
		{ SPAN_INIT("A: b\r\nC: d\r\n"), 2 },
	};
	uint64_t id = fix_box("blank@example.org");
	struct listed l;
	bool more;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		(void)store(id, rows[i].text);
	/* what tells is how much of it is header, as the delivery writes it */
	fix_sql("UPDATE content JOIN mail USING (content_id)"
		" SET header_octets = IF(content.octets = 14, 8, "
		"content.octets)"
		" WHERE mailbox_id = %llu",
		(unsigned long long)id);
	l = (struct listed){ 0 };
	assert_int_equal(maildrop_list(db, id, true, 0, 10, take, &l, &more),
			 DB_OK);
	assert_int_equal(l.n, sizeof(rows) / sizeof(*rows));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(l.octets[i], strlen(MAILING_TRACE) +
						      rows[i].text.n +
						      rows[i].more);
}

/* The mailbox is made the only large one, so that scans would show. */
static void lists_are_fast_and_read_the_narrow_index_only(void **state)
{
	uint64_t id = fix_box("fast@example.org");
	struct listed l;
	int64_t begin;
	bool more;

	(void)state;
	fix_sql("INSERT INTO mail SELECT %llu, 16777216 + seq,"
		" UNHEX(MD5(seq)), REPEAT('t', 500), 1000,"
		" CONCAT(seq, '.abcdefgh'), 's', NOW() FROM seq_1_to_100000;"
		" ANALYZE TABLE mail",
		(unsigned long long)id);
	begin = clock_ms();
	assert_true(open_box("fast@example.org", "", 200000, &l, &more) == id);
	assert_int_equal(l.n, 100000);
	print_message("100000 mails listed in %lld ms\n",
		      (long long)(clock_ms() - begin));
	assert_true(clock_ms() - begin < 5000);
	fix_explain(Q_DROP_OPEN,
		    "'fast@example.org' 'example.org' 30 'fast@example.org'"
		    " 'fast@example.org' 1000",
		    "listing");
	fix_explain(Q_DROP_OPEN,
		    "'none@example.org' 'example.org' 30 'none@example.org'"
		    " 'none@example.org' 1000",
		    "listing");
	fix_explain(Q_DROP_LIST, "5 16777300 1000", "listing");
	fix_explain(Q_DROP_OPEN_BLANK,
		    "'fast@example.org' 'example.org' 30 'fast@example.org'"
		    " 'fast@example.org' 1000",
		    "listing");
	fix_explain(Q_DROP_LIST_BLANK, "5 16777300 1000", "listing");
	fix_explain(Q_DROP_SIZES, "5 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
		    "listing");
	fix_explain(Q_DROP_READ, "0 0 0 100 0 5 16777300", NULL);
	fix_explain(Q_DROP_READ_MANY,
		    "100 5 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", NULL);
	fix_sql("DELETE FROM mail WHERE mailbox_id = %llu",
		(unsigned long long)id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_is_ascending_and_has_octets_and_uidl),
		cmocka_unit_test(pages_join_without_gap_or_overlap),
		cmocka_unit_test(an_empty_and_a_missing_mailbox_are_told_apart),
		cmocka_unit_test(mail_of_a_former_account_is_not_shown),
		cmocka_unit_test(
			a_mail_comes_back_octet_by_octet_in_any_pieces),
		cmocka_unit_test(
			reading_at_the_end_gives_nothing_and_the_length),
		cmocka_unit_test(a_mail_in_the_trash_can_still_be_read),
		cmocka_unit_test(
			a_mail_whose_chunk_is_gone_is_damage_not_an_end),
		cmocka_unit_test(several_mails_come_in_one_question),
		cmocka_unit_test(a_damaged_mail_costs_none_of_its_neighbours),
		cmocka_unit_test(rule_35_what_is_moved_leaves_the_counters),
		cmocka_unit_test(a_wrong_counter_does_not_keep_mail_from_going),
		cmocka_unit_test(
			rule_10_a_header_without_its_empty_line_counts_it),
		cmocka_unit_test(lists_are_fast_and_read_the_narrow_index_only),
	};

	return cmocka_run_group_tests(tests, start, end);
}
