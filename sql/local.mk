noinst_LIBRARIES += sql/libsql.a

sql_libsql_a_CFLAGS = $(AM_CFLAGS) $(DBCLIENT_CFLAGS)
sql_libsql_a_SOURCES = \
	sql/accounts.c sql/accounts.h \
	sql/box.c sql/box.h \
	sql/db.c sql/db.h sql/dbint.h \
	sql/dbcall.c \
	sql/dbconn.c \
	sql/dberror.c sql/dberror.h \
	sql/dbsite.c \
	sql/dbstmt.c \
	sql/deliver.c sql/deliver.h \
	sql/durability.c sql/durability.h \
	sql/explain.c sql/explain.h \
	sql/maildrop.c sql/maildrop.h \
	sql/native.c sql/native.h \
	sql/optfile.c sql/optfile.h \
	sql/pool.c sql/pool.h \
	sql/profile.c sql/profile.h \
	sql/readfile.c sql/readfile.h \
	sql/schema.c sql/schema.h \
	sql/sqlscan.c sql/sqlscan.h \
	sql/trash.c \
	sql/upload.c sql/upload.h \
	sql/queries.def

sqldir = $(pkgdatadir)/sql
dist_sql_DATA = sql/schema.sql sql/grants.sql
profilesdir = $(pkgdatadir)/profiles
dist_profiles_DATA = sql/profiles/native.conf
