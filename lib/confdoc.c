/* lib/confdoc.c: used by the build alone: prints the table of options as the
 * example file or as a part of mailrow.conf(5). */
#include "lib/conf.h"

#include <stdio.h>
#include <stdlib.h>

enum { DOC_MAX = 1 << 20 };

int main(int argc, char **argv)
{
	struct span what = span_of(argc == 2 ? argv[1] : "");
	struct buf out = BUF_INIT(DOC_MAX);
	bool ok;

	if (span_is(what, "example")) {
		conf_put_example(&out);
	} else if (span_is(what, "mdoc")) {
		conf_put_mdoc(&out);
	} else {
		(void)fputs("usage: confdoc example | mdoc\n", stderr);
		return EXIT_FAILURE;
	}
	ok = buf_ok(&out) && fwrite(out.p, 1, out.n, stdout) == out.n &&
	     fflush(stdout) == 0;
	buf_release(&out);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
