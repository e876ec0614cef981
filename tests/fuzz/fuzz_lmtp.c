/* tests/fuzz/fuzz_lmtp.c: a client of mailrow-lmtpd: lines go to the machine,
 * the octets after DATA are unstuffed, in pieces and octet by octet alike.
 * First octet: what the events come to. */
#include "tests/fuzz/fuzz.h"

#include "lib/dot.h"
#include "lmtpd/lmtpstate.h"

enum { ROOM = 512 };

static void must_lie_in(struct span part, struct span whole)
{
	MUST(part.n == 0 ||
	     (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void must_be_a_path(struct span path)
{
	MUST(path.n >= 2 && path.p[0] == '<' && path.p[path.n - 1] == '>');
	for (size_t i = 0; i < path.n; i++)
		MUST((unsigned char)path.p[i] >= 0x20);
}

/* Data ends where a plain reader of octets says it does. */
static size_t take_data(struct span s)
{
	struct dot_reader d = { .place = DOT_LINE }, e = { .place = DOT_LINE };
	struct buf one = BUF_INIT(SIZE_MAX / 2), two = BUF_INIT(SIZE_MAX / 2);
	bool end = false, end_too = false;
	size_t n = dot_unstuff(&d, s, &one, &end), k = 0;

	while (k < s.n && !end_too)
		k += dot_unstuff(&e, span_head(span_skip(s, k), 1), &two,
				 &end_too);
	MUST(n == k && end == end_too);
	MUST(span_eq(buf_span(&one), buf_span(&two)) && one.n <= n);
	if (end)
		MUST(n >= 3 && memcmp(s.p + n - 3, ".\r\n", 3) == 0 &&
		     (n == 3 || memcmp(s.p + n - 5, "\r\n", 2) == 0));
	else
		MUST(n == s.n);
	buf_release(&one);
	buf_release(&two);
	return n;
}

static void must_fit(const struct lmtpstate *s, const struct lmtp_event *e,
		     struct span line)
{
	MUST(e->kind < LMTP_KINDS && e->reply != R_NONE);
	must_lie_in(e->text, line);
	if (e->kind == LMTP_MAIL) {
		MUST(s->state == ST_READY && e->mail.size <= s->size_max);
		must_lie_in(e->mail.path, line);
		must_be_a_path(e->mail.path);
	}
	if (e->kind == LMTP_RCPT) {
		MUST(s->state == ST_MAIL || s->state == ST_RCPT);
		must_be_a_path(e->text);
	}
	if (e->kind == LMTP_DATA)
		MUST(s->state == ST_RCPT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = fuzz_input(data, size), line;
	unsigned refuse = fuzz_octet(&in);
	struct buf out = BUF_INIT(SIZE_MAX / 2);
	char room[ROOM];
	struct line_buf l = { .p = room, .size = ROOM };
	struct lmtpstate s;
	bool ended = false;

	lmtpstate_init(&s, 100000);
	for (unsigned turn = 0; !ended; turn++) {
		enum line_status status = line_take(&l, &line);
		struct lmtp_event e;
		bool bare;

		if (status == LINE_MORE) {
			struct line_room r = line_room(&l);
			struct span some = span_head(in, r.n);

			ended = in.n == 0;
			memcpy(r.p, some.p, some.n);
			line_added(&l, some.n);
			in = span_skip(in, some.n);
			continue;
		}
		bare = status == LINE_OK && line.p[line.n] != '\r';
		e = lmtpstate_line(&s, status, bare, line);
		must_fit(&s, &e, line);
		ended = e.kind == LMTP_QUIT;
		lmtp_put_reply(&out, e.reply, e.text);
		MUST(buf_ok(&out) && out.p[out.n - 1] == '\n');
		buf_reset(&out);
		lmtpstate_done(&s, &e,
			       refuse >> turn % 8 & 1 ? R_NO_MEMORY : e.reply);
		if (e.kind == LMTP_DATA) {
			struct span rest = { l.p + l.start, l.end - l.start };

			l.start += take_data(rest);
		}
	}
	buf_release(&out);
	return 0;
}
