/* tests/unit/keeperdrop.c: see keeperdrop.h. */
#include "tests/unit/keeperdrop.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "sql/maildrop.h"
#include "tests/unit/wire.h"

struct keeperdrop base;
char octets[BIG];

static enum db_result next_result(void)
{
	size_t i = base.calls++;

	return i < COUNT(base.result) ? base.result[i] : DB_OK;
}

const char *db_why(const struct db *db)
{
	(void)db;
	return "the test says so";
}

const char *db_result_text(enum db_result r)
{
	return r == DB_DOWN ? "down" : "other";
}

enum db_result maildrop_list(struct db *db, uint64_t mailbox_id,
			     bool blank_line, uint64_t after, size_t max,
			     bool (*add)(void *, const struct maildrop_entry *),
			     void *arg, bool *more_r)
{
	uint64_t uid = after;

	(void)db;
	base.blank_line = blank_line;
	assert_int_equal(mailbox_id, MAILBOX);
	while (uid < base.mails && uid - after < max) {
		struct maildrop_entry e = { .uid = uid + 1,
					    .octets = 10 * (uid + 1),
					    .uidl = SPAN_LIT("uidl") };

		uid++;
		if (!add(arg, &e))
			return DB_OURS;
	}
	*more_r = uid < base.mails;
	return next_result();
}

enum db_result maildrop_open(struct db *db, struct span address,
			     struct span incarnation, bool blank_line,
			     size_t max,
			     bool (*add)(void *, const struct maildrop_entry *),
			     void *arg, struct maildrop_box *box)
{
	assert_true(span_is(address, "bob@a.example"));
	assert_true(span_is(incarnation, "1"));
	box->mailbox_id = MAILBOX;
	box->days += 7;
	return maildrop_list(db, MAILBOX, blank_line, 0, max, add, arg,
			     &box->more);
}

static uint64_t octets_of(uint64_t uid)
{
	if (uid == UID_BIG || uid == UID_SHORT)
		return BIG;
	return uid >= MIDDLE ? MIDDLE : SMALL_OCTETS;
}

enum db_result maildrop_read(struct db *db, uint64_t mailbox_id, uint64_t uid,
			     uint64_t offset, uint64_t limit,
			     struct maildrop_mail *m, struct buf *out,
			     bool *got)
{
	uint64_t n;

	(void)db;
	assert_int_equal(mailbox_id, MAILBOX);
	*m = (struct maildrop_mail){ .uid = uid, .octets = octets_of(uid) };
	*got = uid != 404;
	n = offset < m->octets ? m->octets - offset : 0;
	n = n < CHUNK ? n : CHUNK;
	n = limit && limit < n ? limit : n;
	m->damaged = uid == UID_DAMAGED;
	if (*got && !m->damaged && !(uid == UID_SHORT && offset))
		buf_put(out, octets + offset, n);
	return next_result();
}

enum db_result maildrop_read_many(struct db *db, uint64_t mailbox_id,
				  const uint64_t *uid, size_t n, uint64_t limit,
				  bool (*add)(void *,
					      const struct maildrop_mail *,
					      struct span trace,
					      struct span data),
				  void *arg)
{
	(void)db;
	assert_int_equal(mailbox_id, MAILBOX);
	/* in the order of their uids, which here is the reverse */
	for (size_t i = n; i-- > 0;) {
		struct maildrop_mail m = { .uid = uid[i],
					   .octets = octets_of(uid[i]) };
		uint64_t have = limit && limit < m.octets ? limit : m.octets;
		size_t trace = have < 100 ? (size_t)have : 100;

		if (uid[i] == 404 || uid[i] == UID_TRASH)
			continue;
		m.damaged = uid[i] == UID_DAMAGED;
		if (m.damaged)
			have = trace = 0;
		if (!add(arg, &m, span_make(octets, trace),
			 span_make(octets + trace, (size_t)have - trace)))
			return DB_OURS;
	}
	return next_result();
}

enum db_result maildrop_move(struct db *db, uint64_t mailbox_id,
			     const uint64_t *uid, size_t n, struct span who,
			     struct span from, struct maildrop_hold *hold,
			     uint64_t *moved_r)
{
	(void)db;
	if (hold)
		hold->lost = base.lost;
	assert_int_equal(mailbox_id, MAILBOX);
	assert_true(n <= COUNT(base.moved));
	if (n > 0)
		memcpy(base.moved, uid, n * sizeof(*uid));
	base.nmoved = n;
	(void)snprintf(base.who, sizeof(base.who), "%.*s", (int)who.n, who.p);
	(void)snprintf(base.from, sizeof(base.from), "%.*s", (int)from.n,
		       from.p);
	*moved_r = n;
	return next_result();
}

enum db_result maildrop_find(struct db *db, struct span address,
			     struct span incarnation, uint64_t *mailbox_id_r)
{
	(void)db;
	assert_true(span_is(address, "bob@a.example"));
	assert_true(span_is(incarnation, "1"));
	*mailbox_id_r = base.box;
	return next_result();
}

enum db_result lease_take(struct db *db, const struct lease_owner *o,
			  uint64_t mailbox_id, struct lease *l)
{
	(void)db;
	assert_non_null(o);
	base.takes++;
	base.claim = l->claim;
	*l = (struct lease){ mailbox_id, base.fence, l->claim + !l->claim };
	return next_result();
}

enum db_result lease_renew(struct db *db, const struct lease_owner *o,
			   struct lease *l, size_t n)
{
	(void)db;
	assert_non_null(o);
	for (size_t i = 0; i < n; i++)
		l[i].fence = l[i].fence == base.fence ? 0 : l[i].fence;
	return next_result();
}

enum db_result lease_end(struct db *db, const struct lease_owner *o,
			 const struct lease *l, bool *held_r)
{
	(void)db;
	assert_non_null(o);
	*held_r = l->fence == base.fence;
	return next_result();
}

enum db_result lease_inherit(struct db *db, const struct lease_owner *o)
{
	(void)db;
	assert_non_null(o);
	return next_result();
}

int begin_drop(void **state)
{
	(void)state;
	memset(&base, 0, sizeof(base));
	log_off();
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (char)(i * 31 + i / 997);
	return 0;
}

struct keeperjob *job(enum keeperjob_kind kind)
{
	struct keeperjob *j = keeperjob_new(kind);

	assert_non_null(j);
	j->deadline = deadline_in(10000);
	j->mailbox_id = MAILBOX;
	if (kind == KJ_OPEN) {
		(void)snprintf(j->u.open.address, sizeof(j->u.open.address),
			       "bob@a.example");
		(void)snprintf(j->u.open.incarnation,
			       sizeof(j->u.open.incarnation), "1");
		j->mailbox_id = 0;
	}
	return j;
}

void run(struct keeperjob *j)
{
	struct buf scratch = BUF_INIT(KEEPERJOB_SCRATCH_MAX);

	keeperjob_run(j, NULL, &scratch);
	buf_release(&scratch);
}

/* The next reply of the answer; false at its end. */
bool reply(const struct keeperjob *j, size_t *at, struct chan_reply *r)
{
	struct span frame;

	if (!frames_next(&j->out, at, &frame))
		return false;
	assert_true(frame.n <= CHAN_FRAME_MAX);
	assert_true(chan_parse_reply(frame, r));
	return true;
}

void want(const struct keeperjob *j, size_t *at, enum chan_reply_type type)
{
	struct chan_reply r;

	assert_true(reply(j, at, &r));
	assert_int_equal(r.type, type);
}

void want_end(const struct keeperjob *j, size_t at)
{
	struct chan_reply r;

	assert_false(reply(j, &at, &r));
}

void want_temp(const struct keeperjob *j)
{
	size_t at = 0;

	assert_true(j->failed);
	assert_false(j->more);
	want(j, &at, CHAN_TEMP);
	want_end(j, at);
}
