bin_PROGRAMS += ctl/mailrow

ctl_mailrow_CFLAGS = $(AM_CFLAGS) $(SMARTCOLS_CFLAGS)
ctl_mailrow_LDADD = $(JUDGE_LIBS) $(SMARTCOLS_LIBS)
ctl_mailrow_SOURCES = \
	ctl/access.c \
	ctl/account.c ctl/account.h \
	ctl/accountpolicy.c \
	ctl/apppass.c \
	ctl/door.c \
	ctl/forget.c ctl/forget.h \
	ctl/alias.c \
	ctl/auth.c \
	ctl/boxarg.c ctl/boxarg.h \
	ctl/check.c ctl/check.h \
	ctl/checkconf.c \
	ctl/checkdb.c \
	ctl/checkmta.c ctl/checkmta.h \
	ctl/checkmtaconf.c \
	ctl/checkmtadiscard.c \
	ctl/checkmtadomain.c \
	ctl/checkmtafilter.c \
	ctl/checkmtalmtp.c \
	ctl/checkmtamilter.c \
	ctl/checkmtaread.c \
	ctl/checkmtasasl.c \
	ctl/checkmtasmtp.c \
	ctl/checkmtasocket.c \
	ctl/checkmtatable.c \
	ctl/checkmtavalue.c \
	ctl/checkpolicy.c \
	ctl/checkprofile.c \
	ctl/checksize.c \
	ctl/checksocket.c \
	ctl/checktls.c \
	ctl/domain.c \
	ctl/explain.c ctl/explain.h \
	ctl/explainid.c \
	ctl/explainrows.c \
	ctl/explainshow.c \
	ctl/limit.c \
	ctl/lookup.c \
	ctl/mailbox.c ctl/mailbox.h \
	ctl/mailboxerase.c \
	ctl/mailboxexport.c \
	ctl/main.c \
	ctl/metrics.c \
	ctl/network.c \
	ctl/ourjudge.c ctl/ourjudge.h \
	ctl/out.c ctl/out.h \
	ctl/policy.c ctl/policy.h \
	ctl/policydecisions.c \
	ctl/policymode.c \
	ctl/pop3.c \
	ctl/purge.c ctl/purge.h \
	ctl/schema.c \
	ctl/retention.c \
	ctl/sendas.c \
	ctl/serve.c \
	ctl/status.c \
	ctl/secret.c ctl/secret.h \
	ctl/tool.c ctl/tool.h \
	ctl/undelete.c \
	ctl/verify.c
dist_man_MANS += ctl/mailrow.1
