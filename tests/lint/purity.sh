#!/bin/bash
# The pure archives import nothing but what tests/lint/pure-symbols names:
# no files, no sockets, no clock, no randomness, no environment.
set -eu
: "${top_srcdir:?is set by make check}" "${top_builddir:?is too}"
cd "$top_builddir"
archives="lib/libcore.a policy/libpolicy.a lmtpd/liblmtp.a pop3d/libpop.a"
for a in $archives; do
	[ -f "$a" ] || { echo "$a: not built"; exit 1; }
done

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# What a symbol becomes by fortification, and what instruments add.
normalise()
{
	sed -E 's/@.*//; s/^__([a-z0-9_]+)_chk$/\1/; s/^__isoc[0-9]+_//' |
		grep -vE '^(__asan_|__ubsan_|__tsan_|__sanitizer_|__gcov|__llvm_)|^(__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$' |
		sort -u
}

# shellcheck disable=SC2086
nm -A --defined-only $archives | awk '{ print $NF }' | sort -u >"$tmp/own"
# shellcheck disable=SC2086
nm -A -u $archives 2>/dev/null | awk 'NF > 1 { print $1, $NF }' >"$tmp/refs"
grep -v '^#' "$top_srcdir/tests/lint/pure-symbols" | sort -u >"$tmp/allowed"
awk '{ print $2 }' "$tmp/refs" | sort -u | comm -23 - "$tmp/own" | normalise |
	comm -23 - "$tmp/allowed" >"$tmp/foreign"

while read -r symbol; do
	awk -v s="$symbol" '$2 == s || $2 == "__" s "_chk" || $2 ~ "_" s "$" {
		print $1 " imports " s ", which is not in tests/lint/pure-symbols"
	}' "$tmp/refs" | sort -u
done <"$tmp/foreign"
[ -s "$tmp/foreign" ] && exit 1
echo "purity: ok"
