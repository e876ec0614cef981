noinst_LIBRARIES += sql/libsql.a

sql_libsql_a_CFLAGS = $(AM_CFLAGS) $(DBCLIENT_CFLAGS)
sql_libsql_a_SOURCES = \
	sql/accounts.c sql/accounts.h \
	sql/apppass.c sql/apppass.h \
	sql/asking.c sql/asking.h \
	sql/attacker.c sql/attacker.h \
	sql/box.c sql/box.h \
	sql/charge.c sql/charge.h \
	sql/content.c sql/content.h \
	sql/db.c sql/db.h sql/dbint.h \
	sql/dbcall.c \
	sql/dbconn.c \
	sql/dberror.c sql/dberror.h \
	sql/dbsite.c \
	sql/dbstmt.c \
	sql/dbuser.c sql/dbuser.h \
	sql/decision.c sql/decision.h \
	sql/deliver.c sql/deliver.h \
	sql/durability.c sql/durability.h \
	sql/erase.c \
	sql/explain.c sql/explain.h \
	sql/export.c sql/export.h \
	sql/forget.c sql/forget.h \
	sql/lease.c sql/lease.h \
	sql/history.c sql/history.h \
	sql/limittable.c sql/limittable.h \
	sql/login.c sql/login.h \
	sql/maildrop.c sql/maildrop.h \
	sql/native.c sql/native.h \
	sql/optfile.c sql/optfile.h \
	sql/policydata.c sql/policydata.h \
	sql/pool.c sql/pool.h \
	sql/profile.c sql/profile.h \
	sql/purge.c sql/purge.h sql/purgeint.h \
	sql/purgebox.c \
	sql/purgecontent.c \
	sql/purgedecision.c \
	sql/purgelimit.c \
	sql/purgereceipt.c \
	sql/purgeretention.c \
	sql/purgetrash.c \
	sql/readfile.c sql/readfile.h \
	sql/replay.c sql/replay.h \
	sql/retention.c sql/retention.h \
	sql/schema.c sql/schema.h \
	sql/served.c sql/served.h \
	sql/sqlscan.c sql/sqlscan.h \
	sql/status.c sql/status.h \
	sql/trash.c \
	sql/trashcount.c sql/trashcount.h \
	sql/undelete.c sql/undelete.h \
	sql/upload.c sql/upload.h \
	sql/usage.c sql/usage.h \
	sql/verify.c sql/verify.h sql/verifyint.h \
	sql/verifybody.c \
	sql/verifybox.c \
	sql/verifycontent.c \
	sql/queries.def

sqldir = $(pkgdatadir)/sql
dist_sql_DATA = sql/schema.sql sql/grants.sql
profilesdir = $(pkgdatadir)/profiles
dist_profiles_DATA = \
	sql/profiles/extmail.conf sql/profiles/froxlor.conf \
	sql/profiles/iredmail.conf sql/profiles/ispconfig.conf \
	sql/profiles/mailcow.conf sql/profiles/modoboa.conf \
	sql/profiles/native.conf sql/profiles/postfixadmin.conf \
	sql/profiles/postfixadmin3.conf sql/profiles/vimbadmin.conf \
	sql/profiles/vpopmail.conf

dist_man_MANS += sql/mailrow-profiles.7
