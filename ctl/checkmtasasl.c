/* ctl/checkmtasasl.c: logins of senders: does smtpd ask mailrow-authd, and in
 * a way in which it survives the answer? */
#include "ctl/checkmta.h"

#include "lib/esc.h"

/* One place where smtpd offers AUTH. */
struct offer {
	struct mta *m;
	const struct mta_service *s;
	char where[MTA_WHERE_MAX], fix[CHECK_FIX_MAX];
	struct esc_text v;
};

static const char *name_at(struct offer *o, const char *name)
{
	return mta_where(o->m, o->s, name, o->where);
}

/* Beside another store AUTH may well stay where it was. */
static bool say_elsewhere(struct offer *o, const char *name, struct span is,
			  struct span want)
{
	bool stores = mta_stores(o->m);
	const char *fix = mta_fix(o->m, o->s, name, want, o->fix);
	struct esc_text w;

	mta_say(o->m, stores ? CHECK_FAIL : CHECK_OK, "sasl", stores ? fix : "",
		"%s is %s, not %s%s: logins are asked elsewhere",
		name_at(o, name), is.n ? esc_text(&o->v, is) : "empty",
		esc_text(&w, want), o->s->chroot ? " in smtpd's chroot" : "");
	return false;
}

static bool test_path(struct offer *o)
{
	struct span type = mta_get(o->m, o->s, "smtpd_sasl_type");
	struct span path = mta_get(o->m, o->s, "smtpd_sasl_path");
	struct mta_socket ours, theirs;
	char name[MTA_SOCKET_MAX];
	const char *want;

	if (!span_eq_nocase(type, SPAN_LIT("dovecot")))
		return say_elsewhere(o, "smtpd_sasl_type", type,
				     SPAN_LIT("dovecot"));
	if (!mta_socket_ours(span_of(o->m->conf->auth_socket), &ours))
		return false;
	if (mta_socket_theirs(o->m, path, o->s->chroot, "unix", &theirs) &&
	    mta_socket_same(&ours, &theirs))
		return true;
	if (mta_stores(o->m) &&
	    !mta_sees(o->m, o->s, &ours, "sasl", "auth_socket"))
		return false;
	want = mta_socket_name(o->m, &ours, name) + strlen("unix:");
	return say_elsewhere(o, "smtpd_sasl_path", path, span_of(want));
}

/* The list without the word, and never empty: that would offer anonymous. */
static void put_without(struct span list, const char *word, struct buf *b)
{
	struct span w;

	while (mta_word(&list, &w))
		if (!span_eq_nocase(w, span_of(word))) {
			buf_puts(b, b->n ? ", " : "");
			buf_put_span(b, w);
		}
	if (b->n == 0)
		buf_puts(b, "noanonymous");
}

/* Only PLAIN and LOGIN are offered: without them the list is empty, and smtpd
 * dies of an empty list at each connection without TLS. */
static void test_noplaintext(struct offer *o)
{
	static const char *const lists[] = {
		"smtpd_sasl_security_options", "smtpd_sasl_tls_security_options"
	};
	struct buf b = BUF_INIT(1024);
	size_t i;

	for (i = 0; i < 2; i++) {
		struct span list = mta_get(o->m, o->s, lists[i]);

		if (!mta_list_has(list, "noplaintext"))
			continue;
		buf_reset(&b);
		put_without(list, "noplaintext", &b);
		mta_say(o->m, CHECK_FAIL, "sasl",
			mta_fix(o->m, o->s, lists[i], buf_span(&b), o->fix),
			"%s holds noplaintext: nothing is left to offer, and "
			"smtpd ends at each connection; smtpd_tls_auth_only is "
			"the way to keep passwords off the wire",
			name_at(o, lists[i]));
	}
	buf_release(&b);
}

/* Over loopback nobody listens in. */
static void test_tls(struct offer *o)
{
	if (mta_yes(mta_get(o->m, o->s, "smtpd_tls_auth_only")) ||
	    span_eq_nocase(mta_get(o->m, o->s, "smtpd_tls_security_level"),
			   SPAN_LIT("encrypt")) ||
	    mta_is_loopback(o->m, o->s))
		return;
	mta_say(o->m, CHECK_WARN, "sasl",
		mta_fix(o->m, o->s, "smtpd_tls_auth_only", SPAN_LIT("yes"),
			o->fix),
		"%s is no: passwords cross the network in the clear",
		name_at(o, "smtpd_tls_auth_only"));
}

static void test_offer(struct mta *m, const struct mta_service *s)
{
	struct offer o = { .m = m, .s = s };

	test_tls(&o);
	if (!test_path(&o))
		return;
	test_noplaintext(&o);
	mta_say(m, CHECK_OK, "sasl", "",
		"smtpd asks mailrow-authd; AUTH= for old Outlook: %s",
		mta_yes(mta_get(m, s, "broken_sasl_auth_clients")) ? "yes"
								   : "no");
	mta_socket_reach(m, "sasl", mta_get(m, s, "smtpd_sasl_path"), s->chroot,
			 "unix", "VERSION\t1\t", "mailrow-authd");
}

void checkmtasasl_run(struct mta *m)
{
	const struct mta_service *s = NULL;
	bool any = false;

	while ((s = mta_next(m, "smtpd", s)))
		if (mta_yes(mta_get(m, s, "smtpd_sasl_auth_enable"))) {
			test_offer(m, s);
			any = true;
		}
	if (!any)
		mta_say(m, CHECK_OK, "sasl", "", "no smtpd offers AUTH");
}
