# Debian's static busybox, applet by applet: what each says about the same little files. "b" is
# busybox, "t" shows the command and its status beside what it said.

b() {
	busybox "$@"
}

t() {
	echo "\$ $*"
	busybox "$@"
	echo "-> $?"
}

# The same, for what comes in the order of a folder.
ts() {
	echo "\$ $*"
	busybox "$@" | busybox sort
}

# Files that most cases read.
files() {
	printf 'pear\napple\nfig\napple\nbanana\n' >fruit
	printf '3 c\n1 a\n2 b\n10 j\n' >numbers
	printf 'a:b:c\nd:e:f\n' >fields
	mkdir -p tree/one/two tree/three
	echo x >tree/one/x.c
	echo y >tree/one/two/y.h
	echo zz >tree/three/z.c
}

case_applets_are_all_there() {
	b --list | sort | sha256sum
	b | head -n 1
}

case_text_lines() {
	files
	t cat fruit numbers
	t cat -n fruit
	t head -n 2 fruit
	t tail -n 2 fruit
	t tail -c 5 fruit
	t tac fruit
	t rev fruit
	t nl fruit
	t wc fruit
	t wc -l fruit numbers
	t cut -d: -f2 fields
	t cut -c2-3 fruit
	t paste fruit numbers
	t fold -w 3 fruit
	t expand numbers
	t unexpand -a numbers
	t strings /cases/inside.sh
	t tr a-z A-Z <fruit
	t tr -d p <fruit
	t cat missing
	t head missing
}

case_text_order() {
	files
	t sort fruit
	t sort -u fruit
	t sort -r fruit
	t sort -n numbers
	t sort -k2 numbers
	t uniq fruit
	b sort fruit | b uniq -c
	b sort fruit | b uniq -d
	t shuf -n 0 fruit
	t crc32 fruit
	t md5sum fruit
	t sha1sum fruit
	t sha256sum fruit
	t sha512sum fruit
	t sha3sum fruit
	b md5sum fruit >sums
	t md5sum -c sums
	echo x >>fruit
	t md5sum -c sums
	t factor 12 97 1001
	t seq 1 3 10
}

case_text_programs() {
	files
	t grep -n app fruit
	t grep -c app fruit
	t grep -v app fruit
	t grep -E '^(fig|pear)$' fruit
	t grep nothing fruit
	t egrep 'an+a' fruit
	t fgrep p.a fruit
	t sed -n '2,3p' fruit
	t sed 's/a/<&>/g;1d' fruit
	t sed -e '/fig/i\before' -e '$a\after' fruit
	b cp fruit edited
	t sed -i 's/apple/APPLE/' edited
	t cat edited
	t awk '{ s += $1 } END { print s, NR }' numbers
	t awk -F: '{ print $3 "-" $1 }' fields
	t awk 'BEGIN { while (("echo a; echo b" | getline l) > 0) print "got", l; system("exit 3"); printf "%05.2f %x\n", 3.14159, 255 }'
	t awk '{ print > "out." NR; close("out." NR) }' fruit
	t cat out.1 out.5
	t xargs -n 2 echo <fruit
	t xargs -I{} echo "<{}>" <fruit
	t diff fruit edited
	t diff -u -L a -L b fruit edited
	b diff -u fruit edited >change
	b cp fruit patched
	t patch patched change
	t cmp patched edited
	t cmp fruit edited
	b printf '1d\n$p\nw ed.out\nq\n' | b ed fruit
	t cat ed.out
	t dc -e '2 3 + p 10 k 1 3 / p'
	b echo '2^64; scale=5; 1/7' | b bc
	t expr 3 + 4 '*' 5
	t expr abc : 'a\(.*\)'
	t test -d tree
	t [ -f tree ]
	t printf '%s=%d\n' a 1 b 2
	t echo -e 'a\tb'
	t yes no | b head -n 2
	t basename /a/b.c .c
	t dirname /a/b.c
	t true
	t false
	t hexdump -C fruit
	t od -c fruit
	t xxd fruit
	b xxd fruit | b xxd -r | b cmp - fruit
	b base64 fruit | b base64 -d | b cmp - fruit
	b uuencode fruit name | b uudecode -o - | b cmp - fruit
	t od -An -tx1 fields
}

case_files() {
	files
	t ls
	t ls -a tree
	t ls -R tree
	t ls -1F tree
	b ls -l tree/one | b awk '{ print $1, $2, $3, $4, $5, $9 }'
	t cp -r tree copy
	t diff -r tree copy
	t mv copy moved
	ts find moved
	ts find tree -name '*.c'
	ts find tree -type d
	ts find tree -type f -size -2c -o -name three
	ts find tree -name '*.c' -exec echo found {} ';'
	ts find tree -maxdepth 1 -mindepth 1
	ts find tree -newer fruit
	t rm moved
	t rm -r moved
	t mkdir a/b/c
	t mkdir -p a/b/c
	t rmdir a
	t rmdir -p a/b/c
	t ln -s fruit soft
	t ln fruit hard
	t readlink soft
	t readlink -f soft
	t realpath tree/../soft
	t stat -c '%n %F %s %h %a %u %g' fruit soft tree
	t chmod 640 fruit
	t chmod u+x,g=u fruit
	t stat -c %a hard
	t chown 1000:100 fruit
	t stat -c '%u %g' fruit
	t chgrp 7 fruit
	t touch -d '2001-02-03 04:05:06' fruit
	t date -r fruit +%s
	t stat -c %Y fruit
	t truncate -s 100000 big
	t du -s big
	t stat -c '%s' big
	t dd if=fruit of=part bs=2 count=3 skip=1
	t cat part
	t dd if=/dev/zero of=zeros bs=1k count=3 seek=2 conv=notrunc
	t stat -c %s zeros
	t fallocate -l 65536 room
	t stat -c '%s %b' room
	t mkfifo pipe
	t stat -c %F pipe
	b echo through >pipe &
	t cat pipe
	wait
	t mknod null c 1 3
	t stat -c '%F %t %T' null
	t install -m 700 fruit installed
	t stat -c %a installed
	t unlink installed
	t link fruit other
	t sync
	t mktemp -u -p . aXXXXXX | b sed 's/a....../aXXXXXX/'
	t tee copy2 <fruit
	t shred -u copy2
	t test -e copy2
	t pwd
}

case_archives() {
	files
	b find tree | b sort | b cpio -o -H newc >tree.cpio
	t cpio -t <tree.cpio
	b mkdir out
	(cd out && b cpio -i <../tree.cpio)
	t diff -r tree out/tree
	t tar cf tree.tar tree
	ts tar tf tree.tar
	t tar czf tree.tgz tree
	b mkdir out2
	t tar xzf tree.tgz -C out2
	t diff -r tree out2/tree
	t tar cjf tree.tbz tree
	t tar xOf tree.tbz tree/one/x.c
	for z in gzip bzip2; do
		t $z -k numbers
	done
	t gunzip -c numbers.gz
	t zcat numbers.gz
	t bunzip2 -c numbers.bz2
	b sort fruit | xz | b xz -dc
	t lzma -d </dev/null
	t ar -t missing.a
	b seq 100000 | b gzip | b gunzip | b md5sum
	b seq 100000 | b bzip2 | b bunzip2 | b md5sum
	t gunzip fruit
}

case_processes() {
	t sh -c 'echo $0 $# $*' name a b
	t sh -c 'exit 7'
	t sh -c 'kill -9 $$'
	t env -i A=1 busybox env
	t timeout 1 busybox sleep 5
	t timeout 5 busybox true
	t usleep 1000
	t setsid busybox echo hello
	t time true 2>/dev/null
	t id
	t id -u
	t whoami
	t groups
	t uname -s
	t uname -m
	t arch
	t pidof nothing
	b sleep 100 &
	p=$!
	t ps -o comm | b grep -c sleep
	t kill -l 15
	b kill $p
	wait $p 2>/dev/null # or "Terminated", if its end is not met before that of kill
	echo "killed $?"
	t killall nothing
	t chroot / /bin/busybox echo in
	t su -c 'id -u' -s /bin/sh root
	t setpriv --nnp busybox id -u
	t start-stop-daemon -S -x /bin/true
	t taskset 1 busybox echo one
	b renice -n 3 -p $$
}

case_time() {
	t date -u -d '2024-02-29 12:34:56' +'%F %T %j %a'
	t date -u -d @86400 +%c
	t cal 2 2024
	t sleep 0.01
	a=$(b date +%s)
	b sleep 1
	z=$(b date +%s)
	[ $((z - a)) -ge 1 ] && [ $((z - a)) -lt 30 ] && echo a second
	[ "$a" -gt 1700000000 ] && echo this century
}

case_system() {
	b free | b head -n 1
	t sysctl -n kernel.ostype
	t hostname >/dev/null
	t readlink /proc/self/exe
	t cat /proc/self/comm
	b cat /proc/self/cmdline | b tr '\0' ' '
	echo
	t stty -a
	t tty
	t tty -s
	t which busybox
	t getopt -o ab: -- -a -b 1 c
	t ipcalc -n 10.1.2.3/8
	t run-parts /missing
	t who
}

case_vi_by_keys() {
	files
	printf 'Goadded\033:w\rggdd:wq\r' | b script -q -c 'busybox vi fruit' /dev/null >/dev/null 2>&1
	t cat fruit
}

case_more_text() {
	printf 'root:x:0:0:root:/root:/bin/sh\n' >pw
	t awk -F: '$3 == 0 { print $1 }' pw
	t mkpasswd -m sha256 secret saltsalt
	t ascii
	t dos2unix pw
	b unix2dos <pw | b od -c
	t tr -s 'l' <pw
	t seq -w 8 11
	t seq -s , 5
	t hexdump -e '4/1 "%02x " "\n"' pw
	t less pw
	t more pw
}

case_shell_of_busybox() {
	cat >script <<'END'
f() { local x=$1; echo "f $x"; [ $x -gt 0 ] && f $((x - 1)); }
f 3
for i in a b c; do case $i in b) continue;; esac; echo $i; done
while read a b; do echo "$b $a"; done <<HERE
1 2
3 4
HERE
trap 'echo exit trap' EXIT
trap 'echo usr1' USR1
kill -USR1 $$
x=$(echo sub; exit 3); echo "$x $?"
set -- one two three; shift; echo $# $1
echo ${x:-d} ${y:-d} ${x#s} ${x%b} ${#x}
(exit 5) || echo $?
{ echo grouped; } | cat
sleep 0.2 & wait $!; echo waited $?
echo a b c | (read x y; echo "$y")
echo $((0x10 + 7 * 3 % 4 << 1))
printf '%s\n' *.none
umask 077; umask
ulimit -n >/dev/null && echo ulimit
eval 'echo $((1+1))'
test -t 0 || echo not a terminal
END
	t sh script
	t ash -e -c 'false; echo not reached'
	t sh -c 'echo a | cat | cat | cat | cat | tr a b'
	t sh -n script
}
