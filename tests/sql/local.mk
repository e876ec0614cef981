# The store against a real server: make check-sql starts a private MariaDB.
# Without cmocka there is nothing to run.
EXTRA_DIST += tests/sql/with-mariadb.sh tests/sql/run.sh \
	tests/sql/panels/extmail.sql tests/sql/panels/froxlor.sql \
	tests/sql/panels/iredmail.sql tests/sql/panels/ispconfig.sql \
	tests/sql/panels/mailcow.sql tests/sql/panels/modoboa.sql \
	tests/sql/panels/native.sql tests/sql/panels/postfixadmin.sql \
	tests/sql/panels/postfixadmin3.sql tests/sql/panels/vimbadmin.sql \
	tests/sql/panels/vpopmail.sql

if HAVE_CMOCKA
SQL_UNIT_TESTS = \
	tests/unit/test_dberror \
	tests/unit/test_durability \
	tests/unit/test_optfile \
	tests/unit/test_profile \
	tests/unit/test_sqlscan
SQL_TESTS = \
	tests/sql/test_sql_accounts \
	tests/sql/test_sql_attacker \
	tests/sql/test_sql_box \
	tests/sql/test_sql_charge \
	tests/sql/test_sql_concurrent \
	tests/sql/test_sql_db \
	tests/sql/test_sql_decision \
	tests/sql/test_sql_deliver \
	tests/sql/test_sql_forget \
	tests/sql/test_sql_grants \
	tests/sql/test_sql_history \
	tests/sql/test_sql_judge \
	tests/sql/test_sql_lease \
	tests/sql/test_sql_maildrop \
	tests/sql/test_sql_owns \
	tests/sql/test_sql_purge \
	tests/sql/test_sql_purgebox \
	tests/sql/test_sql_plans \
	tests/sql/test_sql_policydata \
	tests/sql/test_sql_profiles \
	tests/sql/test_sql_retention \
	tests/sql/test_sql_schema \
	tests/sql/test_sql_server \
	tests/sql/test_sql_usage \
	tests/sql/test_sql_verify
if FAULT_POINTS
SQL_TESTS += tests/sql/test_sql_fault tests/sql/test_sql_purgefault
endif
check_PROGRAMS += $(SQL_UNIT_TESTS)
TESTS += $(SQL_UNIT_TESTS)
SQL_EXTRA = $(SQL_TESTS) tests/sql/test_sql_fault \
	tests/sql/test_sql_purgefault tests/sql/delivercost
EXTRA_PROGRAMS += $(SQL_EXTRA)
CLEANFILES += $(SQL_EXTRA)
endif

check-sql: $(SQL_TESTS)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) \
	$(srcdir)/tests/sql/with-mariadb.sh $(srcdir)/tests/sql/run.sh \
		$(SQL_TESTS)
.PHONY: check-sql

tests_unit_test_dberror_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dberror_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_durability_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_durability_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_optfile_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_optfile_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_profile_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_profile_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_sqlscan_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sqlscan_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

tests_sql_test_sql_accounts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_accounts_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_accounts_SOURCES = tests/sql/test_sql_accounts.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_attacker_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_attacker_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_attacker_SOURCES = tests/sql/test_sql_attacker.c \
	tests/sql/fixture.c tests/sql/fixture.h
tests_sql_test_sql_box_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_box_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_box_SOURCES = tests/sql/test_sql_box.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_charge_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_charge_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_charge_SOURCES = tests/sql/test_sql_charge.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_concurrent_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_concurrent_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_concurrent_SOURCES = tests/sql/test_sql_concurrent.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_db_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_db_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_db_SOURCES = tests/sql/test_sql_db.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_decision_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_decision_LDADD = $(JUDGE_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_decision_SOURCES = tests/sql/test_sql_decision.c \
	tests/sql/purging.c tests/sql/purging.h \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_deliver_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_deliver_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_deliver_SOURCES = tests/sql/test_sql_deliver.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_fault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_fault_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_fault_SOURCES = tests/sql/test_sql_fault.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_grants_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_grants_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_grants_SOURCES = tests/sql/test_sql_grants.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_forget_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_forget_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_forget_SOURCES = tests/sql/test_sql_forget.c \
	tests/sql/fixture.c tests/sql/fixture.h
tests_sql_test_sql_history_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_history_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_history_SOURCES = tests/sql/test_sql_history.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_judge_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_judge_LDADD = $(JUDGE_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_judge_SOURCES = tests/sql/test_sql_judge.c \
	tests/sql/fixture.c tests/sql/fixture.h
tests_sql_test_sql_lease_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_lease_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_lease_SOURCES = tests/sql/test_sql_lease.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_maildrop_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_maildrop_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_maildrop_SOURCES = tests/sql/test_sql_maildrop.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_plans_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_plans_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_plans_SOURCES = tests/sql/test_sql_plans.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/panel.c tests/sql/panel.h
tests_sql_test_sql_owns_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_owns_LDADD = $(JUDGE_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_owns_SOURCES = tests/sql/test_sql_owns.c \
	tests/sql/panelrows.h \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/panel.c tests/sql/panel.h
tests_sql_test_sql_policydata_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_policydata_LDADD = $(JUDGE_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_policydata_SOURCES = tests/sql/test_sql_policydata.c \
	tests/sql/fixture.c tests/sql/fixture.h
tests_sql_test_sql_profiles_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_profiles_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_profiles_SOURCES = tests/sql/test_sql_profiles.c \
	tests/sql/panelrows.h \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/panel.c tests/sql/panel.h
tests_sql_test_sql_purge_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_purge_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_purge_SOURCES = tests/sql/test_sql_purge.c \
	tests/sql/purging.c tests/sql/purging.h \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_purgebox_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_purgebox_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_purgebox_SOURCES = tests/sql/test_sql_purgebox.c \
	tests/sql/purging.c tests/sql/purging.h \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_purgefault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_purgefault_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_purgefault_SOURCES = tests/sql/test_sql_purgefault.c \
	tests/sql/purging.c tests/sql/purging.h \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_retention_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_retention_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_retention_SOURCES = tests/sql/test_sql_retention.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h \
	tests/sql/purging.c tests/sql/purging.h
tests_sql_test_sql_schema_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_schema_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_schema_SOURCES = tests/sql/test_sql_schema.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_server_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_server_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_server_SOURCES = tests/sql/test_sql_server.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_test_sql_usage_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_usage_LDADD = policy/libpolicy.a $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_usage_SOURCES = tests/sql/test_sql_usage.c \
	tests/sql/fixture.c tests/sql/fixture.h
tests_sql_test_sql_verify_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_test_sql_verify_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_test_sql_verify_SOURCES = tests/sql/test_sql_verify.c \
	tests/sql/purging.c tests/sql/purging.h \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
tests_sql_delivercost_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sql_delivercost_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
tests_sql_delivercost_SOURCES = tests/sql/delivercost.c \
	tests/sql/fixture.c tests/sql/fixture.h \
	tests/sql/mailing.c tests/sql/mailing.h
