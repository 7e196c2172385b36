#!/bin/sh
# Runs cases inside a root of Debian's programs: on the build host by chroot, and on Skerry.
#
#   sh inside.sh GROUP [CASE...]    the functions case_NAME of GROUP.sh beside this file
#   sh inside.sh --one GROUP CASE   one of them, here, without any order around it
#
# Each case runs in an empty folder of its own. What it says, on both outputs, is told as lines
# "NAME| text", and its status as "NAME= STATUS"; the last line is "end of GROUP".

cases=${0%/*}
if [ "$1" = --one ]; then
	. "$cases/$2.sh"
	set -u
	"case_$3"
	exit
fi
group=$1
shift
export LC_ALL=C TZ=UTC HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C
export TMPDIR=/tmp TERM=linux
umask 022

[ $# -gt 0 ] || set -- $(sed -n 's/^case_\([a-z0-9_]*\)() *{$/\1/p' "$cases/$group.sh")
for name; do
	mkdir -p "/tmp/work/$name"
	cd "/tmp/work/$name" || exit
	timeout -s KILL 900 sh "$0" --one "$group" "$name" >/tmp/work/said 2>&1 </dev/null
	status=$?
	# A last line without an end gets one, and says so.
	sed -e "s/^/$name| /" -e '$a\' /tmp/work/said
	echo "$name= $status"
	cd /
	rm -rf "/tmp/work/$name"
done
echo "end of $group"
