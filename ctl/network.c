/* ctl/network.c: mailrow network ...: what the site says of clients. */
#include "ctl/tool.h"

#include <sysexits.h>

#include "ctl/out.h"
#include "policy/netmap.h"

static const struct out_column network_columns[] = { { "network", OUT_TEXT },
						     { "kind", OUT_TEXT },
						     { "note", OUT_TEXT },
						     { NULL, OUT_TEXT } };

static enum native_result list_all(struct db *db, native_row row, void *arg)
{
	return native_list(db, Q_NETWORK_LIST, NULL, row, arg);
}

static int network_list(struct tool *t, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return tool_print_list(t, "networks", network_columns, list_all, NULL);
}

/* In the one spelling that the tool writes. */
static bool take_network(const char *text, struct buf *name_r)
{
	struct network n;

	if (network_parse(span_of(text), &n)) {
		network_put(name_r, &n);
		return true;
	}
	tool_fail(0,
		  "'%s' is no network: 192.0.2.0/24, 2001:db8::/32 or an "
		  "address; what is beyond the prefix must be 0",
		  text);
	return false;
}

static int put(struct tool *t, struct buf *name, const char *kind,
	       const char *note)
{
	const struct sqlval param[] = { sql_bytes(buf_span(name)),
					sql_bytes(span_of(kind)),
					sql_bytes(span_of(note)) };
	enum network_kind k;

	if (!network_kind_find(span_of(kind), &k))
		return tool_fail(EX_DATAERR,
				 "'%s' is no kind: trusted, webmail, partner, "
				 "blocked or plain",
				 kind);
	return tool_set(t, Q_NETWORK_PUT, param);
}

static int network_set(struct tool *t, int argc, char **argv)
{
	struct buf name = BUF_INIT(2 * IPADDR_TEXT_MAX);
	int code = EX_DATAERR;

	if (take_network(argv[0], &name))
		code = put(t, &name, argv[1], argc > 2 ? argv[2] : "");
	buf_release(&name);
	return code;
}

static int network_unset(struct tool *t, int argc, char **argv)
{
	struct buf name = BUF_INIT(2 * IPADDR_TEXT_MAX);
	struct sqlval raw = sql_bytes(span_of(argv[0]));
	struct sqlval canonical = raw;
	struct network n;
	int code;

	(void)argc;
	if (network_parse(span_of(argv[0]), &n)) {
		network_put(&name, &n);
		canonical = sql_bytes(buf_span(&name));
	}
	code = tool_unset(t, Q_NETWORK_DELETE, &raw, &canonical, argv[0]);
	buf_release(&name);
	return code;
}

const struct verb network_verbs[] = {
	{ .noun = "network",
	  .name = "list",
	  .usage = "",
	  .help = "what is said of clients' networks",
	  .run = network_list },
	{ .noun = "network",
	  .name = "set",
	  .min_args = 2,
	  .max_args = 3,
	  .usage = "NETWORK trusted|webmail|partner|blocked|plain [NOTE]",
	  .help = "say what a network is; the longest prefix counts",
	  .run = network_set },
	{ .noun = "network",
	  .name = "unset",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "NETWORK",
	  .help = "forget it",
	  .run = network_unset },
	{ .noun = NULL }
};
