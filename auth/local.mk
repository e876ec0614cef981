sbin_PROGRAMS += auth/mailrow-authd
auth_mailrow_authd_LDADD = $(SQL_LIBS)
auth_mailrow_authd_SOURCES = \
	auth/attackers.c auth/attackers.h \
	auth/attackersync.c auth/attackersync.h \
	auth/attempt.c auth/attempt.h \
	auth/check.c auth/check.h \
	auth/client.c auth/client.h \
	auth/doors.c auth/doors.h \
	auth/digest.c auth/digest.h \
	auth/dovecot.c \
	auth/guard.c auth/guard.h \
	auth/job.h \
	auth/lastlogin.c auth/lastlogin.h \
	auth/main.c \
	auth/memory.c auth/memory.h \
	auth/mech.c auth/mech.h \
	auth/pending.c auth/pending.h \
	auth/protocol.h \
	auth/saslauthd.c \
	auth/saslwire.c auth/saslwire.h \
	auth/serve.c auth/serve.h \
	auth/settings.c auth/settings.h \
	auth/tick.c auth/tick.h \
	auth/weak.c auth/weak.h \
	auth/workers.c auth/workers.h

dist_man_MANS += auth/mailrow-authd.8
