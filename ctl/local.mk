bin_PROGRAMS += ctl/mailrow

ctl_mailrow_CFLAGS = $(AM_CFLAGS) $(SMARTCOLS_CFLAGS)
ctl_mailrow_LDADD = $(SQL_LIBS) $(SMARTCOLS_LIBS)
ctl_mailrow_SOURCES = \
	ctl/account.c \
	ctl/check.c ctl/check.h \
	ctl/checkconf.c \
	ctl/checkdb.c \
	ctl/checkprofile.c \
	ctl/checksocket.c \
	ctl/domain.c \
	ctl/mailbox.c \
	ctl/main.c \
	ctl/out.c ctl/out.h \
	ctl/schema.c \
	ctl/secret.c ctl/secret.h \
	ctl/tool.c ctl/tool.h
dist_man_MANS += ctl/mailrow.1
