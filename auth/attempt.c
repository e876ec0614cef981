#include "auth/attempt.h"

#include "lib/esc.h"
#include "lib/log.h"
#include "lib/metric.h"

static enum door door_of(struct span service)
{
	if (span_is(service, "smtp"))
		return DOOR_SMTP;
	return span_is(service, "pop3") ? DOOR_POP3 : DOOR_NONE;
}

struct attempt *attempt_new(struct secret_pool *p,
			    const struct authproto_request *r)
{
	struct attempt *a = secret_take(p);
	struct span service = span_head(r->service, SERVICE_MAX);

	if (!a)
		return NULL;
	a->job.kind = JOB_CHECK;
	a->id = r->id;
	a->door = door_of(r->service);
	memcpy(a->service, service.p, service.n);
	a->rip = r->rip;
	a->has_rip = r->has_rip;
	a->secured = r->secured;
	mech_init(&a->mech, r->mech);
	return a;
}

void attempt_free(struct secret_pool *p, struct attempt **a)
{
	if (!*a)
		return;
	mech_release(&(*a)->mech);
	secret_give(p, *a);
	*a = NULL;
}

void attempt_set(struct attempt *a, enum verdict v, const char *reason)
{
	a->result.verdict = v;
	a->result.reason = reason;
	a->result.closed = false;
	a->result.guess = a->result.waits = false;
	a->result.detail[0] = '\0';
}

static const char *verdict_name(enum verdict v)
{
	static const char *const name[] = {
		[VERDICT_OK] = "ok",
		[VERDICT_FAILED] = "failed",
		[VERDICT_TEMP] = "temp",
	};

	return name[v];
}

/* The two doors are told apart; what else a peer calls itself is one. */
static void attempt_count(const struct attempt *a, enum verdict v)
{
	static const enum metric_id m[][3] = {
		{ M_SMTP_LOGIN_OK, M_SMTP_LOGIN_FAILED, M_SMTP_LOGIN_TEMP },
		{ M_POP3_LOGIN_OK, M_POP3_LOGIN_FAILED, M_POP3_LOGIN_TEMP },
	};
	bool pop3 = span_is(span_of(a->service), "pop3");
	size_t outcome = v == VERDICT_OK ? 0 : v == VERDICT_FAILED ? 1 : 2;

	metric_add(m[pop3][outcome], 1);
}

/* The client's address stands before anything the client may choose. */
void attempt_log(struct attempt *a, const struct check_result *r)
{
	const char *method = auth_mech_name(a->mech.name);
	struct esc_text user, service;
	char rip[IPADDR_TEXT_MAX];

	if (a->logged || a->mech.name == MECH_STATE)
		return;
	a->logged = true;
	attempt_count(a, r->verdict);
	log_info("auth: rip=%s service=%s method=%s user=<%s> result=%s "
		 "reason=%s%s%s%s",
		 a->has_rip ? ipaddr_text(&a->rip, rip) : "none",
		 esc_text(&service, span_of(a->service)),
		 method[0] ? method : "none",
		 esc_text(&user, buf_span(&a->mech.user)),
		 verdict_name(r->verdict), r->reason, r->detail[0] ? " (" : "",
		 r->detail, r->detail[0] ? ")" : "");
}
