/* pop3d/keeperconf.h: the keeper takes a new configuration. */
#ifndef MAILROW_POP3D_KEEPERCONF_H
#define MAILROW_POP3D_KEEPERCONF_H

struct keeperloop;

/* A configuration with a mistake is logged, and the old one stays. */
void keeperconf_reload(struct keeperloop *k);

#endif
