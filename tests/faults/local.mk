# Traffic through a sandbox while something fails; root. FAULTS="--all --rounds 3"
# is the whole matrix, FAULTS="--only 'milter*'" a part.
EXTRA_DIST += tests/faults/README.md tests/faults/run \
	tests/faults/between.py tests/faults/clients.py tests/faults/inject.py \
	tests/faults/ledger.py tests/faults/mails.py tests/faults/oracle.py \
	tests/faults/proxy.py tests/faults/rows.py tests/faults/rows_db.py \
	tests/faults/rows_env.py tests/faults/rows_kill.py \
	tests/faults/rows_mta.py tests/faults/rows_points.py \
	tests/faults/rows_proxy.py tests/faults/table.py \
	tests/faults/traffic.py tests/faults/world.py

check-faults: all
	MAILROW_BUILD='$(abs_top_builddir)' top_srcdir='$(abs_top_srcdir)' \
		PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON3) $(srcdir)/tests/faults/run $(FAULTS)
.PHONY: check-faults
