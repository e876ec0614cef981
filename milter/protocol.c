/* milter/protocol.c: see protocol.h. */
#include "milter/protocol.h"

#include <stdatomic.h>

#include <libmilter/mfdef.h>

#include "lib/fault.h"
#include "lib/log.h"

/* Only MAIL, RCPT, DATA and end of message are answered; for the rest the MTA
 * shall not wait. libmilter makes good for an MTA that waits all the same. */
enum {
	STEPS_SILENT =
		SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_HDR | SMFIP_NR_BODY,
	STEPS_WANTED = STEPS_SILENT | SMFIP_HDR_LEADSPC | SMFIP_NOEOH |
		       SMFIP_NOUNKNOWN,
	EDITS = SMFIF_DELRCPT | SMFIF_ADDRCPT,
	ACTIONS = EDITS | SMFIF_SETSYMLIST
};

static const struct {
	int stage;
	const char *names;
} macros[] = {
	{ SMFIM_CONNECT, "j {daemon_addr} {daemon_port}" },
	{ SMFIM_HELO, "{tls_version} {cipher}" },
	{ SMFIM_ENVFROM, "i {auth_type} {auth_authen} " PROTOCOL_MAIL_MACRO },
	{ SMFIM_ENVRCPT, "i {rcpt_addr}" },
	{ SMFIM_DATA, "i" },
	{ SMFIM_EOH, "i" },
	{ SMFIM_EOM, "i" },
};

unsigned long protocol_actions(void)
{
	return ACTIONS;
}

/* The end of the header costs a turn, which a mail that is stored has no use
 * for. It is asked for where mail is passed on: by role, or by default. */
static unsigned long steps_of(const struct session *s)
{
	bool passes = s->client.role == JUDGE_POLICY ||
		      span_is(span_of(s->settings->conf->default_mode), "pass");

	return passes ? STEPS_WANTED & ~(unsigned long)SMFIP_NOEOH
		      : STEPS_WANTED;
}

static sfsistat want_macros(SMFICTX *ctx)
{
	for (size_t i = 0; i < sizeof(macros) / sizeof(*macros); i++) {
		if (!mf_want_macros(ctx, macros[i].stage, macros[i].names)) {
			log_warn(
				"cannot ask the MTA for macros: out of memory");
			return SMFIS_REJECT;
		}
	}
	return SMFIS_CONTINUE;
}

/* Every connection of such an MTA is the same: one line says it. */
static void warn_no_edits(void)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&told))
		log_warn("the MTA does not let a milter change recipients: "
			 "mail for our domains is answered 451");
}

sfsistat mf_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1,
		      unsigned long f2, unsigned long f3, unsigned long *pf0,
		      unsigned long *pf1, unsigned long *pf2,
		      unsigned long *pf3)
{
	struct session *s = session_new();

	(void)f2;
	(void)f3;
	FAULT_PASS(MILTER_NEGOTIATE);
	(void)smfi_setpriv(ctx, s);
	if (!s) {
		log_warn("cannot begin a session: out of memory");
		return SMFIS_REJECT;
	}
	*pf0 = ACTIONS & f0;
	*pf1 = steps_of(s) & f1;
	*pf2 = 0;
	*pf3 = 0;
	s->steps = *pf1;
	s->can_edit = (f0 & EDITS) == EDITS;
	s->told_macros = f0 & SMFIF_SETSYMLIST;
	if (!s->can_edit)
		warn_no_edits();
	return f0 & SMFIF_SETSYMLIST ? want_macros(ctx) : SMFIS_CONTINUE;
}

struct session *protocol_session(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);

	if (s)
		return s;
	s = session_new();
	if (!s) {
		log_warn("cannot begin a session: out of memory");
		return NULL;
	}
	s->steps = STEPS_WANTED;
	s->can_edit = true;
	(void)smfi_setpriv(ctx, s);
	return s;
}

/* Without a session: libmilter offers the silent steps to every milter, so
 * they were agreed on. */
sfsistat protocol_go_on(const struct session *s, unsigned long step)
{
	unsigned long steps = s ? s->steps : STEPS_SILENT;

	return steps & step ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}
