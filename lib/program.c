/* lib/program.c: see program.h. */
#include "lib/program.h"

const char *program_name(enum program p)
{
	switch (p) {
	case PROG_MILTER:
		return "mailrow-milter";
	case PROG_LMTPD:
		return "mailrow-lmtpd";
	case PROG_POP3D:
		return "mailrow-pop3d";
	case PROG_AUTHD:
		return "mailrow-authd";
	case PROG_TOOL:
	case PROG_PURGE:
	case PROG_ALL:
		break;
	}
	return "mailrow";
}

const char *program_option_group(enum program p)
{
	if (p == PROG_TOOL)
		return "mailrow-admin";
	return p == PROG_PURGE ? "mailrow-purge" : program_name(p);
}
