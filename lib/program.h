/* lib/program.h: the programs of Mailrow. */
#ifndef MAILROW_LIB_PROGRAM_H
#define MAILROW_LIB_PROGRAM_H

enum program {
	PROG_MILTER = 1 << 0,
	PROG_LMTPD = 1 << 1,
	PROG_POP3D = 1 << 2,
	PROG_AUTHD = 1 << 3,
	PROG_TOOL = 1 << 4,
	PROG_PURGE = 1 << 5, /* those verbs of the tool that delete mail */
	PROG_ALL = (1 << 6) - 1
};

/* "mailrow-milter" ...; the tool is "mailrow", whatever it does. */
const char *program_name(enum program p);

/* Group in the option file, e.g. "mailrow-milter"; the tool is
 * "mailrow-admin", and "mailrow-purge" where it deletes mail. */
const char *program_option_group(enum program p);

#endif
