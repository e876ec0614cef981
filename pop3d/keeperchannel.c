/* pop3d/keeperchannel.c: see keeperchannel.h. */
#include "pop3d/keeperchannel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "pop3d/keeperlog.h"
#include "pop3d/keeperloop.h"
#include "pop3d/keeperstate.h"
#include "pop3d/keeperstop.h"

static bool watch(struct keeperloop *k, struct channel *c, int op, bool out)
{
	struct epoll_event ev = { .events = EPOLLIN | (out ? EPOLLOUT : 0U),
				  .data = { .u64 = c->key } };

	c->want_out = out;
	return epoll_ctl(k->epoll, op, c->fd, &ev) == 0;
}

bool channel_want_out(struct keeperloop *k, struct channel *c, bool out)
{
	return out == c->want_out || watch(k, c, EPOLL_CTL_MOD, out);
}

static void forget_out(struct keeperloop *k, struct channel *c)
{
	k->buffered -= c->held;
	c->held = 0;
	frames_release(&c->out);
}

/* Removed from epoll by hand: while another process still holds the socket,
 * close() would not do it. */
static void channel_free(struct keeperloop *k, struct channel *c)
{
	struct keeperjob *j = c->parked ? keeperloop_unpark(k, c) : NULL;

	keeperjob_free(&j);
	keeperlease_leave(k, c);
	(void)epoll_ctl(k->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	close(c->fd);
	forget_out(k, c);
	if (c->peer_counted)
		keeperlimits_remove_peer(&k->limits, (uint32_t)c->key);
	keeperlimits_leave(&k->limits, &c->account);
	keepersession_release(&c->s);
	keepercheck_free(&c->check);
	if (c->stop_sent)
		k->told--;
	keeperloop_remove(k, c);
	free(c);
}

void channel_open(struct keeperloop *k, const struct keeper_session *told,
		  int fd)
{
	struct channel *c = calloc(1, sizeof(*c));

	if (!c) {
		log_warn("cannot take session: out of memory");
		close(fd);
		return;
	}
	keepersession_init(&c->s, told);
	frames_init(&c->out, CHAN_FRAME_MAX);
	c->fd = fd;
	c->since = clock_unix();
	c->timing = METRIC_COUNT;
	c->key = keeperloop_add(k, c);
	if (c->key && watch(k, c, EPOLL_CTL_ADD, false))
		return;
	log_warn("cannot take session: %s", strerror(errno));
	if (c->key)
		keeperloop_remove(k, c);
	close(fd);
	free(c);
}

static void count_bye(const struct chan_bye *y)
{
	metric_add(M_RETR, y->retr);
	metric_add(M_TOP, y->top);
	metric_add(M_DELE, y->dele);
	metric_add(M_POP3_OUT_OCTETS, y->out_octets);
}

static void log_end(const struct channel *c, const struct chan_bye *bye,
		    const char *why)
{
	struct buf line = BUF_INIT(KEEPERLOG_MAX);

	keeperlog_put_end(&line, &c->s, bye, why);
	log_info("%s", buf_cstr(&line));
	if (bye)
		count_bye(bye);
	buf_release(&line);
}

void channel_close(struct keeperloop *k, struct channel *c, const char *why)
{
	log_end(c, NULL, why);
	channel_free(k, c);
}

static void channel_drop(struct keeperloop *k, struct channel *c,
			 const char *why)
{
	struct buf line = BUF_INIT(KEEPERLOG_MAX);

	k->dropped++;
	keeperlog_put_drop(&line, &c->s, why);
	log_warn("%s (%" PRIu64 " so far)", buf_cstr(&line), k->dropped);
	buf_release(&line);
	channel_close(k, c, "dropped");
}

static struct keeperjob *job_new(struct channel *c, enum keeperjob_kind kind)
{
	struct keeperjob *j = keeperjob_new(kind);

	if (!j)
		return NULL;
	j->who = c->key;
	j->session = c->s.told.id;
	j->mailbox_id = c->s.mailbox_id;
	return j;
}

/* The next page or piece of what is in flight. */
static struct keeperjob *job_next(struct channel *c)
{
	enum keeperjob_kind kind = c->s.state == KS_LIST ? KJ_LIST
				   : c->s.read.n > 1     ? KJ_READ_MANY
							 : KJ_READ;
	struct keeperjob *j = job_new(c, kind);

	if (!j)
		return NULL;
	if (kind == KJ_LIST) {
		j->u.after = c->s.last_uid;
	} else {
		j->u.read.what = c->s.read;
		j->u.read.begun = c->s.begun;
		j->u.read.check = c->check;
		c->check = NULL;
	}
	return j;
}

static void channel_send(struct keeperloop *k, struct channel *c);

static void answer(struct keeperloop *k, struct channel *c)
{
	if (buf_ok(&c->out.b))
		channel_send(k, c);
	else
		channel_close(k, c, "out of memory");
}

static void answer_simple(struct keeperloop *k, struct channel *c,
			  enum chan_reply_type t)
{
	chan_put_simple(frames_begin(&c->out), t);
	frames_end(&c->out);
	answer(k, c);
}

/* The limit of an account is counted where it is looked at. */
static void count_denied(enum chan_denial why)
{
	static const char *const reason[CHAN_DENIED_COUNT] = {
		[CHAN_DENIED_PASSWORD] = "password",
		[CHAN_DENIED_CLOSED] = "account not open",
		[CHAN_DENIED_EARLY] = "login_delay",
		[CHAN_DENIED_LOCKED] = "pop3_exclusive",
	};

	if (reason[why])
		metric_add_named(M_REFUSED, reason[why]);
}

static void answer_denied(struct keeperloop *k, struct channel *c,
			  enum chan_denial why)
{
	count_denied(why);
	if (why == CHAN_DENIED_PASSWORD)
		c->s.denied++;
	else
		c->s.refused++;
	c->timing = METRIC_COUNT;
	chan_put_denied(frames_begin(&c->out), why);
	frames_end(&c->out);
	answer(k, c);
}

/* Our trouble ends what was asked. */
static void fail(struct keeperloop *k, struct channel *c)
{
	c->timing = METRIC_COUNT;
	keepersession_fail(&c->s);
	if (!c->s.bound)
		keeperlimits_leave(&k->limits, &c->account);
}

static void answer_temp(struct keeperloop *k, struct channel *c)
{
	fail(k, c);
	answer_simple(k, c, CHAN_TEMP);
}

void channel_stop(struct keeperloop *k, struct channel *c, enum chan_end why)
{
	c->stopping = true;
	c->stop = why;
	keeperstop_tell(k, c);
}

static void submit(struct keeperloop *k, struct channel *c, struct keeperjob *j)
{
	if (!j) {
		answer_temp(k, c);
		return;
	}
	j->blank_line = k->conf->pop3_blank_line;
	keeperloop_submit(k, c, j);
}

static void channel_send(struct keeperloop *k, struct channel *c)
{
	enum frames_result r;
	bool full;

	FAULT_PASS(KEEPER_ANSWER);
	r = frames_send(&c->out, c->fd);
	full = r == FRAMES_FULL;
	FAULT_PASS(KEEPER_ANSWERED);
	if (!channel_want_out(k, c, full)) {
		channel_close(k, c, "out of memory");
		return;
	}
	if (full)
		return;
	forget_out(k, c);
	/* dead: what it said before, its BYE perhaps, is still to be read */
	if (r == FRAMES_DEAD)
		return;
	if (c->s.more) {
		submit(k, c, job_next(c));
		return;
	}
	if (c->timing != METRIC_COUNT)
		metric_add_time(c->timing, c->asked);
	c->timing = METRIC_COUNT;
	keepersession_rest(&c->s);
	keeperstop_tell(k, c);
}

void channel_writable(struct keeperloop *k, struct channel *c)
{
	struct keeperjob *j;

	if (!c->parked && frames_empty(&c->out)) {
		if (!channel_want_out(k, c, false))
			channel_close(k, c, "out of memory");
		else
			keeperstop_tell(k, c);
		return;
	}
	if (!c->parked) {
		channel_send(k, c);
		return;
	}
	j = keeperloop_unpark(k, c);
	j->narrow = true;
	keeperloop_give(k, j);
}

/* The address is the parent's word. Of TLS only the session can know, since it
 * ends there: a door that is open over TLS only opens to one that lies. It lies
 * for who took it over and knows the password, and he could come by TLS. */
static void ask_authd(struct keeperloop *k, struct channel *c,
		      const struct chan_auth *a)
{
	const struct authproto_login login = {
		.mech = a->mech,
		.service = "pop3",
		.rip = c->s.told.remote,
		.lip = c->s.told.local,
		.secured = a->tls,
		.user = a->user,
		.secret = a->secret,
		.challenge = span_of(c->s.told.challenge),
	};

	if (a->mech != MECH_PLAIN && !login.challenge.n) {
		channel_drop(k, c, "a digest was not offered");
		return;
	}
	if (!keeperauth_ask(&k->auth, c->key, &login, clock_ms()))
		answer_temp(k, c);
}

static void take_peer(struct keeperloop *k, struct channel *c)
{
	FAULT_PASS(KEEPER_PEER);
	c->peer_counted = keeperlimits_add_peer(
		&k->limits, k->conf, (uint32_t)c->key, &c->s.told.remote);
	answer_simple(k, c, c->peer_counted ? CHAN_PEER_TAKEN : CHAN_CROWDED);
}

/* The uids go over to the job. */
static void begin_move(struct keeperloop *k, struct channel *c)
{
	struct keeperjob *j = job_new(c, KJ_MOVE);

	FAULT_PASS(KEEPER_MOVE);
	if (!j) {
		answer_temp(k, c);
		return;
	}
	j->u.move.uid = c->s.move;
	j->u.move.n = c->s.nmove;
	c->s.move = NULL;
	c->s.nmove = 0;
	c->s.move_size = 0;
	memcpy(j->u.move.who, c->s.user, sizeof(j->u.move.who));
	(void)ipaddr_text(&c->s.told.remote, j->u.move.from);
	if (c->lease.fence) {
		j->owner = &k->lease.owner;
		j->lease = c->lease;
		c->moving = true;
	}
	k->promised++;
	keeperloop_submit(k, c, j);
}

static void time_request(struct channel *c, enum metric_id m)
{
	c->asked = clock_us();
	c->timing = m;
}

static void take_frame(struct keeperloop *k, struct channel *c,
		       struct span frame)
{
	enum keepersession_todo todo;
	struct chan_request r;
	const char *why = "";

	todo = keepersession_take(&c->s, frame, k->conf->auth_attempts, &r,
				  &why);
	if (!keeperstop_allows(c, todo)) {
		channel_drop(k, c, "request though it was told to end");
		return;
	}
	switch (todo) {
	case KT_DROP:
		channel_drop(k, c, why);
		break;
	case KT_AUTH:
		time_request(c, M_LOGIN_SECONDS);
		ask_authd(k, c, &r.u.auth);
		break;
	case KT_READ:
		time_request(c, M_RETR_SECONDS);
		submit(k, c, job_next(c));
		break;
	case KT_WAIT:
		break;
	case KT_MOVE:
		time_request(c, M_QUIT_SECONDS);
		begin_move(k, c);
		break;
	case KT_PEER:
		take_peer(k, c);
		break;
	case KT_BYE:
		FAULT_PASS(KEEPER_BYE);
		log_end(c, &r.u.bye, NULL);
		channel_free(k, c);
		break;
	}
}

/* A peer that closed with octets unread leaves ECONNRESET in front of the last
 * frames it sent. */
static ssize_t receive(struct keeperloop *k, int fd)
{
	ssize_t n;

	do {
		n = recv(fd, k->frame, sizeof(k->frame),
			 MSG_DONTWAIT | MSG_TRUNC);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	return n;
}

void channel_readable(struct keeperloop *k, struct channel *c)
{
	ssize_t n = receive(k, c->fd);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		channel_close(k, c, "session died");
		return;
	}
	if ((size_t)n > sizeof(k->frame)) {
		channel_drop(k, c, "frame too long");
		return;
	}
	take_frame(k, c, span_make(k->frame, (size_t)n));
	/* a password may have stood there */
	if (k->frame[0] == CHAN_AUTH)
		explicit_bzero(k->frame, (size_t)n);
}

static bool put_text(char *to, size_t size, struct span s)
{
	if (s.n >= size || memchr(s.p, '\0', s.n))
		return false;
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return true;
}

static bool fill_open(struct keeperjob_open *o,
		      const struct authproto_answer *a)
{
	return a->user.n > 0 && a->user.n <= AUTHPROTO_NAME_MAX &&
	       a->mailbox.n > 0 &&
	       put_text(o->address, sizeof(o->address), a->mailbox) &&
	       put_text(o->incarnation, sizeof(o->incarnation), a->incarnation);
}

static void begin_open(struct keeperloop *k, struct channel *c,
		       const struct authproto_answer *a)
{
	struct keeperjob *j = job_new(c, KJ_OPEN);

	if (j && !fill_open(&j->u.open, a)) {
		log_warn("session=<%016" PRIx64 ">: mailrow-authd named no "
			 "mailbox of this login",
			 c->s.told.id);
		keeperjob_free(&j);
	}
	if (j)
		keepersession_set_user(&c->s, a->user);
	if (j)
		j->u.open.days = k->conf->retention;
	if (j && k->conf->pop3_exclusive)
		j->owner = &k->lease.owner;
	submit(k, c, j);
}

/* After the password, so that nobody learns when another last came. */
static bool is_early(const struct keeperloop *k, struct channel *c,
		     struct span mailbox)
{
	c->s.delay_key = logindelay_key(mailbox);
	return logindelay_is_early(&k->delay, c->s.delay_key, clock_ms(),
				   k->conf->login_delay);
}

static void begin_login(struct keeperloop *k, struct channel *c,
			const struct authproto_answer *a)
{
	c->account = keeperlimits_join(&k->limits, k->conf, a->user);
	if (c->account) {
		keeperstate_note(c->account, clock_ms());
		begin_open(k, c, a);
	} else {
		answer_denied(k, c, CHAN_DENIED_IN_USE);
	}
}

void channel_authenticated(struct keeperloop *k, struct channel *c,
			   const struct authproto_answer *a)
{
	if (!a)
		answer_temp(k, c);
	else if (a->kind == AUTHPROTO_A_CLOSED)
		answer_denied(k, c, CHAN_DENIED_CLOSED);
	else if (a->kind != AUTHPROTO_A_OK)
		answer_denied(k, c, CHAN_DENIED_PASSWORD);
	else if (is_early(k, c, a->mailbox))
		answer_denied(k, c, CHAN_DENIED_EARLY);
	else
		begin_login(k, c, a);
}

static void log_login(const struct channel *c)
{
	struct buf line = BUF_INIT(KEEPERLOG_MAX);

	keeperlog_put_login(&line, &c->s);
	log_info("%s", buf_cstr(&line));
	buf_release(&line);
}

static void take_open(struct keeperloop *k, struct channel *c,
		      const struct keeperjob *j)
{
	keepersession_bind(&c->s, j->mailbox_id);
	if (k->conf->login_delay > 0)
		logindelay_note(&k->delay, c->s.delay_key, clock_ms());
	log_login(c);
}

static void take_read(struct channel *c, struct keeperjob *j)
{
	keepersession_advance(&c->s, j->count);
	if (!j->more)
		return;
	c->check = j->u.read.check;
	j->u.read.check = NULL;
}

static void take_result(struct keeperloop *k, struct channel *c,
			struct keeperjob *j)
{
	if (j->failed) {
		fail(k, c);
		return;
	}
	c->s.more = j->more;
	if (j->kind == KJ_OPEN)
		take_open(k, c, j);
	if (j->kind == KJ_OPEN || j->kind == KJ_LIST) {
		c->s.listed += j->count;
		c->s.last_uid = j->last_uid;
	} else if (j->kind == KJ_READ) {
		take_read(c, j);
	}
}

void channel_answered(struct keeperloop *k, struct channel *c,
		      struct keeperjob *j)
{
	c->s.database_us += j->took;
	if (j->locked && !j->failed) {
		fail(k, c);
		answer_denied(k, c, CHAN_DENIED_LOCKED);
		return;
	}
	take_result(k, c, j);
	if (!buf_ok(&j->out.b)) {
		channel_close(k, c, "out of memory");
		return;
	}
	frames_release(&c->out);
	c->out = j->out;
	frames_init(&j->out, 0);
	c->held = c->out.b.n;
	c->octets += c->held;
	k->buffered += c->held;
	channel_send(k, c);
}
