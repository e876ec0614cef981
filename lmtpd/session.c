/* lmtpd/session.c: see session.h. An event of the machine is carried out, its
 * reply said. Replies leave in one write, when the MTA waits for them
 * (RFC 2920 s.3.2). */
#include "lmtpd/session.h"

#include "lib/esc.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/net.h"
#include "lmtpd/finish.h"
#include "lmtpd/rcpt.h"

static void say(struct session *s, enum reply_id id, struct span subject)
{
	lmtp_put_reply(&s->io.out, id, subject);
}

static void end_with(struct session *s, enum reply_id id)
{
	if (id != R_NONE)
		say(s, id, SPAN_EMPTY);
	s->ended = true;
}

/* Nothing comes, or nothing more shall come. */
static void end_waiting(struct session *s, enum lmtpio_status why)
{
	static const enum reply_id reply[] = {
		[LMTPIO_CLOSED] = R_NONE,
		[LMTPIO_IDLE] = R_LMTP_IDLE,
		[LMTPIO_STOP] = R_LMTP_STOPPING,
	};

	if (why == LMTPIO_IDLE)
		log_info("session %lu: nothing came in time: closed", s->id);
	end_with(s, reply[why]);
}

static bool own_host(void *arg, struct span host)
{
	const struct session *s = arg;

	return settings_own_host(s->settings, s->helo, host);
}

static enum reply_id do_say(struct session *s, const struct lmtp_event *e)
{
	say(s, e->reply, SPAN_EMPTY);
	return e->reply;
}

static enum reply_id do_hello(struct session *s, const struct lmtp_event *e)
{
	const struct conf *c = s->settings->conf;

	FAULT_PASS(LMTP_HELLO);
	message_reset(&s->message);
	memcpy(s->helo, e->text.p, e->text.n);
	s->helo[e->text.n] = '\0';
	lmtp_put_hello(&s->io.out, net_hostname(c->hostname),
		       c->lmtp_message_max);
	return e->reply;
}

static enum reply_id do_mail(struct session *s, const struct lmtp_event *e)
{
	enum reply_id id = message_open(&s->message, &e->mail);

	FAULT_PASS(LMTP_MAIL);
	if (id == R_NONE) {
		rcpt_begin(s);
		id = e->reply;
	}
	say(s, id, SPAN_EMPTY);
	return id;
}

static enum reply_id do_rcpt(struct session *s, const struct lmtp_event *e)
{
	enum reply_id id = rcpt_take(s, e->text);

	if (id != R_NONE)
		return id;
	say(s, e->reply, SPAN_EMPTY);
	return e->reply;
}

static void note_piece(const struct session *s, struct span in)
{
	if (in.n && s->message.octets == 0)
		FAULT_PASS(LMTP_PIECE_FIRST);
	else if (in.n)
		FAULT_PASS(LMTP_PIECE_MORE);
}

static void take_content(struct session *s, struct dot_reader *dots,
			 bool *end_r)
{
	uint64_t most = s->settings->conf->lmtp_message_max;
	struct span in = lmtpio_pending(&s->io);

	note_piece(s, in);
	buf_reset(&s->piece);
	lmtpio_take(&s->io, dot_unstuff(dots, in, &s->piece, end_r));
	if (!buf_ok(&s->piece))
		s->message.content.failed = R_NO_MEMORY;
	message_put(&s->message, buf_span(&s->piece), most);
}

/* Data is read to its end, whatever becomes of it. */
static enum reply_id do_data(struct session *s, const struct lmtp_event *e)
{
	struct dot_reader dots = { .place = DOT_LINE };
	enum lmtpio_status status = LMTPIO_OK;
	enum reply_id id = R_NONE;
	bool end = false;

	FAULT_PASS(LMTP_DATA);
	say(s, e->reply, SPAN_EMPTY);
	message_begin(&s->message, s->settings, own_host, s);
	take_content(s, &dots, &end);
	while (!end && status == LMTPIO_OK) {
		status = lmtpio_fill(&s->io, true);
		take_content(s, &dots, &end);
	}
	if (end)
		id = finish_message(s);
	else
		end_waiting(s, status);
	message_reset(&s->message);
	return id;
}

static enum reply_id do_reset(struct session *s, const struct lmtp_event *e)
{
	FAULT_PASS(LMTP_RESET);
	message_reset(&s->message);
	return do_say(s, e);
}

static enum reply_id do_quit(struct session *s, const struct lmtp_event *e)
{
	FAULT_PASS(LMTP_QUIT);
	end_with(s, e->reply);
	return e->reply;
}

static void carry_out(struct session *s, const struct lmtp_event *e)
{
	static enum reply_id (*const run[LMTP_KINDS])(
		struct session *, const struct lmtp_event *) = {
		[LMTP_SAY] = do_say,   [LMTP_HELLO] = do_hello,
		[LMTP_MAIL] = do_mail, [LMTP_RCPT] = do_rcpt,
		[LMTP_DATA] = do_data, [LMTP_RESET] = do_reset,
		[LMTP_QUIT] = do_quit,
	};

	lmtpstate_done(&s->state, e, run[e->kind](s, e));
}

/* A line that ended in CRLF has its CR behind it. */
static bool is_bare(enum line_status status, struct span line)
{
	return status == LINE_OK && line.p[line.n] != '\r';
}

static void session_turn(struct session *s)
{
	enum lmtpio_status waited;
	struct lmtp_event e;
	struct span line;
	enum line_status status = line_take(&s->io.in, &line);

	if (status == LINE_MORE) {
		waited = lmtpio_fill(&s->io, false);
		if (waited != LMTPIO_OK)
			end_waiting(s, waited);
		return;
	}
	e = lmtpstate_line(&s->state, status, is_bare(status, line), line);
	carry_out(s, &e);
	if (s->io.out.n >= LMTPIO_OUT_FULL && !lmtpio_flush(&s->io))
		s->ended = true;
}

static bool session_open(struct session *s, unsigned long id, int fd,
			 int stop_fd)
{
	const struct conf *c;

	s->id = id;
	s->settings = settings_get();
	c = s->settings->conf;
	buf_init(&s->piece, LMTPIO_IN + 8);
	lmtpstate_init(&s->state, c->lmtp_message_max);
	if (!lmtpio_init(&s->io, fd, stop_fd, c->lmtp_timeout))
		return false;
	lmtp_put_banner(&s->io.out, net_hostname(c->hostname));
	return true;
}

static void session_close(struct session *s)
{
	FAULT_PASS(LMTP_CLOSE);
	if (!lmtpio_flush(&s->io))
		log_debug("session %lu: the MTA does not take the rest", s->id);
	message_release(&s->message);
	settings_put(&s->settings);
	buf_release(&s->piece);
	lmtpio_release(&s->io);
}

void session_serve(unsigned long id, int fd, int stop_fd)
{
	struct session s = { .id = id };

	s.ended = !session_open(&s, id, fd, stop_fd);
	if (s.ended)
		log_warn("session %lu: out of memory", id);
	log_debug("session %lu begins", id);
	FAULT_PASS(LMTP_BEGIN);
	while (!s.ended)
		session_turn(&s);
	session_close(&s);
	log_debug("session %lu ends", id);
}
