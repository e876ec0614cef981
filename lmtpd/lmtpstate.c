/* lmtpd/lmtpstate.c: see lmtpstate.h. */
#include "lmtpd/lmtpstate.h"

enum { SUBJECT_MAX = 320 };

struct command {
	const char *verb;
	unsigned states;
	struct lmtp_event (*handler)(struct lmtpstate *s, struct span arg);
};

static struct lmtp_event event(enum lmtp_kind kind, enum reply_id reply)
{
	return (struct lmtp_event){ .kind = kind, .reply = reply };
}

static struct lmtp_event refuse(struct lmtpstate *s, enum reply_id reply)
{
	if (++s->errors >= LMTP_ERRORS_MAX)
		return event(LMTP_QUIT, R_LMTP_ERRORS);
	return event(LMTP_SAY, reply);
}

static struct lmtp_event do_lhlo(struct lmtpstate *s, struct span arg)
{
	struct lmtp_event e = event(LMTP_HELLO, R_LMTP_OK);

	if (arg.n == 0 || arg.n > LMTP_NAME_MAX || span_find(arg, ' ') < arg.n)
		return refuse(s, R_LMTP_SYNTAX);
	e.text = arg;
	return e;
}

/* RFC 2033 s.4.1: who takes it for SMTP shall see at once that it is none. */
static struct lmtp_event do_ehlo(struct lmtpstate *s, struct span arg)
{
	(void)arg;
	return refuse(s, R_LMTP_EHLO);
}

static struct lmtp_event do_mail(struct lmtpstate *s, struct span arg)
{
	struct lmtp_event e = event(LMTP_MAIL, R_LMTP_SENDER_OK);
	enum reply_id why = lmtp_parse_mail(arg, &e.mail);

	if (why == R_NONE && e.mail.size > s->size_max)
		return event(LMTP_SAY, R_LMTP_SIZE);
	return why == R_NONE ? e : refuse(s, why);
}

static struct lmtp_event do_rcpt(struct lmtpstate *s, struct span arg)
{
	struct lmtp_event e = event(LMTP_RCPT, R_LMTP_RCPT_OK);
	enum reply_id why = lmtp_parse_rcpt(arg, &e.text);

	return why == R_NONE ? e : refuse(s, why);
}

/* RFC 2033 s.4.2: no DATA without a recipient. That is what is left of a
 * transaction whose recipients were all rejected, so it is no error. */
static struct lmtp_event do_data(struct lmtpstate *s, struct span arg)
{
	if (arg.n > 0)
		return refuse(s, R_LMTP_SYNTAX);
	if (s->state != ST_RCPT)
		return event(LMTP_SAY, R_LMTP_NO_RCPT);
	return event(LMTP_DATA, R_LMTP_GO_ON);
}

static struct lmtp_event do_rset(struct lmtpstate *s, struct span arg)
{
	if (arg.n > 0)
		return refuse(s, R_LMTP_SYNTAX);
	return event(LMTP_RESET, R_LMTP_OK);
}

static struct lmtp_event do_noop(struct lmtpstate *s, struct span arg)
{
	(void)s;
	(void)arg;
	return event(LMTP_SAY, R_LMTP_OK);
}

static struct lmtp_event do_vrfy(struct lmtpstate *s, struct span arg)
{
	(void)arg;
	(void)s;
	return event(LMTP_SAY, R_LMTP_VRFY);
}

static struct lmtp_event do_help(struct lmtpstate *s, struct span arg)
{
	(void)s;
	(void)arg;
	return event(LMTP_SAY, R_LMTP_HELP);
}

static struct lmtp_event do_quit(struct lmtpstate *s, struct span arg)
{
	if (arg.n > 0)
		return refuse(s, R_LMTP_SYNTAX);
	return event(LMTP_QUIT, R_LMTP_BYE);
}

static struct lmtp_event do_unknown(struct lmtpstate *s, struct span arg)
{
	(void)arg;
	return refuse(s, R_LMTP_UNKNOWN);
}

static const struct command commands[] = {
#define LMTP_CMD(verb, states, handler) { #verb, states, do_##handler },
#include "lmtpd/lmtpcmd.def"
#undef LMTP_CMD
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct command *find_command(struct span verb)
{
	size_t i = 0;

	while (i < COMMANDS - 1 &&
	       !span_eq_nocase(verb, span_of(commands[i].verb)))
		i++;
	return &commands[i];
}

void lmtpstate_init(struct lmtpstate *s, uint64_t size_max)
{
	*s = (struct lmtpstate){ .size_max = size_max, .state = ST_START };
}

static struct lmtp_event run_command(struct lmtpstate *s, struct span line)
{
	const struct command *c;
	struct span verb, arg;

	(void)span_cut(line, ' ', &verb, &arg);
	c = find_command(verb);
	if ((c->states & s->state) == 0)
		return refuse(s, R_LMTP_ORDER);
	while (arg.n > 0 && arg.p[arg.n - 1] == ' ')
		arg.n--;
	return c->handler(s, arg);
}

struct lmtp_event lmtpstate_line(struct lmtpstate *s, enum line_status status,
				 bool bare, struct span line)
{
	if (status == LINE_LONG || line.n > LMTP_LINE_MAX)
		return refuse(s, R_LMTP_LONG);
	if (status == LINE_NUL)
		return refuse(s, R_LMTP_NUL);
	if (bare)
		return refuse(s, R_LMTP_BARE_LF);
	return run_command(s, line);
}

void lmtpstate_done(struct lmtpstate *s, const struct lmtp_event *e,
		    enum reply_id reply)
{
	bool good = reply_get(reply)->smtp < 400;

	if (e->kind == LMTP_DATA ||
	    (e->kind == LMTP_RESET && s->state != ST_START) ||
	    (e->kind == LMTP_HELLO && good))
		s->state = ST_READY;
	if (e->kind == LMTP_MAIL && good) {
		s->state = ST_MAIL;
		s->errors = 0;
	}
	if (e->kind == LMTP_RCPT && good)
		s->state = ST_RCPT;
}

static void put_clean(struct buf *out, struct span s)
{
	s = span_head(s, SUBJECT_MAX);
	for (size_t i = 0; i < s.n; i++)
		buf_putc(out, s.p[i] < 0x20 || s.p[i] > 0x7e ? '?' : s.p[i]);
}

void lmtp_put_reply(struct buf *out, enum reply_id id, struct span subject)
{
	lmtp_put_decided(out, id, subject, NULL, "");
}

void lmtp_put_decided(struct buf *out, enum reply_id id, struct span subject,
		      const struct reply_words *words, const char *decision)
{
	const struct reply *r = reply_get(id);

	buf_printf(out, "%u ", r->smtp);
	if (r->enhanced[0])
		buf_printf(out, "%s ", r->enhanced);
	if (subject.n) {
		buf_putc(out, '<');
		put_clean(out, subject);
		buf_puts(out, ">: ");
	}
	reply_put_text(out, id, words);
	if (decision[0])
		buf_printf(out, " [%s]", decision);
	buf_puts(out, "\r\n");
}

void lmtp_put_banner(struct buf *out, const char *hostname)
{
	const struct reply *r = reply_get(R_LMTP_BANNER);

	buf_printf(out, "%u ", r->smtp);
	put_clean(out, span_of(hostname));
	buf_printf(out, " %s\r\n", r->text);
}

/* What we can do (RFC 2033 s.5 asks for the first two). DSN is not offered:
 * then it is the MTA that tells of a delivery. */
void lmtp_put_hello(struct buf *out, const char *hostname, uint64_t size_max)
{
	static const char *const can[] = { "PIPELINING", "ENHANCEDSTATUSCODES",
					   "8BITMIME", "SMTPUTF8" };
	unsigned code = reply_get(R_LMTP_OK)->smtp;

	buf_printf(out, "%u-", code);
	put_clean(out, span_of(hostname));
	buf_puts(out, "\r\n");
	for (size_t i = 0; i < sizeof(can) / sizeof(*can); i++)
		buf_printf(out, "%u-%s\r\n", code, can[i]);
	buf_printf(out, "%u SIZE %llu\r\n", code, (unsigned long long)size_max);
}
