/* sql/optfile.c: see optfile.h. The client library opens the file itself, and
 * says nothing when it cannot. */
#include "sql/optfile.h"

#include <errno.h>
#include <sys/stat.h>

#include "sql/readfile.h"

enum { OPTFILE_MAX = 65536 };

/* Groups that every client of the library reads. */
static bool group_counts(struct span name, struct span group)
{
	return span_eq(name, group) || span_is(name, "client") ||
	       span_is(name, "client-server") ||
	       span_is(name, "client-mariadb");
}

static void scan_line(struct span line, struct span group, bool *counts,
		      struct optfile *o)
{
	struct span key, value;

	line = span_trim(line);
	if (line.n == 0 || *line.p == '#' || *line.p == ';')
		return;
	if (*line.p == '[') {
		span_cut(span_skip(line, 1), ']', &key, &value);
		*counts = group_counts(key, group);
		o->has_group |= span_eq(key, group);
		return;
	}
	span_cut(line, '=', &key, &value);
	key = span_trim(key);
	value = span_trim(value);
	if (span_is(key, "password") && value.n > 0)
		o->has_password = true;
	if (*counts && span_is(key, "database") && value.n > 0)
		o->has_database = true;
	if (*counts && span_is(key, "user"))
		snprintf(o->user, sizeof(o->user), "%.*s", (int)value.n,
			 value.p);
}

void optfile_scan(struct span text, struct span group, struct optfile *o_r)
{
	struct span line;
	bool counts = false;

	*o_r = (struct optfile){ 0 };
	while (text.n > 0) {
		span_cut(text, '\n', &line, &text);
		scan_line(line, group, &counts, o_r);
	}
}

bool optfile_load(const char *path, struct span group, struct optfile *o_r,
		  struct buf *why)
{
	struct buf text = BUF_INIT(OPTFILE_MAX);
	mode_t mode = 0;
	bool ok;

	ok = readfile(path, &text, &mode);
	if (!ok)
		buf_printf(why, "cannot read '%s': %s\n", path,
			   strerror(errno));
	optfile_scan(buf_span(&text), group, o_r);
	buf_wipe(&text);
	if (ok && o_r->has_password && (mode & S_IROTH)) {
		buf_printf(why,
			   "cannot use '%s': it holds a password and everybody"
			   " may read it (chmod 0640)\n",
			   path);
		ok = false;
	}
	return ok;
}
