/* milter/callbacks.h: what libmilter calls, step by step. */
#ifndef MAILROW_MILTER_CALLBACKS_H
#define MAILROW_MILTER_CALLBACKS_H

#include <stdbool.h>

#include <libmilter/mfapi.h>

/* The table for smfi_register(). */
struct smfiDesc callbacks_table(void);

#endif
