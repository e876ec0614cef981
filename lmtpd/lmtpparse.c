/* lmtpd/lmtpparse.c: see lmtpparse.h. */
#include "lmtpd/lmtpparse.h"

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Octets of the path at the start of s, up to the '>' that stands in no quoted
 * string; 0 when there is none. */
static size_t path_length(struct span s)
{
	bool quoted = false;

	if (s.n == 0 || s.p[0] != '<')
		return 0;
	for (size_t i = 1; i < s.n && !is_control(s.p[i]); i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == '>' && !quoted)
			return i + 1;
	}
	return 0;
}

/* "FROM:<path>" and what follows. A blank after the colon is not in the
 * grammar, but some send it. */
static enum reply_id cut_path(struct span arg, struct span word,
			      struct span *path_r, struct span *rest_r)
{
	size_t n;

	if (!span_starts_nocase(arg, word))
		return R_LMTP_SYNTAX;
	arg = span_skip(arg, word.n);
	while (arg.n > 0 && arg.p[0] == ' ')
		arg = span_skip(arg, 1);
	n = path_length(arg);
	*path_r = span_head(arg, n);
	*rest_r = span_skip(arg, n);
	if (n == 0 || (rest_r->n > 0 && rest_r->p[0] != ' '))
		return R_LMTP_SYNTAX;
	for (size_t i = 0; i < n; i++)
		if (is_control(path_r->p[i]))
			return R_LMTP_SYNTAX;
	return R_NONE;
}

static enum reply_id take_size(struct lmtp_mail *m, struct span value)
{
	return span_u64(value, &m->size) ? R_NONE : R_LMTP_SYNTAX;
}

static enum reply_id take_body(struct lmtp_mail *m, struct span value)
{
	(void)m;
	return span_eq_nocase(value, SPAN_LIT("7BIT")) ||
			       span_eq_nocase(value, SPAN_LIT("8BITMIME"))
		       ? R_NONE
		       : R_LMTP_PARAM;
}

static enum reply_id take_utf8(struct lmtp_mail *m, struct span value)
{
	m->utf8 = true;
	return value.n == 0 ? R_NONE : R_LMTP_SYNTAX;
}

static enum reply_id take_any(struct lmtp_mail *m, struct span value)
{
	(void)m;
	return value.n > 0 ? R_NONE : R_LMTP_SYNTAX;
}

struct parameter {
	const char *name;
	enum reply_id (*take)(struct lmtp_mail *m, struct span value);
};

/* RFC 1870, 6152, 6531, 3461 */
static const struct parameter of_mail[] = {
	{ "SIZE", take_size }, { "BODY", take_body }, { "SMTPUTF8", take_utf8 },
	{ "RET", take_any },   { "ENVID", take_any }, { NULL, NULL },
};

static const struct parameter of_rcpt[] = {
	{ "NOTIFY", take_any },
	{ "ORCPT", take_any },
	{ NULL, NULL },
};

static enum reply_id take_parameter(const struct parameter *known,
				    struct span word, struct lmtp_mail *m)
{
	struct span name, value;

	(void)span_cut(word, '=', &name, &value);
	for (size_t i = 0; known[i].name; i++)
		if (span_eq_nocase(name, span_of(known[i].name)))
			return known[i].take(m, value);
	return R_LMTP_PARAM;
}

static enum reply_id take_parameters(const struct parameter *known,
				     struct span rest, struct lmtp_mail *m)
{
	enum reply_id id = R_NONE;
	struct span word;

	while (id == R_NONE && rest.n > 0) {
		(void)span_cut(rest, ' ', &word, &rest);
		if (word.n > 0)
			id = take_parameter(known, word, m);
	}
	return id;
}

enum reply_id lmtp_parse_mail(struct span arg, struct lmtp_mail *m_r)
{
	struct span rest;
	enum reply_id id;

	*m_r = (struct lmtp_mail){ .path = SPAN_EMPTY };
	id = cut_path(arg, SPAN_LIT("FROM:"), &m_r->path, &rest);
	return id == R_NONE ? take_parameters(of_mail, rest, m_r) : id;
}

enum reply_id lmtp_parse_rcpt(struct span arg, struct span *path_r)
{
	struct lmtp_mail nothing = { .path = SPAN_EMPTY };
	struct span rest;
	enum reply_id id = cut_path(arg, SPAN_LIT("TO:"), path_r, &rest);

	if (id == R_NONE && span_is(*path_r, "<>"))
		id = R_RCPT_SYNTAX;
	return id == R_NONE ? take_parameters(of_rcpt, rest, &nothing) : id;
}
