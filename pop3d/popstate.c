#include "pop3d/popstate.h"

#include "pop3d/popbox.h"
#include "pop3d/popcmd.h"
#include "pop3d/poplogin.h"
#include "pop3d/popxclient.h"

void popstate_init(struct popstate *s, const struct popstate_rules *rules,
		   struct buf *out)
{
	*s = (struct popstate){
		.rules = *rules,
		.out = out,
		.request = BUF_INIT(CHAN_FRAME_MAX),
		.state = ST_AUTH,
		.user = BUF_INIT(AUTHPROTO_NAME_MAX),
		.list = POPLIST_INIT,
	};
	popread_init(&s->read);
}

void popstate_release(struct popstate *s)
{
	buf_wipe(&s->request);
	buf_release(&s->user);
	poplist_release(&s->list);
	popread_release(&s->read);
}

bool popstate_out_full(const struct popstate *s)
{
	return s->out->n >= POPSTATE_OUT_FULL;
}

static void end(struct popstate *s, enum reply_id reply, enum chan_end why)
{
	if (reply != R_NONE)
		reply_put_pop3(s->out, reply);
	s->ended = true;
	s->end = why;
}

void popstate_greet(struct popstate *s)
{
	buf_puts(s->out, s->rules.xclient ? "+OK [XCLIENT] Mailrow POP3 ready"
					  : "+OK Mailrow POP3 ready");
	if (s->rules.apop)
		buf_printf(s->out, " %s", s->rules.challenge);
	buf_puts(s->out, "\r\n");
	if (!buf_ok(s->out))
		end(s, R_NONE, CHAN_END_TROUBLE);
}

/* Trouble of ours is not counted against the client. */
static void refuse(struct popstate *s, enum reply_id reply)
{
	if (reply != R_POP_TEMP && ++s->errors >= s->rules.max_errors)
		end(s, R_POP_ERRORS, CHAN_END_ERRORS);
	else
		reply_put_pop3(s->out, reply);
}

static enum reply_id stop_reply(enum chan_end stop)
{
	if (stop == CHAN_END_TAKEN)
		return R_POP_TAKEN;
	return stop == CHAN_END_DISABLED ? R_POP_CLOSED : R_POP_KICKED;
}

static void end_at_border(struct popstate *s)
{
	if (s->stopping && !s->ended && s->job == JOB_NONE)
		end(s, stop_reply(s->stop), s->stop);
}

/* Every answer is made of events here. */
void popstate_conclude(struct popstate *s, struct pop_event ev)
{
	if (ev.kind == POP_WAIT)
		return;
	s->job = JOB_NONE;
	if (ev.kind == POP_OK)
		buf_puts(s->out, "+OK\r\n");
	if (ev.kind == POP_ERR)
		refuse(s, ev.reply);
	else if (ev.kind == POP_END)
		end(s, ev.reply, ev.end);
	else
		s->errors = 0;
	if (!buf_ok(s->out) && !s->ended)
		end(s, R_NONE, CHAN_END_TROUBLE);
	end_at_border(s);
}

bool popstate_wants_line(const struct popstate *s)
{
	return !s->ended && s->job == JOB_NONE && !popstate_out_full(s);
}

static struct pop_event run_command(struct popstate *s, struct span line)
{
	const struct popcmd *cmd;
	struct popcmd_args args;
	enum reply_id why = popcmd_find(line, s->state, &cmd, &args);

	return why == R_NONE ? cmd->handler(s, &args) : pop_err(why);
}

void popstate_line(struct popstate *s, enum line_status status,
		   struct span line)
{
	if (s->ended)
		return;
	if (status == LINE_NUL)
		end(s, R_POP_NUL, CHAN_END_ERRORS);
	else if (status == LINE_LONG)
		end(s, R_POP_LONG, CHAN_END_ERRORS);
	else if (s->sasl != SASL_NONE)
		popstate_conclude(s, poplogin_answer(s, line));
	else
		popstate_conclude(s, run_command(s, line));
}

static struct pop_event wait_go(struct popstate *s)
{
	(void)s;
	return pop_event(POP_WAIT);
}

void popstate_go(struct popstate *s)
{
	static struct pop_event (*const step[JOB_COUNT])(struct popstate *) = {
		[JOB_NONE] = wait_go,        [JOB_PEER] = wait_go,
		[JOB_LOGIN] = wait_go,       [JOB_LIST] = popbox_list_go,
		[JOB_UIDL] = popbox_list_go, [JOB_READ] = popread_go,
		[JOB_QUIT] = popbox_quit_go, [JOB_STLS] = wait_go,
	};

	if (!s->ended)
		popstate_conclude(s, step[s->job](s));
}

void popstate_sent(struct popstate *s)
{
	buf_wipe(&s->request);
	popstate_go(s);
}

/* A stream has to fit into the output; everything else is bounded itself. */
bool popstate_wants_frame(const struct popstate *s)
{
	if (s->ended || s->flight == FLIGHT_NONE)
		return false;
	return s->flight != FLIGHT_READ || s->read.mode != READ_STREAM ||
	       !popstate_out_full(s);
}

bool popstate_hears_frame(const struct popstate *s)
{
	return !s->ended && s->flight == FLIGHT_NONE;
}

static struct pop_event unasked_reply(struct popstate *s, struct chan_reply *r)
{
	(void)r;
	return popstate_trouble(s);
}

/* An event of a read-ahead that no command waits for has no answer. */
static void conclude_reply(struct popstate *s, struct pop_event ev)
{
	if (s->job != JOB_NONE || ev.kind == POP_END)
		popstate_conclude(s, ev);
}

void popstate_frame(struct popstate *s, struct span frame)
{
	static struct pop_event (*const handler[FLIGHT_COUNT])(
		struct popstate *, struct chan_reply *) = {
		[FLIGHT_NONE] = unasked_reply,
		[FLIGHT_PEER] = popxclient_reply,
		[FLIGHT_LOGIN] = poplogin_reply,
		[FLIGHT_READ] = popread_reply,
		[FLIGHT_MOVE] = popbox_reply,
	};
	struct chan_reply r;

	if (s->ended)
		return;
	if (!chan_parse_reply(frame, &r)) {
		popstate_lost(s);
	} else if (r.type == CHAN_STOP) {
		s->stopping = true;
		s->stop = r.end;
		end_at_border(s);
	} else {
		conclude_reply(s, handler[s->flight](s, &r));
	}
	popstate_go(s);
}

bool popstate_holds(const struct popstate *s)
{
	return !s->ended && s->job == JOB_READ && s->read.begun &&
	       !popstate_out_full(s);
}

static bool in_mid_answer(const struct popstate *s)
{
	return s->job == JOB_LIST || s->job == JOB_UIDL ||
	       (s->job == JOB_READ && s->read.begun);
}

struct pop_event popstate_trouble(const struct popstate *s)
{
	return pop_end(in_mid_answer(s) ? R_NONE : R_POP_TEMP,
		       CHAN_END_TROUBLE);
}

void popstate_lost(struct popstate *s)
{
	if (!s->ended)
		popstate_conclude(s, popstate_trouble(s));
}

void popstate_all_sent(struct popstate *s)
{
	s->mail_unsent = false;
}

/* Who did not get his mail shall not lose it by commands sent ahead. */
void popstate_deaf(struct popstate *s)
{
	s->deaf = true;
	if (!s->ended && (s->job == JOB_READ || s->mail_unsent))
		end(s, R_NONE, CHAN_END_CLOSED);
}

void popstate_stop(struct popstate *s, enum chan_end why)
{
	if (s->ended)
		return;
	end(s, why == CHAN_END_STOPPED ? R_POP_TEMP : R_NONE, why);
}

void popstate_put_bye(const struct popstate *s, uint64_t in_octets,
		      uint64_t out_octets, struct buf *b)
{
	struct chan_bye bye = s->count;

	bye.end = s->end;
	bye.size_octets = s->list.octets;
	bye.in_octets = in_octets;
	bye.out_octets = out_octets;
	chan_put_bye(b, &bye);
}

bool popstate_message(const struct popstate *s, struct span number, size_t *i_r,
		      enum reply_id *why_r)
{
	uint64_t n;

	*why_r = R_NONE;
	if (!span_u64(number, &n))
		*why_r = R_POP_SYNTAX;
	else if (n == 0 || n > s->list.n)
		*why_r = R_POP_NOMSG;
	else if (s->list.mail[n - 1].deleted)
		*why_r = R_POP_DELETED;
	else
		*i_r = (size_t)n - 1;
	return *why_r == R_NONE;
}
