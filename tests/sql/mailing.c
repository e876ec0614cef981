/* tests/sql/mailing.c: see mailing.h. */
#include "tests/sql/mailing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "tests/sql/fixture.h"

static void make_id(uint8_t *id)
{
	static atomic_uint_fast64_t counter;
	uint64_t n = atomic_fetch_add(&counter, 1);
	uint8_t random[10] = { 0 };

	n = n * 6364136223846793005u + (uint64_t)getpid();
	memcpy(random, &n, sizeof(n));
	content_id_make(clock_unix_ms(), random, id);
}

bool mailing_make(struct mailing *g, struct span text, const char *key)
{
	*g = (struct mailing){ .spool = spool_new("/tmp", 65536),
			       .why = BUF_INIT(1024) };
	if (!g->spool || !spool_put(g->spool, text))
		return false;
	g->m.content = g->spool;
	make_id(g->m.id);
	memset(g->m.sha256, 0xa5, sizeof(g->m.sha256));
	g->m.sender = SPAN_LIT("s@example.org");
	g->m.receipt_window = 5LL * 24 * 3600 * 1000;
	g->m.has_key = key != NULL;
	if (key)
		snprintf((char *)g->m.key, sizeof(g->m.key), "%s", key);
	return true;
}

void mailing_to(struct mailing *g, uint64_t mailbox_id)
{
	g->t[g->n++] =
		(struct deliver_target){ .mailbox_id = mailbox_id,
					 .trace = SPAN_LIT(MAILING_TRACE) };
}

enum deliver_result mailing_send(struct mailing *g, struct pool *p, int ms)
{
	return deliver_commit(p, &g->m, g->t, g->n, &g->charges,
			      deadline_in(ms), &g->why);
}

void mailing_release(struct mailing *g)
{
	spool_free(&g->spool);
	charges_release(&g->charges);
	buf_release(&g->why);
}

uint64_t mailing_quick(struct pool *p, uint64_t mailbox_id, const char *text)
{
	struct mailing g;
	uint64_t uid = 0;

	if (mailing_make(&g, span_of(text), NULL)) {
		mailing_to(&g, mailbox_id);
		if (mailing_send(&g, p, 20000) == DELIVER_OK)
			uid = g.t[0].uid_r;
		else
			print_message("%s\n", buf_cstr(&g.why));
	}
	mailing_release(&g);
	return uid;
}

static void expect_none(const char *what, const char *sql)
{
	if (fix_number("%s", sql) != 0)
		fail_msg("%s", what);
}

void mailing_check_store(unsigned unclaimed)
{
	expect_none("a counter differs from its recount",
		    "SELECT COUNT(*) FROM mailbox b WHERE messages <>"
		    " (SELECT COUNT(*) FROM mail m"
		    " WHERE m.mailbox_id = b.mailbox_id) OR octets <>"
		    " (SELECT COALESCE(SUM(m.octets), 0) FROM mail m"
		    " WHERE m.mailbox_id = b.mailbox_id)");
	expect_none(
		"the uids have a gap or stand twice",
		"SELECT COUNT(*) FROM mailbox b WHERE uid_next - 16777216 <>"
		" (SELECT COUNT(DISTINCT uid) FROM (SELECT mailbox_id, uid"
		" FROM mail UNION ALL SELECT mailbox_id, uid FROM trash) u"
		" WHERE u.mailbox_id = b.mailbox_id)");
	expect_none("a mail is in mail and in trash",
		    "SELECT COUNT(*) FROM mail JOIN trash"
		    " USING (mailbox_id, uid)");
	expect_none("the refs of a content are wrong",
		    "SELECT COUNT(*) FROM content c WHERE refs <>"
		    " (SELECT COUNT(*) FROM mail m"
		    " WHERE m.content_id = c.content_id) +"
		    " (SELECT COUNT(*) FROM trash t"
		    " WHERE t.content_id = c.content_id)");
	expect_none("a mail has no content, or not its octets",
		    "SELECT COUNT(*) FROM (SELECT content_id, octets, trace"
		    " FROM mail UNION ALL SELECT content_id, octets, trace"
		    " FROM trash) m LEFT JOIN content c USING (content_id)"
		    " WHERE c.octets IS NULL"
		    " OR c.octets + LENGTH(m.trace) <> m.octets");
	expect_none(
		"the chunks are not the content",
		"SELECT COUNT(*) FROM content c WHERE refs > 0 AND octets <>"
		" (SELECT COALESCE(SUM(LENGTH(data)), 0) FROM chunk k"
		" WHERE k.content_id = c.content_id)");
	expect_none("chunks have no content",
		    "SELECT COUNT(*) FROM chunk k LEFT JOIN content c"
		    " USING (content_id) WHERE c.content_id IS NULL");
	assert_int_equal(fix_number("SELECT COUNT(*) FROM content"
				    " WHERE refs = 0"),
			 unclaimed);
}
