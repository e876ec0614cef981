/* ctl/forget.c: see forget.h. */
#include "ctl/forget.h"

#include <sysexits.h>

#include "ctl/out.h"

static const struct out_column gone_columns[] = { { "gone", OUT_TEXT },
						  { "name", OUT_TEXT },
						  { "value", OUT_WORDS },
						  { NULL, OUT_TEXT } };

int forget_print(struct tool *t,
		 enum native_result (*forget)(struct db *, struct span,
					      native_row, void *),
		 struct span name)
{
	struct out *o = out_new("gone", gone_columns, t->json);
	int code;

	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(t, forget(t->db, name, out_row, o), name.p);
	if (code == EX_OK)
		out_print_list(o);
	out_free(&o);
	return code;
}
