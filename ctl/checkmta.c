/* ctl/checkmta.c: runs the subjects about the site's MTA. */
#include "ctl/checkmta.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/esc.h"

bool mta_is_new(struct mta *m, struct span text)
{
	uint64_t h = 14695981039346656037U; /* FNV-1a */
	size_t i;

	for (i = 0; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * 1099511628211U;
	for (i = 0; i < m->nsaid; i++)
		if (m->said[i] == h)
			return false;
	if (m->nsaid < MTA_SAID)
		m->said[m->nsaid++] = h;
	return true;
}

bool mta_stores(const struct mta *m)
{
	return strcmp(m->conf->default_mode, "store") == 0;
}

void mta_say(struct mta *m, enum check_level level, const char *subject,
	     const char *fix, const char *fmt, ...)
{
	struct buf text = BUF_INIT(8192);
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (mta_is_new(m, buf_span(&text))) {
		m->mend |=
			level != CHECK_OK && strncmp(fix, "postconf ", 9) == 0;
		check_say(m->k, level, subject, fix, "%s", buf_cstr(&text));
	}
	buf_release(&text);
}

const char *mta_where(const struct mta *m, const struct mta_service *s,
		      const char *name, char out[MTA_WHERE_MAX])
{
	struct span all = mta_get(m, NULL, name), own = mta_get(m, s, name);
	struct esc_text e;

	if (!s || own.p == all.p)
		snprintf(out, MTA_WHERE_MAX, "%s", name);
	else
		snprintf(out, MTA_WHERE_MAX, "%s of %.200s", name,
			 esc_text(&e, span_make(s->name.p, s->name.n)));
	return out;
}

/* For a shell, inside '...', and for Postfix, which replaces $name. */
static bool put_quoted(struct buf *b, struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
		if (s.p[i] == '\'')
			buf_puts(b, "'\\''");
		else if (s.p[i] == '$')
			buf_puts(b, "$$");
		else
			buf_putc(b, s.p[i]);
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* postconf -P takes no blanks: they go, or become the comma they stand for. */
static void put_squeezed(struct buf *b, struct span v)
{
	static const char parts[] = ",{}";
	char last = ',';
	size_t i = 0, n;

	while (i < v.n) {
		for (n = i; n < v.n && is_blank(v.p[n]);)
			n++;
		if (n > i && n < v.n && !strchr(parts, v.p[n]) &&
		    !strchr(parts, last))
			buf_putc(b, ',');
		if (n == v.n)
			break;
		last = v.p[n];
		buf_putc(b, last);
		i = n + 1;
	}
}

static const char *finish_fix(struct mta *m, struct buf *b, bool typed,
			      const char *name, char fix[CHECK_FIX_MAX])
{
	struct esc_text dir;

	if (typed && buf_ok(b))
		snprintf(fix, CHECK_FIX_MAX, "%s", buf_cstr(b));
	else
		snprintf(fix, CHECK_FIX_MAX, "edit %s in %s/main.cf", name,
			 esc_text(&dir, span_of(m->directory)));
	buf_release(b);
	return fix;
}

static bool put_command(struct mta *m, struct buf *b, const char *option)
{
	bool ok = true;

	buf_puts(b, "postconf ");
	if (m->dir[0]) {
		buf_puts(b, "-c '");
		ok = put_quoted(b, span_of(m->dir));
		buf_puts(b, "' ");
	}
	buf_printf(b, "%s '", option);
	return ok;
}

static const char *fix_main(struct mta *m, const char *name, struct span value,
			    char fix[CHECK_FIX_MAX])
{
	struct buf b = BUF_INIT(CHECK_FIX_MAX - 1);
	bool ok = put_command(m, &b, "-e");

	buf_printf(&b, "%s =%s", name, value.n ? " " : "");
	ok = put_quoted(&b, value) && ok;
	buf_putc(&b, '\'');
	return finish_fix(m, &b, ok, name, fix);
}

const char *mta_fix_service(struct mta *m, const struct mta_service *s,
			    const char *name, struct span value,
			    char fix[CHECK_FIX_MAX])
{
	struct buf b = BUF_INIT(CHECK_FIX_MAX - 1);
	struct buf tight = BUF_INIT(CHECK_FIX_MAX);
	bool ok = put_command(m, &b, "-P");

	put_squeezed(&tight, value);
	ok = put_quoted(&b, s->name) && ok;
	buf_putc(&b, '/');
	ok = put_quoted(&b, s->type) && ok;
	buf_printf(&b, "/%s=", name);
	ok = put_quoted(&b, buf_span(&tight)) && ok;
	buf_putc(&b, '\'');
	buf_release(&tight);
	return finish_fix(m, &b, ok, name, fix);
}

const char *mta_fix(struct mta *m, const struct mta_service *s,
		    const char *name, struct span value,
		    char fix[CHECK_FIX_MAX])
{
	struct span all = mta_get(m, NULL, name), own = mta_get(m, s, name);

	if (s && own.p != all.p)
		return mta_fix_service(m, s, name, value, fix);
	return fix_main(m, name, value, fix);
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

bool mta_sees(struct mta *m, const struct mta_service *s,
	      const struct mta_socket *socket, const char *subject,
	      const char *option)
{
	struct buf b = BUF_INIT(CHECK_FIX_MAX - 1);
	char fix[CHECK_FIX_MAX];
	struct esc_text path, name;
	bool ok;

	if (!s->chroot || socket->inet || is_below(socket->text, m->queue))
		return true;
	ok = put_command(m, &b, "-F") && put_quoted(&b, s->name);
	buf_putc(&b, '/');
	ok = put_quoted(&b, s->type) && ok;
	buf_puts(&b, "/chroot=n'");
	mta_say(m, CHECK_FAIL, subject, finish_fix(m, &b, ok, "chroot", fix),
		"%s (%s) is outside of the chroot of %s", option,
		esc_text(&path, span_of(socket->text)),
		esc_text(&name, s->name));
	return false;
}

/* What each subject reads is Postfix's own configuration, and ours. */
static const struct {
	const char *name;
	void (*run)(struct mta *m);
} subjects[] = {
	{ "milter", checkmtamilter_run },   { "filter", checkmtafilter_run },
	{ "smtp", checkmtasmtp_run },       { "domains", checkmtadomain_run },
	{ "lmtp", checkmtalmtp_run },       { "sasl", checkmtasasl_run },
	{ "discard", checkmtadiscard_run },
};

static void find_filters(struct mta *m)
{
	const struct mta_service *s = NULL;

	while ((s = mta_next(m, "smtpd", s)))
		m->filters |= mta_get(m, s, "content_filter").n > 0 ||
			      mta_get(m, s, "smtpd_proxy_filter").n > 0;
}

static void find_milters(struct mta *m)
{
	const char *option[] = { m->conf->milter_socket,
				 m->conf->milter_policy_socket,
				 m->conf->milter_store_socket };
	size_t i;

	for (i = 0; i < MTA_ROLES; i++)
		(void)mta_socket_ours(span_of(option[i]), &m->milter[i]);
}

static void say_reload(struct mta *m)
{
	struct buf b = BUF_INIT(CHECK_FIX_MAX - 1);

	buf_puts(&b, "postfix ");
	if (m->dir[0]) {
		buf_puts(&b, "-c '");
		(void)put_quoted(&b, span_of(m->dir));
		buf_puts(&b, "' ");
	}
	buf_puts(&b, "reload");
	check_say(m->k, CHECK_WARN, "postfix", buf_cstr(&b),
		  "what is changed there takes a reload");
	buf_release(&b);
}

static void run_subjects(struct mta *m)
{
	struct span version = mta_get(m, NULL, "mail_version");
	struct esc_text v, d;
	size_t i;

	check_say(m->k, CHECK_OK, "postfix", "", "Postfix %s, %s",
		  esc_text(&v, version), esc_text(&d, span_of(m->directory)));
	find_filters(m);
	find_milters(m);
	mta_find_lmtp(m);
	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		subjects[i].run(m);
	if (m->mend)
		say_reload(m);
}

void checkmta_run(struct check *k)
{
	const struct check_options *o = check_options(k);
	const struct conf *c = check_tool(k)->conf;
	struct mta *m = calloc(1, sizeof(*m));
	char path[1024];

	if (!m) {
		check_say(k, CHECK_FAIL, "postfix", "", "out of memory");
		return;
	}
	m->k = k;
	m->conf = c;
	m->dir = o->mta_config ? o->mta_config : c->mta_config_dir;
	m->postconf = mta_find_postconf(path);
	if (!m->postconf)
		check_say(k, CHECK_OK, "postfix", "",
			  "no Postfix here; Sendmail's settings are not read");
	else if (mta_read(m))
		run_subjects(m);
	mta_release(m);
	free(m);
}
