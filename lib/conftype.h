/* lib/conftype.h: the types of options, text to value and back; and the table
 * of options. For conf.c and confshow.c only. */
#ifndef MAILROW_LIB_CONFTYPE_H
#define MAILROW_LIB_CONFTYPE_H

#include "lib/conf.h"

#include <stdatomic.h>

enum {
	CONF_ROWS = 0
#define CONF_SECTION(title)                                +1
#define CONF(progs, type, key, def, min, max, flags, help) +1
#include "lib/conf.def"
#undef CONF
#undef CONF_SECTION
};

/* A row of conf.def; a section has no key, and its title is help. */
struct conf_option {
	const char *key;
	unsigned programs;
	enum conf_type type;
	size_t offset; /* of the field in struct conf */
	const char *def;
	const char *words; /* ENUM: what is allowed, split at '|' */
	uint64_t min, max;
	unsigned flags;
	const char *help;
};

extern const struct conf_option conf_options[CONF_ROWS];

union conf_value {
	char *text;
	struct conf_list list;
	bool yes;
	uint64_t number;
	int64_t ms;
	struct network_set networks;
};

struct conf_origin {
	size_t file;
	size_t line; /* 0: nothing set it */
};

struct conf_private {
	atomic_size_t refs;
	char **file;
	size_t files;
	struct conf_origin origin[CONF_ROWS];
};

enum conf_status { CONF_OK, CONF_BAD, CONF_RANGE, CONF_MEMORY };

/* v_r is set for CONF_OK; what is in it then belongs to the caller. bad_r is
 * the part of text that was CONF_BAD or out of CONF_RANGE. */
enum conf_status conftype_parse(const struct conf_option *o, struct span text,
				union conf_value *v_r, struct span *bad_r)
	__attribute__((warn_unused_result));

/* Appends text that conftype_parse() takes back. */
void conftype_put(const struct conf_option *o, const union conf_value *v,
		  struct buf *out);

void conftype_release(const struct conf_option *o, union conf_value *v);

/* Of the field in struct conf. */
size_t conftype_size(const struct conf_option *o);

/* "a time with its unit (ms, s, m, h, d)" */
const char *conftype_name(const struct conf_option *o);

/* "10m to 1d", "syslog or stderr"; true, or nothing and false when there is
 * nothing to say. */
bool conftype_put_allowed(const struct conf_option *o, struct buf *out);

#endif
