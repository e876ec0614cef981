/* ctl/mailbox.h: those verbs of mailrow mailbox that fill a file. */
#ifndef MAILROW_CTL_MAILBOX_H
#define MAILROW_CTL_MAILBOX_H

#include <getopt.h>

#include "ctl/tool.h"

extern const struct option mailboxexport_options[], mailboxerase_options[];

int mailboxexport_option(struct tool *t, int val, const char *argument);
int mailboxexport_verb(struct tool *t, int argc, char **argv);

int mailboxerase_option(struct tool *t, int val, const char *argument);
int mailboxerase_verb(struct tool *t, int argc, char **argv);
int mailboxclose_verb(struct tool *t, int argc, char **argv);

#endif
