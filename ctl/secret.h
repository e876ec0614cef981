/* ctl/secret.h: passwords from a prompt or from standard input, never argv. */
#ifndef MAILROW_CTL_SECRET_H
#define MAILROW_CTL_SECRET_H

#include "lib/buf.h"

/* On a terminal asks twice without echo, else reads one line of standard
 * input. False after a message. The caller wipes b. */
bool secret_read(struct buf *b);

#endif
