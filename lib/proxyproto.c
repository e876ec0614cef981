/* lib/proxyproto.c: see proxyproto.h; "s.2.1" is a section of HAProxy's
 * proxy-protocol.txt. */
#include "lib/proxyproto.h"

static const char v2_signature[] = "\r\n\r\n\0\r\nQUIT\n";
static const char v1_word[] = "PROXY ";

enum { SIGNATURE = sizeof(v2_signature) - 1, V2_HEAD = SIGNATURE + 4 };

/* Whether s is the beginning of what stands at text, or begins with it. */
static bool agrees(struct span s, const char *text, size_t n)
{
	struct span head = span_head(s, n);

	return memcmp(head.p, text, head.n) == 0;
}

static bool parse_port(struct span text, uint16_t *port_r)
{
	uint64_t n;

	if (text.n > 5 || !span_u64(text, &n) || n > UINT16_MAX)
		return false;
	*port_r = (uint16_t)n;
	return true;
}

/* The family says how it must be written. */
static bool parse_address(struct span text, bool v6, struct ipaddr *a_r)
{
	bool colon = span_find(text, ':') < text.n;

	if (text.n == 0 || text.p[0] == '[' || text.p[0] == 'I' ||
	    text.p[0] == 'i' || colon != v6)
		return false;
	return ipaddr_parse(text, a_r);
}

/* "TCP4 192.0.2.7 192.0.2.1 40000 110" */
static bool parse_v1_words(struct span s, struct proxyproto *p)
{
	struct span family, from, to, from_port;
	bool v6;

	if (!span_cut(s, ' ', &family, &s) || !span_cut(s, ' ', &from, &s) ||
	    !span_cut(s, ' ', &to, &s) || !span_cut(s, ' ', &from_port, &s))
		return false;
	v6 = span_is(family, "TCP6");
	if (!v6 && !span_is(family, "TCP4"))
		return false;
	p->told = true;
	return parse_address(from, v6, &p->remote) &&
	       parse_address(to, v6, &p->local) &&
	       parse_port(from_port, &p->remote_port) &&
	       parse_port(s, &p->local_port);
}

/* After UNKNOWN anything may follow (s.2.1). */
static bool is_unknown(struct span s)
{
	static const char word[] = "UNKNOWN";
	const size_t n = sizeof(word) - 1;

	return s.n >= n && agrees(s, word, n) && (s.n == n || s.p[n] == ' ');
}

static enum proxyproto_status parse_v1(struct span s, struct proxyproto *p)
{
	size_t end = span_find(s, '\n');
	struct span line = span_head(s, end);

	if (end == s.n)
		return s.n < PROXYPROTO_V1_MAX ? PROXYPROTO_MORE
					       : PROXYPROTO_BAD;
	if (end >= PROXYPROTO_V1_MAX || end == 0 || line.p[end - 1] != '\r')
		return PROXYPROTO_BAD;
	line = span_skip(span_head(line, end - 1), sizeof(v1_word) - 1);
	p->octets = end + 1;
	if (is_unknown(line))
		return PROXYPROTO_DONE;
	return parse_v1_words(line, p) ? PROXYPROTO_DONE : PROXYPROTO_BAD;
}

static uint16_t number16(const char *p)
{
	return (uint16_t)((uint8_t)p[0] << 8 | (uint8_t)p[1]);
}

static void take_v2_inet(const char *a, struct proxyproto *p)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(p->remote.octet, mapped, sizeof(mapped));
	memcpy(p->local.octet, mapped, sizeof(mapped));
	memcpy(p->remote.octet + sizeof(mapped), a, 4);
	memcpy(p->local.octet + sizeof(mapped), a + 4, 4);
	p->remote_port = number16(a + 8);
	p->local_port = number16(a + 10);
}

static void take_v2_inet6(const char *a, struct proxyproto *p)
{
	memcpy(p->remote.octet, a, 16);
	memcpy(p->local.octet, a + 16, 16);
	p->remote_port = number16(a + 32);
	p->local_port = number16(a + 34);
}

/* Streams over IP, with their addresses' size; and what tells no address that
 * concerns us (s.2.2). */
static const struct {
	uint8_t family;
	size_t octets;
	void (*take)(const char *addresses, struct proxyproto *p);
} v2_families[] = {
	{ 0x00, 0, NULL },           /* unspecified */
	{ 0x11, 12, take_v2_inet },  /* TCP over IPv4 */
	{ 0x21, 36, take_v2_inet6 }, /* TCP over IPv6 */
	{ 0x31, 216, NULL },         /* a UNIX socket */
};

static bool take_v2_addresses(uint8_t family, struct span a,
			      struct proxyproto *p)
{
	for (size_t i = 0; i < sizeof(v2_families) / sizeof(*v2_families);
	     i++) {
		if (v2_families[i].family != family)
			continue;
		if (a.n < v2_families[i].octets)
			return false;
		p->told = v2_families[i].take != NULL;
		if (p->told)
			v2_families[i].take(a.p, p);
		return true;
	}
	return false;
}

static enum proxyproto_status parse_v2(struct span s, struct proxyproto *p)
{
	enum { LOCAL = 0x20, PROXY = 0x21 };
	uint8_t command;
	size_t n;

	if (s.n < V2_HEAD)
		return PROXYPROTO_MORE;
	command = (uint8_t)s.p[SIGNATURE];
	n = number16(s.p + SIGNATURE + 2);
	if ((command != LOCAL && command != PROXY) ||
	    n > PROXYPROTO_MAX - V2_HEAD)
		return PROXYPROTO_BAD;
	if (s.n - V2_HEAD < n)
		return PROXYPROTO_MORE;
	p->octets = V2_HEAD + n;
	if (command == LOCAL)
		return PROXYPROTO_DONE;
	return take_v2_addresses((uint8_t)s.p[SIGNATURE + 1],
				 span_head(span_skip(s, V2_HEAD), n), p)
		       ? PROXYPROTO_DONE
		       : PROXYPROTO_BAD;
}

enum proxyproto_status proxyproto_parse(struct span s, struct proxyproto *p_r)
{
	memset(p_r, 0, sizeof(*p_r));
	if (s.n == 0)
		return PROXYPROTO_MORE;
	if (agrees(s, v1_word, sizeof(v1_word) - 1))
		return parse_v1(s, p_r);
	if (agrees(s, v2_signature, SIGNATURE))
		return parse_v2(s, p_r);
	return PROXYPROTO_BAD;
}
