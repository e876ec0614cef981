/* lib/confload.h: reads mailrow.conf and conf.d, and the options that every
 * program has. */
#ifndef MAILROW_LIB_CONFLOAD_H
#define MAILROW_LIB_CONFLOAD_H

#include "lib/conf.h"

/* Octets of one file, and of all the lines about mistakes. */
enum { CONFLOAD_FILE_MAX = 1 << 20, CONFLOAD_PROBLEMS_MAX = 1 << 20 };

/* The file that -c named, else $MAILROW_CONF, else the default; option is
 * NULL without -c. */
const char *confload_file(const char *option);

/* Reads FILE and, in order of their names, DIR/conf.d/ *.conf beside it.
 * NULL and lines in problems when a file cannot be read or is wrong. */
struct conf *confload(const char *file, struct buf *problems);

/* What the command line of a daemon said. */
struct cli {
	const char *conf_file; /* what confload_file() chose, for a reload */

	/* set before the call: what --check-config looks at besides, or NULL.
	 * False, and lines in problems, when something is wrong */
	bool (*check)(const struct conf *c, struct buf *problems);
};

/* Handles --help, --version, --show-config [-n], --check-config and -c for a
 * daemon: either returns the configuration to run with, or prints and exits
 * (0, 64 EX_USAGE, 78 EX_CONFIG). about is one line for --help. */
struct conf *cli_daemon(enum program self, const char *about, int argc,
			char **argv, struct cli *cli_r);

#endif
