/* lib/notify.h: what a daemon's parent tells the service manager
 * (sd_notify(3)). Without one, that is without NOTIFY_SOCKET in the
 * environment, nothing happens. Only the main process is heard, so children do
 * not call these. */
#ifndef MAILROW_LIB_NOTIFY_H
#define MAILROW_LIB_NOTIFY_H

/* Clients are served; also the end of what notify_reloading() began. */
void notify_ready(void);

/* The configuration is being read again. */
void notify_reloading(void);

/* No new clients; what is under way is brought to its end. */
void notify_stopping(void);

#endif
