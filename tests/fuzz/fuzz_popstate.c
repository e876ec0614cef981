/* tests/fuzz/fuzz_popstate.c: a whole session: octets of the client in pieces
 * of any size, a keeper that stalls, fails, dies or talks nonsense, a client
 * that does not read. Output is bounded, and what was said is judged as one
 * conversation (poptalk.h). Input: steps of one octet and what it needs. */
#include "tests/fuzz/fuzz.h"

#include "lib/line.h"
#include "pop3d/poptls.h"
#include "tests/unit/poptalk.h"

enum { LINES = 8192, BIG = 100000 };

static struct poprig rig;
static struct poptalk talk;
static struct buf said = BUF_INIT(SIZE_MAX);
static char line_room_[LINES + 2];
static struct line_buf lines;
static char big[BIG];

/* As popio_take(): an overlong line is told before its end. */
static enum line_status take_line(struct span *line_r)
{
	enum line_status status = line_take(&lines, line_r);

	return status == LINE_MORE && lines.skipping ? LINE_LONG : status;
}

static void keep_said(void)
{
	buf_put_span(&said, buf_span(&rig.said));
	buf_reset(&rig.said);
}

static void take_lines(void)
{
	enum line_status status;
	struct span line;

	while (popstate_wants_line(&rig.pop) && talk.lines < POPTALK_MAX &&
	       (status = take_line(&line)) != LINE_MORE) {
		poptalk_note(&talk, &rig.pop, status, line);
		popstate_line(&rig.pop, status, line);
		if (rig.pop.job == JOB_STLS)
			poptls_answer(&rig.pop, line_pending(&lines) > 0);
		poprig_pump(&rig);
	}
}

static void feed(struct span s)
{
	while (s.n) {
		struct line_room room = line_room(&lines);
		size_t n = s.n < room.n ? s.n : room.n;

		if (n == 0)
			return; /* a line waits for its turn */
		memcpy(room.p, s.p, n);
		line_added(&lines, n);
		s = span_skip(s, n);
		take_lines();
	}
}

static void feed_frame(struct span s)
{
	rig.lenient = true;
	if (s.n &&
	    (popstate_wants_frame(&rig.pop) || popstate_hears_frame(&rig.pop)))
		popstate_frame(&rig.pop, s);
	poprig_pump(&rig);
}

static void feed_command(struct span *input)
{
	static const char *const verbs[] = {
		"USER bob@example.org\r\n",
		"PASS secret\r\n",
		"LIST\r\n",
		"UIDL\r\n",
		"RETR 1\r\n",
		"RETR 2\r\n",
		"RETR 3\r\n",
		"RETR 4\r\n",
		"TOP 3 0\r\n",
		"TOP 4 1000\r\n",
		"DELE 1\r\n",
		"DELE 3\r\n",
		"RSET\r\n",
		"QUIT\r\n",
		"AUTH LOGIN\r\n",
		"AUTH PLAIN AGJvYkBleGFtcGxlLm9yZwBzZWNyZXQ=\r\n",
		"STAT\r\n",
		"XCLIENT ADDR=192.0.2.7 SESSION=x\r\n",
		"CAPA\r\n",
		"AUTH\r\n",
		"AUTH CRAM-MD5\r\n",
		"UTF8\r\n",
		"DELE 2\r\n",
		"DELE 4\r\n",
		"TOP 2 1\r\n",
		"STLS\r\n",
	};

	feed(span_of(
		verbs[fuzz_octet(input) % (sizeof(verbs) / sizeof(*verbs))]));
}

static void step(struct span *input)
{
	uint8_t what = fuzz_octet(input);

	if (what < 96)
		feed_command(input);
	else if (what < 160)
		feed(fuzz_value(input));
	else if (what < 176)
		feed_frame(fuzz_value(input));
	else if (what < 192)
		rig.stalled = !rig.stalled;
	else if (what < 208)
		rig.hold_out = !rig.hold_out;
	else if (what < 216)
		rig.down = !rig.down;
	else if (what < 224)
		rig.down_after_mail = !rig.down_after_mail;
	else if (what < 232)
		rig.mail[what % 4].gone = true;
	else if (what < 240)
		rig.frame_max = fuzz_octet(input) * 17U; /* 0: no limit */
	else if (what < 242 && rig.pop.job == JOB_STLS)
		poptls_begun(&rig.pop);
	else if (what < 246)
		popstate_deaf(&rig.pop);
	else if (what < 252)
		popstate_stop(&rig.pop,
			      what < 249 ? CHAN_END_IDLE : CHAN_END_STOPPED);
	else
		popstate_lost(&rig.pop);
	poprig_pump(&rig);
	take_lines();
	keep_said();
	MUST(buf_ok(&rig.out) && rig.out.n < POPSTATE_OUT_MAX);
	MUST(!rig.pop.ended || !popstate_wants_line(&rig.pop));
}

static void set_up(uint8_t how)
{
	poprig_init(&rig);
	rig.pop.rules.xclient = true;
	poprig_add(&rig, 1, SPAN_LIT("A: b\r\n\r\nhello\r\n"));
	poprig_add(&rig, 2, SPAN_LIT(".A: b\r\n\r\n.\r\n..\r\n"));
	poprig_add(&rig, 3, span_make(big, BIG));
	poprig_add(&rig, 4, SPAN_EMPTY);
	rig.pop.rules.apop = how & 1;
	rig.pop.rules.cram_md5 = how & 2;
	rig.pop.rules.replace_nul = how & 4;
	rig.mail[0].blank_line = how & 8;
	rig.mail[2].blank_line = how & 16;
	rig.denial = (how >> 5) % CHAN_DENIED_COUNT;
	rig.pop.rules.stls = how & 8;
	rig.pop.rules.needs_tls = how & 16;
	lines = (struct line_buf){ .p = line_room_,
				   .size = sizeof(line_room_) };
	memset(&talk, 0, sizeof(talk));
	buf_reset(&said);
	popstate_greet(&rig.pop);
}

static void check_end(void)
{
	const char *wrong;

	keep_said();
	buf_put_span(&said, buf_span(&rig.out));
	wrong = poptalk_judge(&talk, &rig, buf_span(&said), true);
	if (wrong)
		fuzz_fail(wrong);
	if (rig.pop.ended)
		MUST(chan_end_text(rig.pop.end) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = fuzz_input(data, size);

	memset(big, '.', sizeof(big));
	for (size_t i = 70; i + 1 < sizeof(big); i += 72)
		memcpy(big + i, "\r\n", 2);
	set_up(fuzz_octet(&input));
	while (input.n)
		step(&input);
	check_end();
	poprig_release(&rig);
	return 0;
}
