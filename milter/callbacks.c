/* milter/callbacks.c: a callback is fetch, decide, say. Any of them may be the
 * first or the only one of a connection, and any pointer may be NULL. */
#include "milter/callbacks.h"

#include <libmilter/mfdef.h>

#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "milter/finish.h"
#include "milter/protocol.h"
#include "milter/say.h"

#define RCPT_MACRO "{rcpt_addr}"

/* Where the client came to. */
static void note_self(SMFICTX *ctx, struct session *s)
{
	uint64_t port;

	s->client.has_self =
		ipaddr_parse(mf_macro(ctx, "{daemon_addr}"), &s->client.self);
	s->client.port = 0;
	if (span_u64(mf_macro(ctx, "{daemon_port}"), &port) && port <= 65535)
		s->client.port = (unsigned)port;
}

static sfsistat mf_connect(SMFICTX *ctx, char *name, struct sockaddr *a)
{
	struct session *s = protocol_session(ctx);

	FAULT_PASS(MILTER_CONNECT);
	if (s) {
		session_set_client(s, name, a);
		mf_copy(s->mta, sizeof(s->mta), mf_macro(ctx, "j"));
		note_self(ctx, s);
	}
	return protocol_go_on(s, SMFIP_NR_CONN);
}

/* Comes again after STARTTLS, then with the macros of TLS. */
static sfsistat mf_helo(SMFICTX *ctx, char *helo)
{
	struct session *s = protocol_session(ctx);
	struct span version = mf_macro(ctx, "{tls_version}");
	struct span cipher = mf_macro(ctx, "{cipher}");

	FAULT_PASS(MILTER_HELO);
	if (!s)
		return protocol_go_on(s, SMFIP_NR_HELO);
	mf_copy(s->helo, sizeof(s->helo), span_of(helo));
	s->tls[0] = '\0';
	if (version.n)
		(void)snprintf(s->tls, sizeof(s->tls), "%.40s %.50s", version.p,
			       cipher.p);
	return protocol_go_on(s, SMFIP_NR_HELO);
}

/* The MTA may tell its queue id from any step on. */
static void note_queue_id(SMFICTX *ctx, struct message *m)
{
	struct span id = mf_macro(ctx, "i");

	if (id.n)
		mf_copy(m->queue_id, sizeof(m->queue_id), id);
}

/* Both macros: a name without a mechanism is no login. */
static bool is_authenticated(SMFICTX *ctx)
{
	return mf_macro(ctx, "{auth_type}").n > 0 &&
	       mf_macro(ctx, "{auth_authen}").n > 0;
}

/* When libmilter has no memory for the macros of a command, those of the one
 * before are still there, or none. Who has logged in would be taken for a
 * stranger, and a recipient for the one before. */
static bool has_mail_macros(SMFICTX *ctx, const struct session *s)
{
	struct span told = mf_macro(ctx, PROTOCOL_MAIL_MACRO);

	return !s->told_macros || (told.n > 0 && !mf_is_spent(told));
}

/* What may have changed since the last mail. A name that is no address is none
 * of the profile's. */
static void note_client(SMFICTX *ctx, struct session *s)
{
	struct judge_client *c = &s->client;
	struct addr login = { .n = 0 };

	c->tls = s->tls[0] != '\0';
	c->helo = span_of(s->helo);
	c->mta = span_of(s->mta);
	c->authenticated = is_authenticated(ctx);
	if (!c->authenticated ||
	    addr_parse(mf_macro(ctx, "{auth_authen}"),
		       s->settings->conf->fold_local_part, &login) != ADDR_OK)
		login.n = 0;
	if (!span_eq(addr_span(&login), addr_span(&c->login)))
		s->login_known = false;
	c->login = login;
}

/* The macros are there. */
static sfsistat take_mail(SMFICTX *ctx, struct session *s, char **argv)
{
	static char *none[] = { NULL };
	struct message *m = &s->message;
	struct verdict v;
	sfsistat answer;

	message_open(m, argv ? argv : none);
	note_queue_id(ctx, m);
	session_note_address(s, mf_macro(ctx, PROTOCOL_MAIL_MACRO));
	note_client(ctx, s);
	judge_mail(&s->settings->judge, &s->client, span_of(m->sender),
		   m->declared, deadline_in(s->settings->conf->lookup_timeout),
		   &m->judged, &v);
	FAULT_PASS(MILTER_MAIL_JUDGED);
	answer = say_verdict(ctx, s, SAY_MAIL, SPAN_EMPTY, &v);
	if (v.id != R_NONE)
		message_reset(m);
	return answer;
}

static sfsistat mf_mail(SMFICTX *ctx, char **argv)
{
	struct session *s = protocol_session(ctx);
	sfsistat answer;

	FAULT_PASS(MILTER_MAIL);
	if (!s)
		return mf_reject(ctx, R_NO_MEMORY);
	if (!has_mail_macros(ctx, s)) {
		message_reset(&s->message);
		log_warn("MAIL without its macros: out of memory, or the MTA "
			 "does not send what it agreed to");
		return mf_reject(ctx, R_NO_MEMORY);
	}
	answer = take_mail(ctx, s, argv);
	mf_spend_macro(ctx, PROTOCOL_MAIL_MACRO);
	return answer;
}

/* The recipient as the MTA rewrote it. Sendmail's macro may be a mere local
 * part, which says less than the argument of RCPT, and Postfix's is in lower
 * case throughout, so the argument is taken where nothing else differs. */
static struct span judged_path(SMFICTX *ctx, const char *path)
{
	struct span macro = mf_macro(ctx, RCPT_MACRO);

	if (span_find(macro, '@') < macro.n &&
	    !span_eq_nocase(macro, addr_bare(span_of(path))))
		return macro;
	return span_of(path);
}

/* What the judge cannot know: whether this mail can still take it. */
static void check_message(struct session *s, const struct judged_rcpt *r,
			  struct verdict *v)
{
	enum reply_id id = s->message.content.failed;

	if (v->id != R_NONE)
		return;
	if (id == R_NONE && r->n > 0 && !s->can_edit)
		id = R_MTA_CONFIG;
	if (id != R_NONE)
		*v = (struct verdict){ id, "milter", v->shadow };
}

static sfsistat take_rcpt(SMFICTX *ctx, char **argv)
{
	struct session *s = protocol_session(ctx);
	struct judged_rcpt r;
	struct verdict v;

	if (!s || !s->message.open || !argv || !argv[0] ||
	    mf_is_spent(mf_macro(ctx, RCPT_MACRO)))
		return mf_reject(ctx, R_NO_MEMORY);
	note_queue_id(ctx, &s->message);
	FAULT_PASS(MILTER_RCPT);
	judge_rcpt(&s->settings->judge, &s->client, &s->message.judged,
		   judged_path(ctx, argv[0]),
		   deadline_in(s->settings->conf->lookup_timeout), &r);
	FAULT_PASS(MILTER_JUDGED);
	v = r.verdict;
	check_message(s, &r, &v);
	log_debug("%s: recipient judged: predicate '%s', %zu targets%s",
		  message_id(&s->message), v.predicate, r.n,
		  r.keep ? ", stays" : "");
	if (v.id == R_NONE)
		v = (struct verdict){ message_add(&s->message, argv, &r),
				      "milter", v.shadow };
	else
		judged_release(&r);
	return say_verdict(ctx, s, SAY_RCPT, span_of(argv[0]), &v);
}

static sfsistat mf_rcpt(SMFICTX *ctx, char **argv)
{
	sfsistat verdict = take_rcpt(ctx, argv);

	mf_spend_macro(ctx, RCPT_MACRO);
	return verdict;
}

/* A mail that has nothing for us at its end never crosses the socket. */
static sfsistat mf_data(SMFICTX *ctx)
{
	struct session *s = protocol_session(ctx);

	FAULT_PASS(MILTER_DATA);
	if (!s)
		return mf_reject(ctx, R_NO_MEMORY);
	note_queue_id(ctx, &s->message);
	if (message_is_ours(&s->message) ||
	    judge_wants_headers(&s->client, &s->message.judged))
		return SMFIS_CONTINUE;
	message_reset(&s->message);
	return SMFIS_ACCEPT;
}

static sfsistat mf_header(SMFICTX *ctx, char *name, char *value)
{
	struct session *s = protocol_session(ctx);

	FAULT_PASS(MILTER_HEADER);
	if (s && s->message.open &&
	    judge_wants_headers(&s->client, &s->message.judged))
		message_author(&s->message, span_of(name), span_of(value),
			       s->settings->conf->fold_local_part);
	if (s)
		s->message.octets +=
			span_of(name).n + span_of(value).n + sizeof(": \r");
	if (s && session_begin_content(s))
		content_header(&s->message.content, span_of(name),
			       span_of(value));
	return protocol_go_on(s, SMFIP_NR_HDR);
}

/* A mail that is only passed on is done here: its body never crosses the
 * socket. Where most mail is stored the MTA does not wait for this (see
 * protocol.c). */
static sfsistat mf_end_of_header(SMFICTX *ctx)
{
	struct session *s = protocol_session(ctx);
	sfsistat verdict;

	if (!s)
		return mf_reject(ctx, R_NO_MEMORY);
	if ((s->steps & SMFIP_NOEOH) != 0 || message_is_ours(&s->message))
		return SMFIS_CONTINUE;
	note_queue_id(ctx, &s->message);
	verdict = finish_header(ctx, s);
	message_reset(&s->message);
	return verdict == SMFIS_CONTINUE ? SMFIS_ACCEPT : verdict;
}

static void note_piece(const struct content *c)
{
	if (c->header_done)
		FAULT_PASS(MILTER_BODY_MORE);
	else
		FAULT_PASS(MILTER_BODY_FIRST);
}

/* The first piece, or the end of the message, ends the header. */
static sfsistat mf_body(SMFICTX *ctx, unsigned char *p, size_t n)
{
	struct session *s = protocol_session(ctx);

	if (s)
		s->message.octets += n;
	if (s && p && session_begin_content(s)) {
		note_piece(&s->message.content);
		content_body(&s->message.content, span_make(p, n));
	}
	return protocol_go_on(s, SMFIP_NR_BODY);
}

static sfsistat mf_end_of_message(SMFICTX *ctx)
{
	struct session *s = protocol_session(ctx);
	sfsistat verdict;

	if (!s)
		return mf_reject(ctx, R_NO_MEMORY);
	note_queue_id(ctx, &s->message);
	verdict = finish_message(ctx, s);
	message_reset(&s->message);
	return verdict;
}

static sfsistat mf_abort(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);

	FAULT_PASS(MILTER_ABORT);
	if (s)
		message_reset(&s->message);
	return SMFIS_CONTINUE;
}

static sfsistat mf_close(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);

	FAULT_PASS(MILTER_CLOSE);
	(void)smfi_setpriv(ctx, NULL);
	session_free(&s);
	return SMFIS_CONTINUE;
}

struct smfiDesc callbacks_table(void)
{
	static char name[] = "mailrow";

	return (struct smfiDesc){
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = protocol_actions(),
		.xxfi_connect = mf_connect,
		.xxfi_helo = mf_helo,
		.xxfi_envfrom = mf_mail,
		.xxfi_envrcpt = mf_rcpt,
		.xxfi_data = mf_data,
		.xxfi_header = mf_header,
		.xxfi_eoh = mf_end_of_header,
		.xxfi_body = mf_body,
		.xxfi_eom = mf_end_of_message,
		.xxfi_abort = mf_abort,
		.xxfi_close = mf_close,
		.xxfi_negotiate = mf_negotiate,
	};
}
