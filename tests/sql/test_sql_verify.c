/* tests/sql/test_sql_verify.c: each damage is found, told where it is, and
 * mended when no mail is touched by that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "sql/verify.h"
#include "tests/sql/purging.h"

enum { FOUND_MAX = 40 };

static struct pool *tools;
static struct db *tool;
static struct verify_report seen;
static struct {
	enum verify_kind kind;
	uint64_t mailbox_id, uid;
	bool in_trash, mended;
	char address[80];
} found[FOUND_MAX];
static size_t nfound;

static void no_progress(void *arg, const char *step,
			const struct verify_report *r)
{
	(void)arg;
	(void)step;
	(void)r;
}

static void note(void *arg, const struct verify_finding *f)
{
	(void)arg;
	assert_true(nfound < FOUND_MAX);
	assert_true(strlen(f->what) > 0);
	assert_true(strlen(verify_name(f->kind)) > 0);
	assert_true(strlen(verify_fix(f->kind)) > 0);
	found[nfound].kind = f->kind;
	found[nfound].mailbox_id = f->mailbox_id;
	found[nfound].uid = f->uid;
	found[nfound].in_trash = f->in_trash;
	found[nfound].mended = f->mended;
	snprintf(found[nfound].address, sizeof(found[nfound].address), "%.*s",
		 (int)f->address.n, f->address.p);
	nfound++;
}

static struct verify_settings how(bool deep, bool repair)
{
	return (struct verify_settings){ .deep = deep,
					 .mender = repair ? db : NULL,
					 .progress = no_progress,
					 .tell = note };
}

static void run(const struct verify_settings *s)
{
	nfound = 0;
	if (verify_run(tool, s, &seen) != DB_OK)
		fail_msg("%s", db_why(tool));
	assert_int_equal(seen.findings, nfound);
}

static void verify(bool deep, bool repair)
{
	struct verify_settings s = how(deep, repair);

	run(&s);
}

/* One finding, of this kind. */
static void expect(enum verify_kind k, bool mended)
{
	if (nfound != 1)
		fail_msg("%zu findings, not one %s", nfound, verify_name(k));
	assert_string_equal(verify_name(found[0].kind), verify_name(k));
	assert_int_equal(found[0].mended, mended);
	assert_int_equal(seen.mended, mended);
}

static void expect_mail(enum verify_kind k, uint64_t box, uint64_t uid)
{
	expect(k, false);
	assert_int_equal(found[0].mailbox_id, box);
	assert_int_equal(found[0].uid, uid);
}

static void expect_clean(void)
{
	verify(true, false);
	if (nfound > 0)
		fail_msg("there is still: %s", verify_name(found[0].kind));
}

/* Found; left alone without repair; mended; gone. */
static void expect_mended(enum verify_kind k)
{
	verify(true, false);
	expect(k, false);
	verify(false, true);
	expect(k, true);
	expect_clean();
}

/* Repair finds it too, and leaves it. */
static void expect_kept(enum verify_kind k, uint64_t box, uint64_t uid)
{
	uint64_t mails = rows("mail"), chunks = rows("chunk");

	verify(true, true);
	expect_mail(k, box, uid);
	verify(true, false);
	expect_mail(k, box, uid);
	assert_int_equal(rows("mail"), mails);
	assert_int_equal(rows("chunk"), chunks);
}

/* As the programs do it. */
static void set_digests(void)
{
	fix_sql("UPDATE content c SET sha256 = UNHEX(SHA2((SELECT GROUP_CONCAT("
		"data ORDER BY seq SEPARATOR '') FROM chunk k WHERE"
		" k.content_id = c.content_id), 256)) WHERE refs > 0");
}

static uint64_t send(uint64_t box, const char *text)
{
	uint64_t uid = mailing_quick(pool, box, text);

	assert_true(uid > 0);
	set_digests();
	return uid;
}

static uint64_t send_big(uint64_t box)
{
	static char text[3 * DELIVER_CHUNK + 1000];
	struct mailing g;
	uint64_t uid;

	memset(text, 'x', sizeof(text));
	assert_true(mailing_make(&g, span_make(text, sizeof(text)), NULL));
	mailing_to(&g, box);
	assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_OK);
	uid = g.t[0].uid_r;
	mailing_release(&g);
	set_digests();
	return uid;
}

static void a_store_as_the_programs_leave_it_has_no_finding(void **state)
{
	uint64_t a = fix_box("a@example.org"), b = fix_box("b@example.org");
	struct mailing g;

	(void)state;
	assert_true(mailing_make(&g, SPAN_LIT("Subject: x\r\n\r\n"), "key"));
	mailing_to(&g, a);
	mailing_to(&g, b);
	assert_int_equal(mailing_send(&g, pool, 5000), DELIVER_OK);
	mailing_release(&g);
	set_digests();
	move(a, send(a, "Subject: y\r\n\r\n"));
	send_big(b);
	for (unsigned i = 0; i < 1100; i++)
		mailing_quick(pool, b, "Subject: many\r\n\r\n");
	set_digests();
	for (unsigned i = 0; i < 250; i++) {
		char address[32];

		snprintf(address, sizeof(address), "n%u@example.org", i);
		fix_box(address);
	}
	fix_sql("UPDATE mailbox SET address = NULL,"
		" retired_address = 'b@example.org' WHERE mailbox_id = %llu",
		(unsigned long long)b);
	verify(true, true);
	assert_int_equal(nfound, 0);
	assert_int_equal(seen.mailboxes, 252);
	assert_int_equal(seen.mails, 1104);
	assert_int_equal(seen.contents, 1103);
	verify(false, false);
	assert_int_equal(nfound, 0);
	assert_int_equal(seen.octets,
			 fix_number("SELECT SUM(octets) FROM content"));
}

static void counters_are_counted_and_set_right(void **state)
{
	uint64_t a = fix_box("a@example.org"), b = fix_box("b@example.org");

	(void)state;
	send(a, "Subject: x\r\n\r\n");
	send(b, "Subject: y\r\n\r\n");
	fix_sql("UPDATE mailbox SET messages = 7 WHERE mailbox_id = %llu",
		(unsigned long long)a);
	verify(false, false);
	expect(VERIFY_COUNTERS, false);
	assert_int_equal(found[0].mailbox_id, a);
	assert_string_equal(found[0].address, "a@example.org");
	expect_mended(VERIFY_COUNTERS);
	fix_sql("UPDATE mailbox SET octets = octets - 1 WHERE mailbox_id ="
		" %llu",
		(unsigned long long)b);
	expect_mended(VERIFY_COUNTERS);
	mailing_check_store(0);
}

static void a_uid_that_would_be_given_again(void **state)
{
	uint64_t a = fix_box("a@example.org"), uid;

	(void)state;
	send(a, "Subject: x\r\n\r\n");
	uid = send(a, "Subject: y\r\n\r\n");
	move(a, uid);
	fix_sql("UPDATE mailbox SET uid_next = %llu", (unsigned long long)uid);
	expect_mended(VERIFY_UID_NEXT);
	assert_int_equal(send(a, "Subject: z\r\n\r\n"), uid + 1);
	expect_clean();
}

static void a_uidl_that_two_mails_have(void **state)
{
	uint64_t a = fix_box("a@example.org"), b = fix_box("b@example.org");
	uint64_t uid = send(a, "Subject: x\r\n\r\n");

	(void)state;
	send(a, "Subject: y\r\n\r\n");
	send(b, "Subject: z\r\n\r\n");
	fix_sql("UPDATE mail SET uidl = 'same'");
	expect_kept(VERIFY_UIDL, a, uid);
}

static void a_mail_that_is_in_the_trash_too(void **state)
{
	uint64_t a = fix_box("a@example.org");
	uint64_t uid = send(a, "Subject: x\r\n\r\n");

	(void)state;
	fix_sql("INSERT INTO trash SELECT *, UTC_TIMESTAMP(), '', '' FROM"
		" mail");
	fix_sql("UPDATE content SET refs = 2");
	expect_kept(VERIFY_TWICE, a, uid);
}

static void rows_without_a_mailbox_get_a_retired_one(void **state)
{
	uint64_t a = fix_box("a@example.org"), b = fix_box("b@example.org");

	(void)state;
	send(a, "Subject: x\r\n\r\n");
	send(b, "Subject: y\r\n\r\n");
	fix_sql("DELETE FROM mailbox WHERE mailbox_id = %llu",
		(unsigned long long)a);
	verify(false, false);
	expect(VERIFY_NO_MAILBOX, false);
	assert_int_equal(found[0].mailbox_id, a);
	fix_sql("DELETE FROM mailbox");
	verify(false, true);
	assert_int_equal(nfound, 2);
	assert_int_equal(seen.mended, 2);
	expect_clean();
	assert_int_equal(rows("mail"), 2);
	assert_int_equal(rows("mailbox"), 2);
}

static void a_mail_without_its_content_is_told_and_left(void **state)
{
	uint64_t a = fix_box("a@example.org"), b = fix_box("b@example.org");
	uint64_t uid;

	(void)state;
	send(b, "Subject: x\r\n\r\n");
	uid = send(a, "Subject: y\r\n\r\n");
	/* its chunks are left: they are the mail's */
	fix_sql("DELETE c FROM content c JOIN mail USING (content_id)"
		" WHERE mailbox_id = %llu",
		(unsigned long long)a);
	fix_sql("UPDATE chunk SET content_id = CONCAT(REPEAT('\\0', 6),"
		" SUBSTRING(content_id, 7))");
	fix_sql("UPDATE content SET content_id = CONCAT(REPEAT('\\0', 6),"
		" SUBSTRING(content_id, 7))");
	fix_sql("UPDATE mail SET content_id = CONCAT(REPEAT('\\0', 6),"
		" SUBSTRING(content_id, 7))");
	expect_kept(VERIFY_NO_CONTENT, a, uid);
	move(a, uid);
	verify(false, true);
	expect_mail(VERIFY_NO_CONTENT, a, uid);
	assert_true(found[0].in_trash);
	assert_int_equal(rows("chunk"), 2);
}

static void a_mail_whose_octets_are_wrong(void **state)
{
	uint64_t a = fix_box("a@example.org");
	uint64_t uid = send(a, "Subject: x\r\n\r\n");

	(void)state;
	fix_sql("UPDATE mail SET octets = octets + 1");
	fix_sql("UPDATE mailbox SET octets = octets + 1");
	expect_kept(VERIFY_OCTETS, a, uid);
}

/* The chunks of a big mail, damaged by this statement; each has four, seq 0 to
 * 3. */
static void expect_damage(const char *sql)
{
	uint64_t a = fix_box("a@example.org"), uid = send_big(a);

	expect_clean();
	fix_sql("%s", sql);
	verify(false, false);
	expect_mail(VERIFY_CHUNKS, a, uid);
	assert_string_equal(found[0].address, "a@example.org");
	expect_kept(VERIFY_CHUNKS, a, uid);
	purging_empty(NULL);
}

static void chunks_that_are_missing_short_or_too_many(void **state)
{
	static const char *const damage[] = {
		"DELETE FROM chunk",
		"DELETE FROM chunk WHERE seq = 0",
		"DELETE FROM chunk WHERE seq = 1",
		"DELETE FROM chunk WHERE seq = 3",
		"UPDATE chunk SET data = LEFT(data, 262143) WHERE seq = 2",
		"UPDATE chunk SET data = CONCAT(data, 'x') WHERE seq = 3",
		"UPDATE chunk SET seq = 4 WHERE seq = 3",
		"INSERT INTO chunk SELECT content_id, 4, '' FROM content",
		/* the sum is right */
		"UPDATE chunk SET data = IF(seq = 0, LEFT(data, 262143),"
		" CONCAT(data, 'x')) WHERE seq IN (0, 3)",
		"UPDATE content SET octets = octets - 1; UPDATE mail SET"
		" octets = octets - 1; UPDATE mailbox SET octets = octets - 1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++)
		expect_damage(damage[i]);
}

static void octets_that_changed_are_found_by_deep_alone(void **state)
{
	uint64_t a = fix_box("a@example.org"), b = fix_box("b@example.org");
	struct mailing g;

	(void)state;
	send_big(a);
	assert_true(mailing_make(&g, SPAN_LIT("Subject: x\r\n\r\n"), NULL));
	mailing_to(&g, a);
	mailing_to(&g, b);
	assert_int_equal(mailing_send(&g, pool, 5000), DELIVER_OK);
	set_digests();
	move(b, g.t[1].uid_r);
	expect_clean();
	fix_sql("UPDATE chunk SET data = CONCAT('s', SUBSTRING(data, 2))"
		" WHERE data LIKE 'Subject%%'");
	verify(false, false);
	assert_int_equal(nfound, 0);
	verify(true, true);
	assert_int_equal(nfound, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(found[i].kind, VERIFY_SHA256);
		assert_int_equal(found[i].mailbox_id, i ? b : a);
		assert_int_equal(found[i].uid, g.t[i].uid_r);
		assert_int_equal(found[i].in_trash, i);
	}
	mailing_release(&g);
}

static void refs_are_counted_and_set_right(void **state)
{
	uint64_t a = fix_box("a@example.org");
	uint64_t uid = send(a, "Subject: x\r\n\r\n");

	(void)state;
	move(a, uid);
	send(a, "Subject: y\r\n\r\n");
	fix_sql("UPDATE content SET refs = 3 ORDER BY content_id LIMIT 1");
	expect_mended(VERIFY_REFS);
	fix_sql("UPDATE content SET refs = 0 ORDER BY content_id LIMIT 1");
	expect_mended(VERIFY_REFS);
	mailing_check_store(0);
	assert_int_equal(rows("mail") + rows("trash"), 2);
}

static void age(const char *interval)
{
	fix_sql("UPDATE content SET stored_at = UTC_TIMESTAMP() - INTERVAL %s",
		interval);
}

static void an_upload_is_swept_when_nobody_can_claim_it(void **state)
{
	static char text[4 * DELIVER_CHUNK];
	struct mailing g;

	(void)state;
	assert_true(mailing_make(&g, span_make(text, sizeof(text)), NULL));
	mailing_to(&g, fix_box("a@example.org"));
	deliver_upload(pool, &g.m, deadline_in(5000));
	age("24 HOUR");
	verify(true, true);
	assert_int_equal(nfound, 0);
	assert_int_equal(seen.uploads, 1);
	assert_int_equal(rows("chunk"), 4);
	age("26 HOUR");
	expect_mended(VERIFY_UNNAMED);
	assert_int_equal(rows("content") + rows("chunk"), 0);
	/* what was swept is uploaded anew */
	assert_int_equal(mailing_send(&g, pool, 5000), DELIVER_OK);
	mailing_release(&g);
	set_digests();
	expect_clean();
}

/* The purge's next transaction, after the first look at the body. */
static void purge_next(void *arg, const char *step,
		       const struct verify_report *r)
{
	(void)arg;
	(void)r;
	if (strcmp(step, "bodies") == 0)
		fix_sql("DELETE FROM content; DELETE FROM chunk");
}

static void what_the_purge_is_about_to_take_is_no_finding(void **state)
{
	struct verify_settings s = how(true, false);
	uint64_t a = fix_box("a@example.org");

	(void)state;
	send(a, "Subject: x\r\n\r\n");
	fix_sql("DELETE FROM mail; UPDATE content SET refs = 0; UPDATE mailbox"
		" SET messages = 0, octets = 0");
	age("26 HOUR");
	s.progress = purge_next;
	run(&s);
	assert_int_equal(nfound, 0);
	assert_int_equal(rows("content"), 0);
}

static void a_body_that_lost_its_last_name_goes_when_it_is_old(void **state)
{
	uint64_t a = fix_box("a@example.org");

	(void)state;
	send(a, "Subject: x\r\n\r\n");
	fix_sql("DELETE FROM mail");
	fix_sql("UPDATE mailbox SET messages = 0, octets = 0");
	verify(false, true);
	expect(VERIFY_REFS, false);
	assert_int_equal(rows("chunk"), 1);
	age("26 HOUR");
	expect_mended(VERIFY_REFS);
	assert_int_equal(rows("content") + rows("chunk"), 0);
}

static void chunks_without_content_go_when_they_are_old(void **state)
{
	uint64_t a = fix_box("a@example.org");

	(void)state;
	send(a, "Subject: x\r\n\r\n");
	for (unsigned i = 0; i < 3; i++)
		fix_sql("INSERT INTO chunk VALUES (CONCAT(UNHEX(LPAD(HEX("
			"(UNIX_TIMESTAMP() - 86400) * 1000), 12, '0')),"
			" REPEAT('o', 10)), %u, 'x')",
			i + 1);
	verify(false, true);
	expect(VERIFY_ORPHAN, false);
	assert_int_equal(rows("chunk"), 4);
	fix_sql("UPDATE chunk SET content_id = CONCAT(UNHEX(LPAD(HEX("
		"(UNIX_TIMESTAMP() - 93600) * 1000), 12, '0')),"
		" REPEAT('o', 10)) WHERE seq > 0");
	expect_mended(VERIFY_ORPHAN);
	assert_int_equal(rows("chunk"), 1);
	assert_int_equal(rows("content"), 1);
}

/* A delivery of more than a day whose content has been swept meanwhile: its
 * later chunks are orphans. To sweep them must not let it be stored without
 * them. */
static void an_upload_whose_chunks_are_swept_is_not_claimed(void **state)
{
	static char text[4 * DELIVER_CHUNK];
	struct mailing g;

	(void)state;
	assert_true(mailing_make(&g, span_make(text, sizeof(text)), NULL));
	memset(g.m.id, 0, 6);
	mailing_to(&g, fix_box("a@example.org"));
	deliver_upload(pool, &g.m, deadline_in(5000));
	fix_sql("DELETE FROM content");
	expect_mended(VERIFY_ORPHAN);
	assert_int_equal(rows("content") + rows("chunk"), 0);
	assert_int_equal(mailing_send(&g, pool, 5000), DELIVER_OK);
	assert_int_equal(rows("chunk"), 4);
	mailing_release(&g);
	set_digests();
	expect_clean();
}

static void only_the_mailboxes_asked_for(void **state)
{
	uint64_t a = fix_box("a@example.org"), b = fix_box("b@example.org");
	struct verify_settings s = how(true, false);

	(void)state;
	send(a, "Subject: x\r\n\r\n");
	send(b, "Subject: y\r\n\r\n");
	fix_sql("UPDATE mailbox SET messages = 9");
	fix_sql("UPDATE chunk SET data = REVERSE(data)");
	s.box = &b;
	s.n = 1;
	run(&s);
	assert_int_equal(nfound, 2);
	assert_int_equal(found[0].kind, VERIFY_COUNTERS);
	assert_int_equal(found[1].kind, VERIFY_SHA256);
	assert_int_equal(found[0].mailbox_id, b);
	assert_int_equal(found[1].mailbox_id, b);
	assert_int_equal(seen.mails, 1);
}

static void the_walks_read_by_their_keys(void **state)
{
	uint64_t a = fix_box("a@example.org");

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		mailing_quick(pool, a, "Subject: x\r\n\r\n");
	for (unsigned i = 0; i < 300; i++) {
		char address[32];

		snprintf(address, sizeof(address), "n%u@example.org", i);
		fix_box(address);
	}
	fix_sql("ANALYZE TABLE mailbox, mail, trash, content, chunk");
	fix_explain(Q_VERIFY_BOXES, "5", NULL);
	fix_explain(Q_VERIFY_BOX, "5", NULL);
	fix_explain(Q_VERIFY_MAILS, "5 7", NULL);
	fix_explain(Q_VERIFY_TRASH, "5 7", NULL);
	fix_explain(Q_VERIFY_TWICE, "5", NULL);
	fix_explain(Q_VERIFY_CONTENT, "'x'", NULL);
	fix_explain(Q_VERIFY_LENGTHS, "'x' 3", NULL);
	fix_explain(Q_VERIFY_CHUNKS, "'x' 3", NULL);
}

static int start(void **state)
{
	if (purging_start(state) != 0)
		return -1;
	tools = fix_pool(PROG_TOOL, 1);
	tool = pool_get(tools, deadline_in(1000));
	return tool ? 0 : -1;
}

static int end(void **state)
{
	pool_put(tools, &tool);
	pool_free(&tools);
	return purging_end(state);
}

#define TEST(f) cmocka_unit_test_setup(f, purging_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_store_as_the_programs_leave_it_has_no_finding),
		TEST(counters_are_counted_and_set_right),
		TEST(a_uid_that_would_be_given_again),
		TEST(a_uidl_that_two_mails_have),
		TEST(a_mail_that_is_in_the_trash_too),
		TEST(rows_without_a_mailbox_get_a_retired_one),
		TEST(a_mail_without_its_content_is_told_and_left),
		TEST(a_mail_whose_octets_are_wrong),
		TEST(chunks_that_are_missing_short_or_too_many),
		TEST(octets_that_changed_are_found_by_deep_alone),
		TEST(refs_are_counted_and_set_right),
		TEST(an_upload_is_swept_when_nobody_can_claim_it),
		TEST(what_the_purge_is_about_to_take_is_no_finding),
		TEST(a_body_that_lost_its_last_name_goes_when_it_is_old),
		TEST(chunks_without_content_go_when_they_are_old),
		TEST(an_upload_whose_chunks_are_swept_is_not_claimed),
		TEST(only_the_mailboxes_asked_for),
		TEST(the_walks_read_by_their_keys),
	};

	return cmocka_run_group_tests(tests, start, end);
}
