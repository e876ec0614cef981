/* tests/system/keeperrun.c: runs the keeper alone, for a test that plays its
 * parent and its sessions: keeperrun CONF_FILE CONTROL_DESCRIPTOR */
#include "pop3d/keeper.h"

#include <stdio.h>
#include <sysexits.h>

#include "lib/confload.h"
#include "lib/daemon.h"

int main(int argc, char **argv)
{
	struct buf problems = BUF_INIT(65536);
	struct conf *c;
	uint64_t control;
	int code;

	if (argc != 3 || !span_u64(span_of(argv[2]), &control))
		return EX_USAGE;
	c = confload(argv[1], &problems);
	if (!c) {
		(void)fputs(buf_cstr(&problems), stderr);
		return EX_CONFIG;
	}
	daemon_prepare();
	keeper_set_conf_file(argv[1]);
	code = keeper_main(c, (int)control, -1);
	conf_unref(&c);
	buf_release(&problems);
	return code;
}
