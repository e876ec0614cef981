/* ctl/policy.h: the verbs of mailrow policy ..., which stand in several
 * files. */
#ifndef MAILROW_CTL_POLICY_H
#define MAILROW_CTL_POLICY_H

#include <getopt.h>

#include "ctl/tool.h"

/* policydecisions.c */
extern const struct option policy_decisions_options[];
extern const struct option policy_shadow_options[];
int policy_decisions(struct tool *t, int argc, char **argv);
int policy_shadow(struct tool *t, int argc, char **argv);
int policy_decisions_option(struct tool *t, int val, const char *argument);

/* policymode.c */
int policy_modes_run(struct tool *t, int argc, char **argv);
int policy_mode_run(struct tool *t, int argc, char **argv);

#endif
