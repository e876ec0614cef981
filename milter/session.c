/* milter/session.c: see session.h. */
#include "milter/session.h"

#include <netinet/in.h>

#include <libmilter/mfdef.h>

#include "milter/drain.h"
#include "milter/mf.h"

static enum judge_role process_role;

void session_set_role(enum judge_role role)
{
	process_role = role;
}

struct session *session_new(void)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->settings = settings_get();
	s->client.role = process_role;
	s->client.login_known = &s->login_known;
	return s;
}

void session_free(struct session **s)
{
	if (!*s)
		return;
	message_release(&(*s)->message);
	settings_put(&(*s)->settings);
	free(*s);
	*s = NULL;
}

static bool sockaddr_get(const struct sockaddr *a, struct ipaddr *ip_r)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (a && a->sa_family == AF_INET) {
		memcpy(&v4, a, sizeof(v4));
		memset(ip_r->octet, 0, 10);
		memset(ip_r->octet + 10, 0xff, 2);
		memcpy(ip_r->octet + 12, &v4.sin_addr, 4);
		return true;
	}
	if (a && a->sa_family == AF_INET6) {
		memcpy(&v6, a, sizeof(v6));
		memcpy(ip_r->octet, &v6.sin6_addr, 16);
		return true;
	}
	return false;
}

void session_set_client(struct session *s, const char *name,
			const struct sockaddr *a)
{
	s->client.has_addr = sockaddr_get(a, &s->client.addr);
	s->addr[0] = '\0';
	if (s->client.has_addr)
		(void)ipaddr_text(&s->client.addr, s->addr);
	mf_copy(s->name, sizeof(s->name), span_of(name ? name : "unknown"));
}

void session_note_address(struct session *s, struct span told)
{
	if (s->client.has_addr)
		return;
	if (span_is(told, "0"))
		told = SPAN_LIT("127.0.0.1");
	s->client.has_addr = ipaddr_parse(told, &s->client.addr);
	if (s->client.has_addr)
		(void)ipaddr_text(&s->client.addr, s->addr);
}

bool session_own_host(void *session, struct span host)
{
	const struct session *s = session;

	return settings_own_host(s->settings, s->mta, host);
}

bool session_begin_content(struct session *s)
{
	struct message *m = &s->message;

	if (m->intake.nbox == 0)
		return false;
	if (m->content.begun || m->content.failed != R_NONE)
		return true;
	content_begin(&m->content, s->settings->conf, s->settings->deliver,
		      session_own_host, s);
	m->content.eats_space = (s->steps & SMFIP_HDR_LEADSPC) == 0;
	m->counted = drain_enter();
	if (!m->counted)
		m->content.failed = R_STOPPING;
	return true;
}
