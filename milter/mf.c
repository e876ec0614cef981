/* milter/mf.c: see mf.h. */
#include "milter/mf.h"

enum {
	REPLY_TEXT_MAX = 900, /* libmilter takes 980 */
	SUBJECT_MAX = 320,
	SPENT = '\1' /* no address begins with it */
};

void mf_copy(char *to, size_t size, struct span s)
{
	s = span_head(s, size - 1);
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

struct span mf_macro(SMFICTX *ctx, const char *name)
{
	char copy[32];

	mf_copy(copy, sizeof(copy), span_of(name));
	return span_of(smfi_getsymval(ctx, copy));
}

/* The value lies in libmilter's own copy of what the MTA sent. */
void mf_spend_macro(SMFICTX *ctx, const char *name)
{
	char copy[32];
	char *value;

	mf_copy(copy, sizeof(copy), span_of(name));
	value = smfi_getsymval(ctx, copy);
	if (value && value[0])
		value[0] = SPENT;
}

bool mf_is_spent(struct span macro)
{
	return macro.n > 0 && macro.p[0] == SPENT;
}

bool mf_want_macros(SMFICTX *ctx, int stage, const char *names)
{
	char copy[128];

	mf_copy(copy, sizeof(copy), span_of(names));
	return smfi_setsymlist(ctx, stage, copy) == MI_SUCCESS;
}

bool mf_add_recipient(SMFICTX *ctx, const struct addr *a)
{
	char path[ADDR_MAX + sizeof("<>")];

	(void)snprintf(path, sizeof(path), "<%s>", a->text);
	return smfi_addrcpt(ctx, path) == MI_SUCCESS;
}

/* For the MTA '%' introduces a format; what is not printable ASCII could end
 * the reply line or pretend to be something else. */
static size_t put_clean(char *to, size_t n, struct span s)
{
	for (size_t i = 0; i < s.n && n + 2 < REPLY_TEXT_MAX; i++) {
		char c = s.p[i];

		if (c < 0x20 || c > 0x7e)
			c = '?';
		to[n++] = c;
		if (c == '%')
			to[n++] = c;
	}
	return n;
}

sfsistat mf_reply(SMFICTX *ctx, enum reply_id id, struct span subject,
		  struct span text)
{
	const struct reply *r = reply_get(id);
	char said[REPLY_TEXT_MAX + 1];
	char code[8], enhanced[16];
	size_t n = 0;

	(void)snprintf(code, sizeof(code), "%u", r->smtp);
	(void)snprintf(enhanced, sizeof(enhanced), "%s", r->enhanced);
	if (subject.n) {
		n = put_clean(said, n, SPAN_LIT("<"));
		n = put_clean(said, n, span_head(subject, SUBJECT_MAX));
		n = put_clean(said, n, SPAN_LIT(">: "));
	}
	n = put_clean(said, n, text);
	said[n] = '\0';
	/* without our text the MTA says its own: the class is what counts */
	(void)smfi_setreply(ctx, code, enhanced, said);
	return r->smtp >= 500 ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

sfsistat mf_reject(SMFICTX *ctx, enum reply_id id)
{
	return mf_reply(ctx, id, SPAN_EMPTY, span_of(reply_get(id)->text));
}
