/* lib/authproto.c: see authproto.h. */
#include "lib/authproto.h"

#include "lib/base64.h"

static const char *const mech_names[] = {
	[MECH_NONE] = "",
	[MECH_PLAIN] = "PLAIN",
	[MECH_LOGIN] = "LOGIN",
	[MECH_APOP] = "APOP",
	[MECH_CRAM_MD5] = "CRAM-MD5",
	[MECH_STATE] = "MAILROW-STATE",
};

enum auth_mech auth_mech_parse(struct span name)
{
	for (enum auth_mech m = MECH_PLAIN; m < MECH_COUNT; m++)
		if (span_eq_nocase(name, span_of(mech_names[m])))
			return m;
	return MECH_NONE;
}

const char *auth_mech_name(enum auth_mech m)
{
	return (unsigned)m < MECH_COUNT ? mech_names[m] : "";
}

/* Escaping: \001 and a letter for the five octets that have a meaning. */

static const struct {
	char octet;
	char letter;
} escapes[] = {
	{ '\0', '0' }, { '\001', '1' }, { '\t', 't' },
	{ '\r', 'r' }, { '\n', 'n' },
};

enum { ESCAPES = sizeof(escapes) / sizeof(escapes[0]) };

static char escape_letter(char octet)
{
	for (size_t i = 0; i < ESCAPES; i++)
		if (escapes[i].octet == octet)
			return escapes[i].letter;
	return '\0';
}

static void put_escaped(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char letter = escape_letter(s.p[i]);

		if (letter != '\0')
			buf_putc(b, '\001');
		buf_putc(b, letter != '\0' ? letter : s.p[i]);
	}
}

static bool needs_escape(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (escape_letter(s.p[i]) != '\0')
			return true;
	return false;
}

/* Appends the octet that a letter behind \001 stands for. */
static bool put_unescaped(struct buf *b, char letter)
{
	for (size_t i = 0; i < ESCAPES; i++) {
		if (escapes[i].letter == letter) {
			buf_putc(b, escapes[i].octet);
			return true;
		}
	}
	return false;
}

/* The caller has reserved s.n octets, so earlier views of b stay valid. */
static bool unescape(struct span s, struct buf *b, struct span *value_r)
{
	size_t start = b->n;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\001')
			buf_putc(b, s.p[i]);
		else if (++i == s.n || !put_unescaped(b, s.p[i]))
			return false;
	}
	*value_r = span_skip(buf_span(b), start);
	return buf_ok(b);
}

/* The next field; false when the line is used up. */
static bool next_field(struct span *rest, struct span *field_r)
{
	if (rest->n == 0)
		return false;
	span_cut(*rest, '\t', field_r, rest);
	return true;
}

static bool take_id(struct span *rest, uint64_t *id_r)
{
	struct span field;

	return next_field(rest, &field) && span_u64(field, id_r);
}

/* The server's side. */

static const struct {
	const char *name;
	enum authproto_verb verb;
} verbs[] = {
	{ "VERSION", AUTHPROTO_VERSION }, { "CPID", AUTHPROTO_CPID },
	{ "AUTH", AUTHPROTO_AUTH },       { "CONT", AUTHPROTO_CONT },
	{ "CANCEL", AUTHPROTO_CANCEL },
};

static enum authproto_verb verb_parse(struct span name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (span_is(name, verbs[i].name))
			return verbs[i].verb;
	return AUTHPROTO_OTHER;
}

static struct ipaddr address_or_zero(struct span text, bool *has_r)
{
	static const struct ipaddr zero;
	struct ipaddr a;

	*has_r = ipaddr_parse(text, &a);
	return *has_r ? a : zero;
}

static void parse_param(struct span field, struct authproto_request *r)
{
	struct span name, value;
	bool has_lip;

	span_cut(field, '=', &name, &value);
	if (span_is(name, "service"))
		r->service = value;
	else if (span_is(name, "rip"))
		r->rip = address_or_zero(value, &r->has_rip);
	else if (span_is(name, "lip"))
		r->lip = address_or_zero(value, &has_lip);
	else if (span_is(name, "secured"))
		r->secured = true;
}

/* "resp=" must be looked for before the field is cut: its data are all the
 * rest, TABs too, so that no response can smuggle in a parameter. */
static void parse_params(struct span rest, struct authproto_request *r)
{
	static const struct span resp = { "resp=", 5 };
	struct span field;

	while (!span_eq(span_head(rest, resp.n), resp)) {
		if (!next_field(&rest, &field))
			return;
		parse_param(field, r);
	}
	r->has_resp = true;
	r->resp = span_skip(rest, resp.n);
}

static bool parse_auth(struct span rest, struct authproto_request *r)
{
	struct span mech;

	if (!take_id(&rest, &r->id) || !next_field(&rest, &mech))
		return false;
	r->mech = auth_mech_parse(mech);
	parse_params(rest, r);
	return true;
}

static bool parse_cont(struct span rest, struct authproto_request *r)
{
	if (!take_id(&rest, &r->id))
		return false;
	r->has_resp = true;
	r->resp = rest;
	return true;
}

bool authproto_parse_request(struct span line, struct authproto_request *r)
{
	struct span verb, rest;

	memset(r, 0, sizeof(*r));
	r->service = SPAN_EMPTY;
	r->resp = SPAN_EMPTY;
	if (line.n > AUTHPROTO_LINE_MAX)
		return false;
	span_cut(line, '\t', &verb, &rest);
	r->verb = verb_parse(verb);
	switch (r->verb) {
	case AUTHPROTO_VERSION:
	case AUTHPROTO_CANCEL:
		return take_id(&rest, &r->id);
	case AUTHPROTO_AUTH:
		return parse_auth(rest, r);
	case AUTHPROTO_CONT:
		return parse_cont(rest, r);
	case AUTHPROTO_CPID:
	case AUTHPROTO_OTHER:
		break;
	}
	return true;
}

static void put_hex(struct buf *b, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%02x", (unsigned)p[i]);
}

/* "private" keeps Postfix from offering what only pop3d can do in EHLO.
 * MECH goes before SPID, or Postfix takes this for a wrong socket. */
void authproto_put_handshake(struct buf *b, unsigned mechs, uint64_t spid,
			     uint64_t cuid, const uint8_t cookie[16])
{
	buf_puts(b, "VERSION\t1\t1\n");
	if (mechs & 1u << MECH_LOGIN)
		buf_puts(b, "MECH\tLOGIN\tplaintext\n");
	if (mechs & 1u << MECH_PLAIN)
		buf_puts(b, "MECH\tPLAIN\tplaintext\n");
	if (mechs & 1u << MECH_APOP)
		buf_puts(b, "MECH\tAPOP\tprivate\tdictionary\tactive\n");
	if (mechs & 1u << MECH_CRAM_MD5)
		buf_puts(b, "MECH\tCRAM-MD5\tprivate\tdictionary\tactive\n");
	buf_puts(b, "SPID\t");
	buf_put_u64(b, spid);
	buf_puts(b, "\nCUID\t");
	buf_put_u64(b, cuid);
	buf_puts(b, "\nCOOKIE\t");
	put_hex(b, cookie, 16);
	buf_puts(b, "\nDONE\n");
}

static void put_param(struct buf *b, const char *key, struct span value)
{
	if (value.n == 0)
		return;
	buf_putc(b, '\t');
	buf_puts(b, key);
	buf_putc(b, '=');
	put_escaped(b, value);
}

static void put_verb(struct buf *b, const char *verb, uint64_t id)
{
	buf_puts(b, verb);
	buf_putc(b, '\t');
	buf_put_u64(b, id);
}

/* Postfix does not unescape: a user who needs it would be another one there,
 * and an OK without user is a failure. */
void authproto_put_ok(struct buf *b, uint64_t id, const struct authproto_ok *ok)
{
	if (ok->user.n == 0 || needs_escape(ok->user)) {
		b->failed = true;
		return;
	}
	put_verb(b, "OK", id);
	put_param(b, "user", ok->user);
	put_param(b, "mailbox", ok->mailbox);
	put_param(b, "incarnation", ok->incarnation);
	buf_putc(b, '\n');
}

void authproto_put_cont(struct buf *b, uint64_t id, struct span base64)
{
	put_verb(b, "CONT", id);
	buf_putc(b, '\t');
	buf_put_span(b, base64);
	buf_putc(b, '\n');
}

void authproto_put_fail(struct buf *b, uint64_t id, struct span user,
			const char *code)
{
	put_verb(b, "FAIL", id);
	put_param(b, "user", span_head(user, AUTHPROTO_NAME_MAX));
	put_param(b, "code", span_of(code));
	buf_putc(b, '\n');
}

/* The client's side. */

/* Where the value of an OK's parameter belongs; NULL for one we ignore. */
static struct span *ok_value(struct authproto_answer *a, struct span name)
{
	if (span_is(name, "user"))
		return &a->user;
	if (span_is(name, "mailbox"))
		return &a->mailbox;
	return span_is(name, "incarnation") ? &a->incarnation : NULL;
}

static bool parse_ok(struct span rest, struct buf *scratch,
		     struct authproto_answer *a)
{
	struct span field, name, value, *to;

	a->kind = AUTHPROTO_A_OK;
	if (!take_id(&rest, &a->id))
		return false;
	while (next_field(&rest, &field)) {
		span_cut(field, '=', &name, &value);
		to = ok_value(a, name);
		if (to != NULL && !unescape(value, scratch, to))
			return false;
	}
	return a->user.n > 0;
}

/* Older servers say "temp" where newer ones say "code=temp_fail". */
static bool parse_fail(struct span rest, struct buf *scratch,
		       struct authproto_answer *a)
{
	struct span field, name, value;

	a->kind = AUTHPROTO_A_FAIL;
	if (!take_id(&rest, &a->id))
		return false;
	while (next_field(&rest, &field)) {
		span_cut(field, '=', &name, &value);
		if (span_is(name, "user") &&
		    !unescape(value, scratch, &a->user))
			return false;
		if (span_is(field, "temp") ||
		    span_is(field, "code=" AUTHPROTO_CODE_TEMP))
			a->kind = AUTHPROTO_A_TEMP;
		else if (span_is(field, "code=" AUTHPROTO_CODE_CLOSED))
			a->kind = AUTHPROTO_A_CLOSED;
	}
	return true;
}

static bool parse_answer_fields(struct span verb, struct span rest,
				struct buf *scratch, struct authproto_answer *a)
{
	uint64_t major;

	if (span_is(verb, "OK"))
		return parse_ok(rest, scratch, a);
	if (span_is(verb, "FAIL"))
		return parse_fail(rest, scratch, a);
	if (span_is(verb, "CONT")) {
		a->kind = AUTHPROTO_A_CONT;
		return take_id(&rest, &a->id);
	}
	if (span_is(verb, "VERSION"))
		return take_id(&rest, &major) && major == 1;
	if (span_is(verb, "DONE"))
		a->kind = AUTHPROTO_A_DONE;
	return true;
}

bool authproto_parse_answer(struct span line, struct buf *scratch,
			    struct authproto_answer *a)
{
	struct span verb, rest;

	memset(a, 0, sizeof(*a));
	a->kind = AUTHPROTO_A_OTHER;
	a->user = SPAN_EMPTY;
	a->mailbox = SPAN_EMPTY;
	a->incarnation = SPAN_EMPTY;
	buf_reset(scratch);
	if (line.n > AUTHPROTO_LINE_MAX || buf_reserve(scratch, line.n) == NULL)
		return false;
	span_cut(line, '\t', &verb, &rest);
	return parse_answer_fields(verb, rest, scratch, a);
}

void authproto_put_hello(struct buf *b, uint64_t cpid)
{
	buf_puts(b, "VERSION\t1\t1\nCPID\t");
	buf_put_u64(b, cpid);
	buf_putc(b, '\n');
}

static void put_address(struct buf *b, const char *key, const struct ipaddr *a)
{
	static const struct ipaddr none;

	if (memcmp(a, &none, sizeof(none)) == 0)
		return;
	buf_putc(b, '\t');
	buf_puts(b, key);
	buf_putc(b, '=');
	ipaddr_put(b, a);
}

/* PLAIN: NUL user NUL password. STATE: user. The others: timestamp NUL user NUL
 * digest. A NUL inside a value makes one too many, which the server rejects. */
static void put_response(struct buf *b, const struct authproto_login *l)
{
	struct buf raw = BUF_INIT(AUTHPROTO_LINE_MAX / 2);

	if (l->mech == MECH_STATE) {
		buf_put_span(&raw, l->user);
	} else {
		if (l->mech != MECH_PLAIN)
			buf_put_span(&raw, l->challenge);
		buf_putc(&raw, '\0');
		buf_put_span(&raw, l->user);
		buf_putc(&raw, '\0');
		buf_put_span(&raw, l->secret);
	}
	if (buf_ok(&raw))
		base64_encode(buf_span(&raw), b);
	else
		b->failed = true;
	buf_wipe(&raw);
}

void authproto_put_auth(struct buf *b, uint64_t id,
			const struct authproto_login *l)
{
	if (l->mech != MECH_PLAIN && l->mech != MECH_APOP &&
	    l->mech != MECH_CRAM_MD5 && l->mech != MECH_STATE) {
		b->failed = true;
		return;
	}
	put_verb(b, "AUTH", id);
	buf_putc(b, '\t');
	buf_puts(b, auth_mech_name(l->mech));
	put_param(b, "service", span_of(l->service));
	put_address(b, "lip", &l->lip);
	put_address(b, "rip", &l->rip);
	if (l->secured)
		buf_puts(b, "\tsecured");
	buf_puts(b, "\tresp=");
	put_response(b, l);
	buf_putc(b, '\n');
}

bool auth_plain_split(struct span message, struct span *user_r,
		      struct span *password_r)
{
	struct span authzid, rest;

	if (!span_cut(message, '\0', &authzid, &rest) ||
	    !span_cut(rest, '\0', user_r, password_r))
		return false;
	if (user_r->n == 0 || user_r->n > AUTHPROTO_NAME_MAX)
		return false;
	if (password_r->n == 0 || password_r->n > AUTHPROTO_SECRET_MAX)
		return false;
	if (span_find(*password_r, '\0') != password_r->n)
		return false;
	return authzid.n == 0 || span_eq(authzid, *user_r);
}
