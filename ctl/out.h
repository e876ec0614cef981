/* ctl/out.h: tables for people and for programs. */
#ifndef MAILROW_CTL_OUT_H
#define MAILROW_CTL_OUT_H

#include "lib/span.h"
#include "sql/db.h"

enum out_kind {
	OUT_TEXT,
	OUT_WORDS,  /* a sentence, such as a reply: what is printable stays */
	OUT_NUMBER, /* right-aligned; a number in JSON */
	OUT_FLAG    /* yes or no; true or false in JSON */
};

struct out_column {
	const char *name;
	enum out_kind kind;
};

struct out;

/* name is the key of the list in JSON; columns end with a NULL name. */
struct out *out_new(const char *name, const struct out_column *columns,
		    bool json);

/* One row, col in the order of the columns. Fits native_row. */
bool out_row(void *out, const struct sqlval *col);

/* A table; nothing when there is no row, but a list in JSON all the same. */
void out_print_list(struct out *o);

/* The first row as lines of "name value"; in JSON as a list of one. */
void out_print_record(struct out *o);
void out_free(struct out **o);

#endif
