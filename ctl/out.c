/* ctl/out.c: libsmartcols does the layout, the widths and the JSON. */
#include "ctl/out.h"

#include <stdio.h>
#include <stdlib.h>

#include <libsmartcols/libsmartcols.h>

#include "lib/esc.h"

struct out {
	struct libscols_table *table;
	const struct out_column *column;
	bool json;
	bool failed;
};

static void add_column(struct out *o, const struct out_column *c)
{
	struct libscols_column *col;
	int flags = c->kind == OUT_NUMBER ? SCOLS_FL_RIGHT : 0;

	col = scols_table_new_column(o->table, c->name, 0, flags);
	if (!col) {
		o->failed = true;
		return;
	}
	if (c->kind == OUT_NUMBER)
		scols_column_set_json_type(col, SCOLS_JSON_NUMBER);
	if (c->kind == OUT_FLAG)
		scols_column_set_json_type(col, SCOLS_JSON_BOOLEAN);
}

struct out *out_new(const char *name, const struct out_column *columns,
		    bool json)
{
	struct out *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->column = columns;
	o->json = json;
	scols_init_debug(0);
	o->table = scols_new_table();
	if (!o->table) {
		free(o);
		return NULL;
	}
	scols_table_enable_json(o->table, json);
	scols_table_set_name(o->table, name);
	for (; columns->name; columns++)
		add_column(o, columns);
	return o;
}

static void put_words(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_putc(b, s.p[i] >= 0x20 && s.p[i] < 0x7f ? s.p[i] : '?');
}

/* What a peer or a panel wrote is escaped for a terminal; libsmartcols itself
 * escapes for JSON. */
static void put_value(const struct out *o, struct buf *b,
		      const struct out_column *c, const struct sqlval *v)
{
	if (v->type == SQLVAL_NULL)
		return;
	if (c->kind == OUT_FLAG)
		buf_puts(b, v->u ? (o->json ? "1" : "yes")
				 : (o->json ? "0" : "no"));
	else if (v->type == SQLVAL_U64)
		buf_put_u64(b, v->u);
	else if (o->json)
		buf_put_span(b, v->s);
	else if (c->kind == OUT_WORDS)
		put_words(b, v->s);
	else
		esc_put(b, v->s, 1024);
}

bool out_row(void *out, const struct sqlval *col)
{
	struct out *o = out;
	struct libscols_line *line = scols_table_new_line(o->table, NULL);
	struct buf b = BUF_INIT(16384);
	size_t i;

	for (i = 0; line && o->column[i].name; i++) {
		buf_reset(&b);
		put_value(o, &b, &o->column[i], &col[i]);
		if (!buf_ok(&b) ||
		    scols_line_set_data(line, i, buf_cstr(&b)) != 0)
			o->failed = true;
	}
	buf_release(&b);
	if (!line)
		o->failed = true;
	return !o->failed;
}

void out_print_list(struct out *o)
{
	if (o->failed)
		fputs("mailrow: out of memory, the list is cut\n", stderr);
	if (o->json || scols_table_get_nlines(o->table) > 0)
		scols_print_table(o->table);
	if (o->json)
		putchar('\n');
}

void out_print_record(struct out *o)
{
	struct libscols_line *line;
	size_t i;

	if (o->json) {
		out_print_list(o);
		return;
	}
	line = scols_table_get_line(o->table, 0);
	for (i = 0; line && o->column[i].name; i++) {
		struct libscols_cell *cell = scols_line_get_cell(line, i);
		const char *text = cell ? scols_cell_get_data(cell) : NULL;

		printf("%-12s %s\n", o->column[i].name,
		       text && *text ? text : "-");
	}
}

void out_free(struct out **o)
{
	if (!*o)
		return;
	scols_unref_table((*o)->table);
	free(*o);
	*o = NULL;
}
