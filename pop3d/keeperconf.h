/* pop3d/keeperconf.h: the keeper takes a new configuration. */
#ifndef MAILROW_POP3D_KEEPERCONF_H
#define MAILROW_POP3D_KEEPERCONF_H

#include "lib/conf.h"

struct keeperloop;

/* Makes room for a channel of every session; complains when it cannot. */
void keeperconf_need_files(const struct conf *c);

/* A configuration with a mistake is logged, and the old one stays. */
void keeperconf_reload(struct keeperloop *k);

#endif
