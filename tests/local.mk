include tests/unit/base.mk
include tests/unit/wire.mk
include tests/unit/sys.mk
include tests/fuzz/local.mk
include tests/lint/local.mk
include tests/sql/local.mk
include tests/system/local.mk
include tests/bench/local.mk
