#include "pop3d/popxclient.h"

#include "pop3d/popcmd.h"
#include "pop3d/popstate.h"

static struct pop_event tell(struct popstate *s, const struct chan_peer *p)
{
	chan_put_peer(&s->request, p);
	if (!buf_ok(&s->request))
		return pop_end(R_POP_TEMP, CHAN_END_TROUBLE);
	s->job = JOB_PEER;
	s->flight = FLIGHT_PEER;
	return pop_event(POP_WAIT);
}

void popxclient_proxied(struct popstate *s, const struct proxyproto *p)
{
	s->greet = true;
	popstate_conclude(s, tell(s, &(struct chan_peer){
					     .remote = p->remote,
					     .local = p->local,
					     .remote_port = p->remote_port,
					     .local_port = p->local_port,
				     }));
}

static bool take_address(struct chan_peer *p, struct span value)
{
	return ipaddr_parse(value, &p->remote);
}

static bool take_port(struct chan_peer *p, struct span value)
{
	uint64_t n;

	if (!span_u64(value, &n) || n > UINT16_MAX)
		return false;
	p->remote_port = (uint16_t)n;
	return true;
}

static bool take_session(struct chan_peer *p, struct span value)
{
	p->note = span_head(value, CHAN_NOTE_MAX);
	for (size_t i = 0; i < p->note.n; i++)
		if (p->note.p[i] < 0x21 || p->note.p[i] > 0x7e)
			return false;
	return true;
}

/* What else a proxy says (LOGIN, TTL, FORWARD ...) is passed over, as by
 * Dovecot itself. */
static const struct {
	const char *key;
	bool (*take)(struct chan_peer *p, struct span value);
} words[] = {
	{ "ADDR", take_address },
	{ "PORT", take_port },
	{ "SESSION", take_session },
};

static bool take_word(struct chan_peer *p, struct span word)
{
	struct span key, value;

	if (!span_cut(word, '=', &key, &value))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (span_eq_nocase(key, span_of(words[i].key)))
			return words[i].take(p, value);
	return true;
}

static bool take_words(struct chan_peer *p, struct span s)
{
	struct span word;
	bool more = true;

	while (more) {
		more = span_cut(s, ' ', &word, &s);
		if (word.n && !take_word(p, word))
			return false;
	}
	return true;
}

/* To those who may not use it, it is unknown. */
struct pop_event pop_xclient(struct popstate *s, const struct popcmd_args *a)
{
	static const struct ipaddr none;
	struct chan_peer p = { .note = SPAN_EMPTY };

	if (!s->rules.xclient)
		return pop_err(R_POP_UNKNOWN);
	if (s->peer_told || s->attempts)
		return pop_err(R_POP_STATE);
	if (!take_words(&p, a->arg[0]))
		return pop_err(R_POP_SYNTAX);
	buf_reset(&s->user);
	if (memcmp(&p.remote, &none, sizeof(none)) == 0)
		return pop_event(POP_OK);
	return tell(s, &p);
}

struct pop_event popxclient_reply(struct popstate *s, struct chan_reply *r)
{
	bool greet = s->greet;

	s->flight = FLIGHT_NONE;
	s->greet = false;
	if (r->type == CHAN_CROWDED)
		return pop_end(R_POP_BUSY, CHAN_END_CROWDED);
	if (r->type != CHAN_PEER_TAKEN)
		return pop_end(R_POP_TEMP, CHAN_END_TROUBLE);
	s->peer_told = true;
	if (!greet)
		return pop_event(POP_OK);
	popstate_greet(s);
	return pop_event(POP_DONE);
}
