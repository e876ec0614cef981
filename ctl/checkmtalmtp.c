/* ctl/checkmtalmtp.c: the other way in: bounces, sendmail(1), cron, aliases of
 * other domains and released quarantine never pass smtpd. */
#include "ctl/checkmta.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/esc.h"

/* The parameters that name a transport for a class of domains. */
static const char *const transports[] = {
	"virtual_transport", "mailbox_transport", "local_transport",
	"relay_transport",   "default_transport",
};
enum { TRANSPORTS = sizeof(transports) / sizeof(transports[0]) };

static const struct mta_service *find_service(const struct mta *m,
					      struct span name)
{
	const struct mta_service *s = NULL;

	while ((s = mta_next(m, "lmtp", s)))
		if (span_eq(s->name, name))
			return s;
	return NULL;
}

/* SERVICE:NEXTHOP: the service runs lmtp(8), the nexthop is ours. */
static const struct mta_service *is_ours(const struct mta *m, struct span value,
					 struct span *hop_r)
{
	const struct conf_list *l = &m->conf->lmtp_listen;
	const struct mta_service *s;
	struct mta_socket theirs, ours;
	struct span name;
	size_t i;

	span_cut(value, ':', &name, hop_r);
	s = find_service(m, name);
	if (!s || !mta_socket_theirs(m, *hop_r, s->chroot, "inet", &theirs))
		return NULL;
	for (i = 0; i < l->n; i++)
		if (mta_socket_ours(span_of(l->word[i]), &ours) &&
		    mta_socket_same(&ours, &theirs))
			return s;
	return NULL;
}

struct found {
	const struct mta *m;
	bool ours;
};

static void take_row(void *arg, struct span answer, unsigned line)
{
	struct found *f = arg;
	struct span hop;

	(void)line;
	f->ours |= is_ours(f->m, answer, &hop) != NULL;
}

static bool mentions_us(const struct mta *m, struct span table)
{
	const struct conf_list *l = &m->conf->lmtp_listen;
	char name[MTA_SOCKET_MAX];
	struct mta_socket s;
	size_t i;

	for (i = 0; i < l->n; i++)
		if (mta_socket_ours(span_of(l->word[i]), &s) &&
		    mta_table_mentions(m, table, mta_socket_name(m, &s, name)))
			return true;
	return false;
}

static bool maps_lead_to_us(const struct mta *m)
{
	struct span list = mta_get(m, NULL, "transport_maps"), word;
	struct found f = { m, false };
	char why[256];

	while (mta_word(&list, &word))
		if (!mta_table(m, word, take_row, &f, why))
			f.ours |= mentions_us(m, word);
	return f.ours;
}

void mta_find_lmtp(struct mta *m)
{
	struct span hop;
	size_t i;

	m->lmtp = maps_lead_to_us(m);
	for (i = 0; i < TRANSPORTS; i++)
		if (is_ours(m, mta_get(m, NULL, transports[i]), &hop))
			m->lmtp = true;
}

/* What main.cf is to say; false when there is no socket of ours. */
static bool wanted(const struct mta *m, struct mta_socket *s_r,
		   char out[MTA_SOCKET_MAX + 8])
{
	const struct conf_list *l = &m->conf->lmtp_listen;
	char name[MTA_SOCKET_MAX];

	if (l->n == 0 || !mta_socket_ours(span_of(l->word[0]), s_r))
		return false;
	snprintf(out, MTA_SOCKET_MAX + 8, "lmtp:%s",
		 mta_socket_name(m, s_r, name));
	return true;
}

/* What leads to us. Beside another store only those whom the table served names
 * may: its mailboxes live on virtual_transport. */
static const char *transport_fix(struct mta *m, const char *want,
				 char fix[CHECK_FIX_MAX])
{
	struct span maps = mta_get(m, NULL, "transport_maps");
	struct buf b = BUF_INIT(CHECK_FIX_MAX);
	struct esc_text dir;
	char path[1100];

	if (mta_stores(m))
		return mta_fix(m, NULL, "virtual_transport", span_of(want),
			       fix);
	snprintf(path, sizeof(path), "%s/mailrow-transport.cf", m->directory);
	buf_printf(&b, "proxy:mysql:%s%s", path, maps.n ? ", " : "");
	buf_put_span(&b, maps);
	if (access(path, F_OK) == 0)
		(void)mta_fix(m, NULL, "transport_maps", buf_span(&b), fix);
	else
		snprintf(fix, CHECK_FIX_MAX,
			 "edit transport_maps in %s/main.cf: first "
			 "proxy:mysql:%.1100s, from our postfix directory",
			 esc_text(&dir, span_of(m->directory)), path);
	buf_release(&b);
	return fix;
}

/* A site that passes most of its mail on has a transport of its own there. */
static void test_transport(struct mta *m)
{
	const struct mta_service *s = find_service(m, SPAN_LIT("lmtp"));
	struct span value = mta_get(m, NULL, "virtual_transport");
	bool stores = mta_stores(m);
	char want[MTA_SOCKET_MAX + 8], fix[CHECK_FIX_MAX];
	struct mta_socket ours;
	struct esc_text v;

	if (m->lmtp)
		mta_say(m, CHECK_OK, "lmtp", "",
			"mail that does not come by SMTP finds us");
	else if (!wanted(m, &ours, want))
		mta_say(m, stores ? CHECK_FAIL : CHECK_WARN, "lmtp",
			mta_option_fix(m, "lmtp_listen",
				       "unix:/var/spool/postfix/mailrow/lmtp",
				       "restart mailrow-lmtpd", fix),
			"lmtp_listen is empty: only SMTP finds us");
	else if (!s || mta_sees(m, s, &ours, "lmtp", "lmtp_listen"))
		mta_say(m, stores ? CHECK_FAIL : CHECK_WARN, "lmtp",
			transport_fix(m, want, fix),
			"virtual_transport is %s: bounces, cron, sendmail(1) "
			"and aliases of other domains do not find us",
			esc_text(&v, value));
}

/* RFC 3461: who says DSN promises the notice. The MTA alone writes it, when
 * our LMTP has taken the mail. */
static void test_dsn(struct mta *m, const struct mta_service *s)
{
	struct span words = mta_get(m, s, "smtpd_discard_ehlo_keywords");
	char where[MTA_WHERE_MAX], fix[CHECK_FIX_MAX];
	struct buf b = BUF_INIT(1024);

	if (m->lmtp || mta_list_has(words, "dsn"))
		return;
	buf_put_span(&b, words);
	buf_puts(&b, words.n ? ", dsn, silent-discard" : "dsn, silent-discard");
	mta_say(m, CHECK_WARN, "lmtp",
		mta_fix(m, s, "smtpd_discard_ehlo_keywords", buf_span(&b), fix),
		"%s lacks dsn, and without LMTP nobody writes the notice that "
		"NOTIFY=SUCCESS asks for",
		mta_where(m, s, "smtpd_discard_ehlo_keywords", where));
	buf_release(&b);
}

static void test_lines(struct mta *m, const struct mta_service *s)
{
	struct span limit = mta_get(m, s, "lmtp_line_length_limit");
	char where[MTA_WHERE_MAX], fix[CHECK_FIX_MAX];
	struct esc_text v;

	if (mta_number(limit) > 0)
		mta_say(m, CHECK_WARN, "lmtp",
			mta_fix(m, s, "lmtp_line_length_limit", SPAN_LIT("0"),
				fix),
			"%s is %s: longer lines are broken, and a mail that "
			"came both ways is stored twice",
			mta_where(m, s, "lmtp_line_length_limit", where),
			esc_text(&v, limit));
}

/* A service of another name has limits of its own, which Postfix takes from
 * the general ones. */
static void test_concurrency(struct mta *m)
{
	static const char name[] = "lmtp_destination_concurrency_limit";
	uint64_t limit = mta_number(mta_get(m, NULL, name));
	char fix[CHECK_FIX_MAX], value[32];

	if (limit > 0 && limit <= m->conf->lmtp_max_sessions)
		return;
	snprintf(value, sizeof(value), "%" PRIu64,
		 m->conf->lmtp_max_sessions < 20 ? m->conf->lmtp_max_sessions
						 : 20);
	mta_say(m, CHECK_WARN, "lmtp",
		mta_fix(m, NULL, name, span_of(value), fix),
		"%s is %" PRIu64 ", more than our lmtp_max_sessions (%" PRIu64
		"): the rest waits for its turn",
		name, limit, m->conf->lmtp_max_sessions);
}

static void test_size(struct mta *m)
{
	uint64_t max = mta_number(mta_get(m, NULL, "message_size_limit"));
	char fix[CHECK_FIX_MAX], value[32];

	if (max > 0 && max <= m->conf->lmtp_message_max)
		return;
	snprintf(value, sizeof(value), "%" PRIu64, m->conf->lmtp_message_max);
	mta_say(m, CHECK_WARN, "lmtp",
		mta_fix(m, NULL, "message_size_limit", span_of(value), fix),
		"message_size_limit is %" PRIu64 "%s, ours (lmtp_message_max) "
		"%" PRIu64 ": a larger mail comes in by SMTP and bounces",
		max, max ? "" : " (none)", m->conf->lmtp_message_max);
}

/* A number alone counts days here. */
static int64_t lifetime(struct span life)
{
	uint64_t days;

	return span_u64(life, &days) ? (int64_t)(days % 1000) * 86400000
				     : mta_ms(life);
}

/* The MTA's last try comes when the time is over. */
static void test_receipts(struct mta *m)
{
	struct span life = mta_get(m, NULL, "maximal_queue_lifetime");
	int64_t last = lifetime(life) +
		       mta_ms(mta_get(m, NULL, "maximal_backoff_time"));
	char fix[CHECK_FIX_MAX], value[32];

	if (last < m->conf->list_full_wait)
		last = m->conf->list_full_wait;
	if (life.n == 0 || m->conf->receipt_window > last)
		return;
	snprintf(value, sizeof(value), "%" PRId64 "d", last / 86400000 + 1);
	mta_say(m, CHECK_WARN, "lmtp",
		mta_option_fix(m, "receipt_window", value,
			       "reload mailrow-milter mailrow-lmtpd", fix),
		"receipt_window is over before the MTA's last try "
		"(maximal_queue_lifetime and maximal_backoff_time, or "
		"list_full_wait): who has the mail would get it again");
}

static void test_wait(struct mta *m)
{
	struct span life = mta_get(m, NULL, "maximal_queue_lifetime");
	int64_t ms = lifetime(life);
	char fix[CHECK_FIX_MAX], value[32];
	struct esc_text v;

	if (life.n == 0 || m->conf->list_full_wait < ms)
		return;
	snprintf(value, sizeof(value), "%" PRId64 "s", ms * 4 / 5 / 1000);
	mta_say(m, CHECK_WARN, "lmtp",
		mta_option_fix(m, "list_full_wait", value,
			       "reload mailrow-milter mailrow-lmtpd", fix),
		"list_full_wait is not shorter than maximal_queue_lifetime "
		"(%s): a full mailbox behind a list ends as a bounce",
		esc_text(&v, life));
}

/* A map's transports are tried as the service that all have. */
static void test_ways(struct mta *m)
{
	const struct mta_service *s = find_service(m, SPAN_LIT("lmtp"));
	struct span hop;
	size_t i;

	if (s)
		test_lines(m, s);

	for (i = 0; i < TRANSPORTS; i++) {
		s = is_ours(m, mta_get(m, NULL, transports[i]), &hop);
		if (!s)
			continue;
		test_lines(m, s);
		mta_socket_reach(m, "lmtp", hop, s->chroot, "inet", "220 ",
				 "mailrow-lmtpd");
		break;
	}
}

void checkmtalmtp_run(struct mta *m)
{
	const struct mta_service *s = NULL;

	test_transport(m);
	while ((s = mta_next(m, "smtpd", s)))
		test_dsn(m, s);
	if (!m->lmtp)
		return;
	test_ways(m);
	test_concurrency(m);
	test_size(m);
	test_wait(m);
	test_receipts(m);
}
