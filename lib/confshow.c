/* lib/confshow.c: the configuration and its table, as text for people. */
#include "lib/conf.h"

#include "lib/conftype.h"
#include "lib/esc.h"

enum { WRAP_COLUMNS = 76 };

static void show_option(const struct conf *c, const struct conf_option *o,
			struct buf *out)
{
	union conf_value v = { .number = 0 };
	struct buf value = BUF_INIT(out->max);

	memcpy(&v, (const char *)c + o->offset, conftype_size(o));
	conftype_put(o, &v, &value);
	buf_printf(out, "%s =%s", o->key, value.n ? " " : "");
	buf_put_span(out, buf_span(&value));
	buf_putc(out, '\n');
	out->failed |= value.failed;
	buf_release(&value);
}

void conf_show(const struct conf *c, unsigned programs, bool changed_only,
	       struct buf *out)
{
	for (size_t i = 0; i < CONF_ROWS; i++) {
		const struct conf_option *o = &conf_options[i];
		const struct conf_origin *from = &c->priv->origin[i];

		if (!(o->programs & programs) ||
		    (changed_only && from->line == 0))
			continue;
		if (changed_only) {
			buf_puts(out, "# ");
			esc_put(out, span_of(c->priv->file[from->file]),
				SIZE_MAX);
			buf_printf(out, ":%zu\n", from->line);
		}
		show_option(c, o, out);
	}
}

/* Breaks text at blanks into lines that begin with "# ". */
static void put_comment(struct span text, struct buf *out)
{
	struct span word, rest = text;
	size_t column = 1;

	buf_putc(out, '#');
	while (rest.n) {
		(void)span_cut(rest, ' ', &word, &rest);
		if (column + 1 + word.n > WRAP_COLUMNS) {
			buf_puts(out, "\n#");
			column = 1;
		}
		buf_putc(out, ' ');
		buf_put_span(out, word);
		column += 1 + word.n;
	}
	buf_putc(out, '\n');
}

static void put_example_option(const struct conf_option *o, struct buf *out)
{
	struct buf text = BUF_INIT(out->max);

	buf_puts(&text, o->help);
	buf_puts(&text, " [");
	if (!conftype_put_allowed(o, &text))
		buf_puts(&text, conftype_name(o));
	buf_puts(&text, o->flags & CF_RELOAD ? "]" : "; takes a restart]");
	buf_putc(out, '\n');
	put_comment(buf_span(&text), out);
	buf_printf(out, "#%s =%s%s\n", o->key, o->def[0] ? " " : "", o->def);
	out->failed |= text.failed;
	buf_release(&text);
}

void conf_put_example(struct buf *out)
{
	put_comment(SPAN_LIT("Every option of Mailrow with its default; see "
			     "mailrow.conf(5). A file needs only what differs, "
			     "for most sites nothing at all."),
		    out);
	for (size_t i = 0; i < CONF_ROWS; i++) {
		const struct conf_option *o = &conf_options[i];

		if (o->key)
			put_example_option(o, out);
		else
			buf_printf(out, "\n\n# == %s ==\n", o->help);
	}
}

/* Text for mdoc: no octet of it is markup, not even at the line's start. */
static void put_roff(struct span text, struct buf *out)
{
	buf_puts(out, "\\&");
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\\')
			buf_puts(out, "\\e");
		else
			buf_putc(out, text.p[i]);
	}
}

static void put_sentence(const char *text, struct buf *out)
{
	struct span s = span_of(text);
	char first = s.n ? s.p[0] : ' ';

	if (first >= 'a' && first <= 'z') {
		buf_puts(out, "\\&");
		buf_putc(out, (char)(first - 'a' + 'A'));
		s = span_skip(s, 1);
	}
	put_roff(s, out);
	buf_puts(out, ".\n");
}

static void put_programs(unsigned programs, struct buf *out)
{
	if (programs == PROG_ALL) {
		buf_puts(out, "Used by all programs.\n");
		return;
	}
	buf_puts(out, "Used by\n");
	for (unsigned bit = 1; bit < PROG_ALL; bit <<= 1) {
		if (!(programs & bit))
			continue;
		programs &= ~bit;
		buf_printf(out, ".Xr %s %c %c\n",
			   program_name((enum program)bit),
			   bit == PROG_TOOL ? '1' : '8', programs ? ',' : '.');
	}
}

static void put_mdoc_option(const struct conf_option *o, struct buf *out)
{
	struct buf allowed = BUF_INIT(out->max);

	buf_printf(out, ".It Ic %s\n", o->key);
	put_sentence(o->help, out);
	buf_puts(out, ".br\nDefault: ");
	put_roff(o->def[0] ? span_of(o->def) : SPAN_LIT("empty"), out);
	buf_puts(out, ".\n");
	if (conftype_put_allowed(o, &allowed)) {
		buf_puts(out, "Allowed: ");
		put_roff(buf_span(&allowed), out);
		buf_puts(out, ".\n");
	}
	put_programs(o->programs, out);
	buf_puts(out, o->flags & CF_RELOAD ? "A reload takes it in.\n"
					   : "Needs a restart.\n");
	out->failed |= allowed.failed;
	buf_release(&allowed);
}

void conf_put_mdoc(struct buf *out)
{
	bool open = false;

	for (size_t i = 0; i < CONF_ROWS; i++) {
		if (conf_options[i].key) {
			put_mdoc_option(&conf_options[i], out);
			continue;
		}
		buf_printf(out, "%s.Ss %s\n.Bl -tag -width Ds\n",
			   open ? ".El\n" : "", conf_options[i].help);
		open = true;
	}
	if (open)
		buf_puts(out, ".El\n");
}
