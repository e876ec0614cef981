/* lib/conf.h: the configuration: an immutable value made from text. */
#ifndef MAILROW_LIB_CONF_H
#define MAILROW_LIB_CONF_H

#include "lib/buf.h"
#include "lib/network.h"
#include "lib/program.h"

enum conf_type {
	CONF_STRING,
	CONF_PATH,
	CONF_LIST,
	CONF_ENUM,
	CONF_BOOL,
	CONF_UINT,
	CONF_SIZE,
	CONF_TIME,
	CONF_NETWORKS
};

enum conf_flags { CF_RELOAD = 1, CF_RESTART = 2 };

/* C types of the fields. A LIST is its words, with a NULL behind them. */
struct conf_list {
	char **word;
	size_t n;
};
typedef char *conf_c_STRING;
typedef char *conf_c_PATH;
typedef struct conf_list conf_c_LIST;
typedef char *conf_c_ENUM;
typedef bool conf_c_BOOL;
typedef uint64_t conf_c_UINT;
typedef uint64_t conf_c_SIZE;
typedef int64_t conf_c_TIME; /* milliseconds */
typedef struct network_set conf_c_NETWORKS;

struct conf {
#define CONF_SECTION(title)
#define CONF(progs, type, key, def, min, max, flags, help) conf_c_##type key;
#include "lib/conf.def"
#undef CONF
#undef CONF_SECTION
	struct conf_private *priv; /* origins, reference count */
};

/* One file's text and the name to call it by in messages. */
struct conf_source {
	const char *file;
	struct span text;
};

/* Parses the sources in order; a key may stand once a file, a later file
 * overrides an earlier one. All mistakes of all files are appended to
 * problems, one line each: "FILE:LINE: what is wrong; what is allowed".
 * NULL when there was any (or no memory; then problems has failed).
 * The caller owns one reference. Pure. */
struct conf *conf_parse(const struct conf_source *src, size_t n,
			struct buf *problems);

/* References may be taken and given back from any thread; the last frees. */
struct conf *conf_ref(struct conf *c);
void conf_unref(struct conf **c);

/* Appends "key = value" lines for the options of these programs; with
 * changed_only those that a file set, each with "# FILE:LINE" above it. */
void conf_show(const struct conf *c, unsigned programs, bool changed_only,
	       struct buf *out);

/* The same table as an example file (every option commented out, with help)
 * and as the OPTIONS section of mailrow.conf(5) in mdoc. */
void conf_put_example(struct buf *out);
void conf_put_mdoc(struct buf *out);

/* Words are names of hosts and domains: ASCII letters are folded. */
bool conf_list_has(const struct conf_list *l, struct span word);

#endif
