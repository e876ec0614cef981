#include "pop3d/parent.h"

#include <sysexits.h>

#include "lib/clock.h"
#include "lib/log.h"

enum {
	WARN_DAYS = 14,
	DAY_MS = 24 * 60 * 60 * 1000,
	RETRY_MS = 1000,
	WHY_MAX = 1 << 20
};

static void log_lines(const char *what, const struct buf *text)
{
	struct span line, rest = buf_span(text);

	while (rest.n) {
		(void)span_cut(rest, '\n', &line, &rest);
		log_warn("%s: %.*s", what, (int)line.n, line.p);
	}
}

static void log_endings(const struct parent *p)
{
	struct buf lines = BUF_INIT(WHY_MAX);

	tls_put_ending(p->tls, WARN_DAYS, &lines);
	log_lines("certificate", &lines);
	buf_release(&lines);
}

void parent_tls_reload(struct parent *p, const struct conf *c)
{
	struct buf why = BUF_INIT(WHY_MAX);

	if (c->tls_cert[0] == '\0') {
		if (tls_ready(p->tls))
			log_warn("tls_cert was taken away: the certificates "
				 "stay until a restart");
		return;
	}
	if (!tls_load(p->tls, c, &why) && !tls_ready(p->tls))
		log_warn("there is no TLS: no certificate could be loaded");
	log_lines("certificate", &why);
	buf_release(&why);
	p->endings_at = 0;
}

void parent_tls_start(struct parent *p)
{
	p->tls = tls_new();
	if (!p->tls)
		log_fatal(EX_OSERR, "cannot set up TLS: out of memory");
	p->tickets_at = tls_turn_tickets(p->tls);
	parent_tls_reload(p, p->conf);
	if (p->conf->tls_cert[0] && !tls_ready(p->tls))
		log_fatal(EX_CONFIG, "cannot use tls_cert");
}

bool parent_tls_would_start(const struct conf *c)
{
	struct buf why = BUF_INIT(WHY_MAX);
	struct tls *t = tls_new();
	bool ok = t && (c->tls_cert[0] == '\0' || tls_load(t, c, &why));

	if (!ok)
		log_lines("certificate", &why);
	tls_free(&t);
	buf_release(&why);
	return ok;
}

int64_t parent_tls_tend(struct parent *p)
{
	int64_t now = clock_ms();

	if (now >= p->tickets_at)
		p->tickets_at = tls_turn_tickets(p->tls);
	if (p->tickets_at == 0)
		p->tickets_at = now + RETRY_MS;
	if (now >= p->endings_at) {
		log_endings(p);
		p->endings_at = now + DAY_MS;
	}
	return p->tickets_at < p->endings_at ? p->tickets_at : p->endings_at;
}

bool parent_tls_needed(const struct parent *p, const struct ipaddr *client)
{
	const char *when = p->conf->require_tls;
	bool always = strcmp(when, "yes") == 0;
	bool never = strcmp(when, "no") == 0;

	if (never || (!always && !tls_ready(p->tls)))
		return false;
	return !network_set_has(&p->conf->trusted_networks, client);
}
