#!/bin/sh
# Runs cases inside a root of Debian's programs: on the build host by chroot, and on Skerry.
#
#   sh inside.sh GROUP [CASE...]    the functions case_NAME of GROUP.sh beside this file
#
# Each case runs in an empty folder of its own. What it says, on both outputs, is told as lines
# "NAME| text", and its status as "NAME= STATUS"; the last line is "end of GROUP".

cases=${0%/*}
group=$1
shift
. "$cases/$group.sh"
export LC_ALL=C TZ=UTC HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C
export TMPDIR=/tmp
umask 022

[ $# -gt 0 ] || set -- $(sed -n 's/^case_\([a-z0-9_]*\)() *{$/\1/p' "$cases/$group.sh")
for name; do
	mkdir -p "/tmp/work/$name"
	cd "/tmp/work/$name" || exit
	(set -u; "case_$name") >"/tmp/work/said" 2>&1 </dev/null
	status=$?
	# A last line without an end gets one, and says so.
	sed -e "s/^/$name| /" -e '$a\' /tmp/work/said
	echo "$name= $status"
	cd /
	rm -rf "/tmp/work/$name"
done
echo "end of $group"
