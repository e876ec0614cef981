#include "pop3d/poplogin.h"

#include "lib/base64.h"
#include "pop3d/popcmd.h"
#include "pop3d/popstate.h"
#include "pop3d/poptls.h"

enum {
	/* authzid NUL authcid NUL passwd (RFC 4616) and its base64 */
	MESSAGE_MAX = 2 * AUTHPROTO_NAME_MAX + 2 + CHAN_SECRET_MAX,
	ANSWER_MAX = (MESSAGE_MAX + 2) / 3 * 4,
	DIGEST_SIZE = 16
};

/* Asks the keeper. What it cannot take is told before. */
static struct pop_event ask(struct popstate *s, struct chan_auth *a)
{
	a->tls = s->tls;
	if (a->user.n == 0 || a->user.n > AUTHPROTO_NAME_MAX)
		return pop_err(R_POP_SYNTAX);
	if (a->secret.n > CHAN_SECRET_MAX)
		return pop_err(R_POP_LONG);
	chan_put_auth(&s->request, a);
	if (!buf_ok(&s->request))
		return pop_end(R_POP_TEMP, CHAN_END_TROUBLE);
	s->job = JOB_LOGIN;
	s->flight = FLIGHT_LOGIN;
	return pop_event(POP_WAIT);
}

/* False: no memory, for no line holds a name that is too long. */
static bool keep_user(struct popstate *s, struct span name)
{
	buf_reset(&s->user);
	buf_put_span(&s->user, name);
	return buf_ok(&s->user);
}

/* Says the same whether the account exists or not (RFC 1939 s.13). */
struct pop_event pop_user(struct popstate *s, const struct popcmd_args *a)
{
	if (poptls_missing(s))
		return pop_err(R_POP_CLEAR);
	if (!keep_user(s, a->arg[0]))
		return pop_end(R_POP_TEMP, CHAN_END_TROUBLE);
	return pop_event(POP_OK);
}

/* The name is good for one try. */
struct pop_event pop_pass(struct popstate *s, const struct popcmd_args *a)
{
	struct pop_event ev;

	if (poptls_missing(s))
		return pop_err(R_POP_CLEAR);
	if (s->user.n == 0)
		return pop_err(R_POP_NOUSER);
	ev = ask(s, &(struct chan_auth){
			    .mech = MECH_PLAIN,
			    .method = SPAN_LIT("USER"),
			    .user = buf_span(&s->user),
			    .secret = a->arg[0],
		    });
	buf_reset(&s->user);
	return ev;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_digest(struct span hex, char digest_r[DIGEST_SIZE])
{
	if (hex.n != 2 * DIGEST_SIZE)
		return false;
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		int high = hex_digit(hex.p[2 * i]);
		int low = hex_digit(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest_r[i] = (char)(unsigned char)(high << 4 | low);
	}
	return true;
}

struct pop_event pop_apop(struct popstate *s, const struct popcmd_args *a)
{
	char digest[DIGEST_SIZE];

	if (!s->rules.apop)
		return pop_err(R_POP_MECH);
	if (!parse_digest(a->arg[1], digest))
		return pop_err(R_POP_SYNTAX);
	return ask(s, &(struct chan_auth){
			      .mech = MECH_APOP,
			      .method = SPAN_LIT("APOP"),
			      .user = a->arg[0],
			      .secret = span_make(digest, sizeof(digest)),
		      });
}

static struct pop_event ask_plain(struct popstate *s, struct span message)
{
	struct chan_auth a = {
		.mech = MECH_PLAIN,
		.method = SPAN_LIT("PLAIN"),
	};

	if (!auth_plain_split(message, &a.user, &a.secret))
		return pop_err(R_POP_SYNTAX);
	return ask(s, &a);
}

/* The next challenge; what was said counts as neither right nor wrong yet. */
static struct pop_event challenge(struct popstate *s, enum pop_sasl next,
				  struct span text)
{
	s->sasl = next;
	buf_puts(s->out, "+ ");
	base64_encode(text, s->out);
	buf_puts(s->out, "\r\n");
	return pop_event(POP_WAIT);
}

/* LOGIN is nowhere but in draft-murchison-sasl-login-00; clients wait for
 * these two words. */
static struct pop_event login_name(struct popstate *s, struct span name)
{
	if (name.n == 0 || name.n > AUTHPROTO_NAME_MAX ||
	    memchr(name.p, '\0', name.n))
		return pop_err(R_POP_SYNTAX);
	if (!keep_user(s, name))
		return pop_end(R_POP_TEMP, CHAN_END_TROUBLE);
	return challenge(s, SASL_LOGIN_PASS, SPAN_LIT("Password:"));
}

static struct pop_event login_password(struct popstate *s, struct span password)
{
	struct pop_event ev;

	if (memchr(password.p, '\0', password.n))
		return pop_err(R_POP_SYNTAX);
	ev = ask(s, &(struct chan_auth){
			    .mech = MECH_PLAIN,
			    .method = SPAN_LIT("LOGIN"),
			    .user = buf_span(&s->user),
			    .secret = password,
		    });
	buf_reset(&s->user);
	return ev;
}

/* RFC 2195: the name, a blank, and the digest in hexadecimal. A name may hold
 * blanks itself. */
static struct pop_event ask_cram(struct popstate *s, struct span message)
{
	char digest[DIGEST_SIZE];
	size_t n = 2 * sizeof(digest) + 1;
	struct span name =
		span_head(message, message.n > n ? message.n - n : 0);

	if (name.n == 0 || memchr(name.p, '\0', name.n) ||
	    message.p[name.n] != ' ' ||
	    !parse_digest(span_skip(message, name.n + 1), digest))
		return pop_err(R_POP_SYNTAX);
	return ask(s, &(struct chan_auth){
			      .mech = MECH_CRAM_MD5,
			      .method = SPAN_LIT("CRAM-MD5"),
			      .user = name,
			      .secret = span_make(digest, sizeof(digest)),
		      });
}

/* The client's word in the exchange at step. */
static struct pop_event take_word(struct popstate *s, enum pop_sasl step,
				  struct span word)
{
	struct buf message = BUF_INIT(ANSWER_MAX / 4 * 3);
	struct pop_event ev;

	if (!base64_decode(word, &message))
		ev = buf_ok(&message) ? pop_err(R_POP_BASE64)
				      : pop_end(R_POP_TEMP, CHAN_END_TROUBLE);
	else if (step == SASL_PLAIN)
		ev = ask_plain(s, buf_span(&message));
	else if (step == SASL_CRAM_MD5)
		ev = ask_cram(s, buf_span(&message));
	else if (step == SASL_LOGIN_USER)
		ev = login_name(s, buf_span(&message));
	else
		ev = login_password(s, buf_span(&message));
	buf_wipe(&message);
	return ev;
}

/* "*" takes it all back (RFC 5034 s.4). */
struct pop_event poplogin_answer(struct popstate *s, struct span line)
{
	enum pop_sasl step = s->sasl;

	s->sasl = SASL_NONE;
	if (span_is(line, "*"))
		return pop_err(R_POP_CANCELLED);
	if (line.n > ANSWER_MAX)
		return pop_err(R_POP_LONG);
	return take_word(s, step, line);
}

/* Each mechanism: whether it is offered, whether it sends the password itself,
 * what its first step is and whether the client may take that with the
 * command. */
static bool always(const struct popstate *s)
{
	(void)s;
	return true;
}

static bool with_cram_md5(const struct popstate *s)
{
	return s->rules.cram_md5;
}

static const struct mechanism {
	enum auth_mech mech;
	bool (*offered)(const struct popstate *s);
	bool clear;
	enum pop_sasl first;
	bool client_first;
	const char *challenge; /* NULL: the timestamp */
} mechanisms[] = {
	{ MECH_PLAIN, always, true, SASL_PLAIN, true, "" },
	{ MECH_LOGIN, always, true, SASL_LOGIN_USER, true, "Username:" },
	{ MECH_CRAM_MD5, with_cram_md5, false, SASL_CRAM_MD5, false, NULL },
};

enum { MECHANISMS = sizeof(mechanisms) / sizeof(*mechanisms) };

static bool is_barred(const struct popstate *s, const struct mechanism *m)
{
	return m->clear && poptls_missing(s);
}

void poplogin_put_mechanisms(const struct popstate *s, const char *before,
			     const char *after, struct buf *b)
{
	for (size_t i = 0; i < MECHANISMS; i++) {
		if (mechanisms[i].offered(s) && !is_barred(s, &mechanisms[i]))
			buf_printf(b, "%s%s%s", before,
				   auth_mech_name(mechanisms[i].mech), after);
	}
}

static const struct mechanism *find_mechanism(const struct popstate *s,
					      struct span name)
{
	enum auth_mech mech = auth_mech_parse(name);

	for (size_t i = 0; i < MECHANISMS; i++) {
		if (mechanisms[i].mech == mech && mechanisms[i].offered(s))
			return &mechanisms[i];
	}
	return NULL;
}

/* Outlook asks what there is with a bare AUTH, as once before RFC 5034. */
static struct pop_event list_mechanisms(struct popstate *s)
{
	buf_puts(s->out, "+OK\r\n");
	poplogin_put_mechanisms(s, "", "\r\n", s->out);
	buf_puts(s->out, ".\r\n");
	return pop_event(POP_DONE);
}

struct pop_event pop_auth(struct popstate *s, const struct popcmd_args *a)
{
	const struct mechanism *m;

	if (a->n == 0)
		return list_mechanisms(s);
	m = find_mechanism(s, a->arg[0]);
	if (!m)
		return pop_err(R_POP_MECH);
	if (is_barred(s, m))
		return pop_err(R_POP_CLEAR);
	if (a->n == 1)
		return challenge(s, m->first,
				 span_of(m->challenge ? m->challenge
						      : s->rules.challenge));
	if (!m->client_first)
		return pop_err(R_POP_SYNTAX);
	/* "=" is the empty response (RFC 5034 s.4) */
	return take_word(s, m->first,
			 span_is(a->arg[1], "=") ? SPAN_EMPTY : a->arg[1]);
}

/* Every try counts, or a client could try for ever while the database is
 * down; the keeper counts likewise. */
static struct pop_event failed(struct popstate *s, enum reply_id reply,
			       enum reply_id last, enum chan_end why)
{
	s->flight = FLIGHT_NONE;
	if (++s->attempts >= s->rules.auth_attempts)
		return pop_end(last, why);
	return pop_err(reply);
}

static struct pop_event denied(struct popstate *s, enum chan_denial why)
{
	static const struct {
		enum reply_id reply, last;
	} said[CHAN_DENIED_COUNT] = {
		[CHAN_DENIED_PASSWORD] = { R_POP_AUTH, R_POP_ATTEMPTS },
		[CHAN_DENIED_CLOSED] = { R_POP_CLOSED, R_POP_CLOSED },
		[CHAN_DENIED_EARLY] = { R_POP_EARLY, R_POP_EARLY },
		[CHAN_DENIED_IN_USE] = { R_POP_IN_USE, R_POP_IN_USE },
		[CHAN_DENIED_LOCKED] = { R_POP_LOCKED, R_POP_LOCKED },
	};

	return failed(s, said[why].reply, said[why].last, CHAN_END_ATTEMPTS);
}

static struct pop_event take_list(struct popstate *s, struct chan_reply *r)
{
	struct chan_list_entry e;

	/* the frame holds more than the UIDLs */
	if (!poplist_reserve(&s->list, r->count, r->data.n))
		return pop_end(R_POP_TEMP, CHAN_END_TROUBLE);
	for (uint64_t i = 0; i < r->count; i++) {
		if (!chan_list_next(r, &e) ||
		    !poplist_add(&s->list, e.uid, e.octets, e.uidl))
			return pop_end(R_POP_TEMP, CHAN_END_TROUBLE);
	}
	return pop_event(POP_WAIT);
}

static struct pop_event enter(struct popstate *s)
{
	s->flight = FLIGHT_NONE;
	s->state = ST_TRANS;
	buf_puts(s->out, "+OK ");
	buf_put_u64(s->out, s->list.n);
	buf_puts(s->out, s->list.n == 1 ? " message\r\n" : " messages\r\n");
	return pop_event(POP_DONE);
}

/* Before GRANTED a refusal, after it the list; the rest makes no sense. */
struct pop_event poplogin_reply(struct popstate *s, struct chan_reply *r)
{
	if (s->granted) {
		if (r->type == CHAN_LIST)
			return take_list(s, r);
		if (r->type == CHAN_LIST_END)
			return enter(s);
	} else {
		if (r->type == CHAN_DENIED)
			return denied(s, r->denial);
		if (r->type == CHAN_TEMP)
			return failed(s, R_POP_TEMP, R_POP_TEMP,
				      CHAN_END_TROUBLE);
		if (r->type == CHAN_GRANTED) {
			s->granted = true;
			s->grant = r->grant;
			return pop_event(POP_WAIT);
		}
	}
	return pop_end(R_POP_TEMP, CHAN_END_TROUBLE);
}
