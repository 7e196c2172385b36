# The GNU tools and others that everybody has: each does a few of the things that it is there for.

files() {
	printf 'pear\napple\nfig\napple\nbanana\n' >fruit
	mkdir -p tree/one/two tree/three
	echo x >tree/one/x.c
	echo y >tree/one/two/y.h
	ln -s ../one/x.c tree/three/link
	seq 1000 >tree/three/numbers
}

case_coreutils_text() {
	files
	sort -R fruit | sort | md5sum
	sort --parallel=4 -S 1M -u tree/three/numbers | tail -n 1
	seq 30000 | shuf --random-source=/bin/sh | sort -n | md5sum
	seq 30000 | sort -r -S 200k -T . | md5sum
	printf '1 a\n2 b\n' >l
	printf '1 x\n3 y\n' >r
	join l r
	join -a1 l r
	comm fruit fruit 2>/dev/null | wc -l
	split -n l/3 -d tree/three/numbers part. && wc -l part.*
	csplit -s tree/three/numbers 100 '{3}' && wc -l xx*
	for c in md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum sum; do $c fruit; done
	base64 fruit | base64 -d | cmp - fruit && base32 fruit && basenc --z85 -d </dev/null
	tr -cs a-z '\n' <fruit | nl | head -n 2
	fmt -w 20 <<END
many words that are to be put into lines of twenty
END
	pr -t -3 -l 5 fruit
	od -A x -t x2z fruit
	numfmt --to=iec 1000000 123456789
	expand -t 4 l && fold -w 2 l && paste -s -d, fruit && tac fruit && wc fruit && uniq -c fruit && cut -c1 fruit && head -c 3 fruit && tail -c +20 fruit
	printf '%q\n' 'a b' && seq -f %03g 3 && factor 123456789012345678 && expr length abc
	ptx -G fruit | head -n 2
	tsort <<END
a b
b c
END
	date -u -d @0 +%F && echo a | tee t1 t2 && cat t1 t2
	timeout 1 tail -f fruit 2>/dev/null
	echo $?
	(sleep 0.5; echo more >>fruit) &
	timeout 3 tail -n 1 -f fruit 2>/dev/null
	wait
	dircolors -b | head -c 10
}

case_coreutils_files() {
	files
	cp -a tree copy && diff -r --no-dereference tree copy && echo same
	cp --sparse=always fruit sparse && cp --reflink=auto fruit ref && cmp fruit ref
	cp -l fruit hard && stat -c %h fruit && cp -s "$PWD/fruit" soft && readlink soft >/dev/null && cp -u fruit hard && cp --parents tree/one/x.c copy
	cp -r tree tree/one/x.c 2>&1
	mv -n fruit hard && mv -v hard moved && mv -T copy copy2 && mv --exchange moved ref 2>&1 | head -n 1
	ln -sr moved rel && readlink rel && realpath --relative-to=/tmp moved && readlink -e nothere
	install -D -m 755 moved a/b/c/i && stat -c '%a %s' a/b/c/i
	mkdir -m 2750 setgid && stat -c %A setgid && mkdir setgid/in && stat -c %A setgid/in
	touch -d '1999-12-31 23:59:59.123456789 UTC' moved && stat -c '%y %Y' moved && touch -r moved fresh && test moved -ot tree && echo older
	truncate -s 1M sparse && stat -c '%s %b' sparse && du --apparent-size -k sparse && du -k sparse && fallocate -p -o 0 -l 4096 sparse
	dd if=/dev/urandom of=rnd bs=64K count=20 status=none && dd if=rnd bs=1000 status=none | cmp - rnd && dd if=rnd of=rnd2 bs=64K oflag=append,sync conv=fsync iflag=fullblock status=none && cmp rnd rnd2
	chmod -R g-w,o= copy2 && stat -c %a copy2/one/x.c && chown -R 12:34 copy2 && stat -c %u:%g copy2/three/numbers && chown -h 5 rel && stat -c %u rel
	ls -la --time-style=+ copy2 | awk '{ print $1, $3, $4, $6, $7, $8 }' && ls -laR --full-time tree | wc -l && ls -i1 tree | wc -l && ls --color=always tree && ls -S tree/three && dir tree && vdir tree | wc -l
	rm -rfv copy2 | sort && rm -i tree/one/x.c </dev/null 2>/dev/null; rm -r tree/one 2>&1 && rmdir --ignore-fail-on-non-empty tree && rm -f nothere && rm nothere
	shred -u rnd2 && test ! -e rnd2 && sync rnd && sync -f . && stat -f -c %T . && df --output=target . | wc -l && pathchk -p 'a:b' 2>&1
	mktemp -d -p . | wc -c && mkfifo -m 600 ff && stat -c %F:%a ff && mknod n c 1 5 && head -c 3 n | od -An -tx1 && unlink n && link rnd r3 && stat -c %h r3
	test -r rnd && [ rnd -ef r3 ] && echo one file && env - /usr/bin/printenv; id -un && groups && whoami && logname 2>/dev/null; uname -s && arch && nproc >/dev/null && hostid >/dev/null && pinky 2>/dev/null | wc -l; users | wc -c; tty; stty 2>&1; pwd -P; nice; chcon 2>/dev/null; true
}

case_findutils_grep_sed_awk() {
	files
	find tree -name '*.[ch]' | sort
	find tree -type l -printf '%p -> %l %m %y\n'
	touch -d '2020-01-01' old && find tree ! -newer old && find tree -newer old -type f -size +1c -perm -400 | sort
	find tree -depth -print | sort | head -n 2
	find tree -type f -exec wc -c {} + | sort | tail -n 1
	find tree -type f -execdir basename {} \; | sort
	find . -samefile fruit && find tree -empty && find tree -regex '.*/[xy]\.[ch]' | sort && find tree -path '*two*' -prune -o -print | sort
	cp -r tree gone && find gone -delete && ls -d gone 2>&1
	find tree -print0 | sort -z | xargs -0 -n 2 echo
	seq 5 | xargs -P 3 -I{} sh -c 'exit {}'
	echo $?
	grep -rn y tree | sort && grep -l x -r tree | sort && grep -c 1 tree/three/numbers && grep -P '^\d{3}5$' tree/three/numbers | head -n 1 && grep -o '9\+' tree/three/numbers | sort | uniq -c
	grep -A1 -B1 fig fruit && grep -qv apple fruit && grep -w 'app' fruit; echo $?
	grep -f fruit -x fruit | wc -l && printf 'bin\0ary\n' | grep bin && grep -z -o a fruit | tr '\0' . && grep -m2 a fruit && grep --color=always i fruit
	sed -E 's/(.)(.)/\2\1/' fruit && sed -n '/fig/,$p;$=' fruit && sed '2!d' fruit && sed -s -n '$p' fruit tree/one/x.c && sed 'N;N;s/\n/+/g' fruit && sed --debug -n 1p fruit | head -n 1
	cp fruit f2 && sed -i.bak '1~2d' f2 && cat f2 f2.bak && sed 'w out' fruit >/dev/null && cmp out fruit && sed '1e echo executed' fruit | head -n 1 && sed y/a/A/ fruit | tail -n 1
	for a in gawk mawk; do
		$a 'BEGIN { "date -u -d @0 +%Y" | getline y; print y; printf "%s\n", substr("abcdef", 2, 3); print length("héllo") > "/dev/stderr" }' 2>/dev/null
		$a '{ n[$1]++ } END { for (k in n) print n[k], k | "sort"; close("sort"); print system("exit 4") }' fruit
		$a -F, -v OFS=: '{ $1 = $1; print; print | "cat" }' <<END
1,2,3
END
	done
	gawk 'BEGIN { PROCINFO["sorted_in"] = "@ind_num_asc"; a[10]; a[9]; for (i in a) print i; print strftime("%F", 0, 1); cmd = "cat"; print "co" |& cmd; close(cmd, "to"); cmd |& getline x; print x; printf "%d\n", strtonum("0x1f"); print gensub(/a/, "b", "g", "aa") }'
}

case_archives_and_compression() {
	files
	tar cf t.tar tree && tar tf t.tar | sort && mkdir o && tar xf t.tar -C o && diff -r --no-dereference tree o/tree && echo same
	for z in gzip bzip2 xz zstd; do
		tar -c --$z -f t.$z tree && mkdir o.$z && tar -xf t.$z -C o.$z && diff -r --no-dereference tree o.$z/tree && echo $z
	done
	tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -c tree | md5sum
	tar -rf t.tar fruit && tar --delete -f t.tar tree/three && tar tvf t.tar | awk '{ print $1, $2, $6 }' | sort && tar xOf t.tar fruit | md5sum
	truncate -s 5M hole && echo end >>hole && tar -Scf s.tar hole && stat -c %s s.tar && tar -xf s.tar --transform s/hole/hole2/ && cmp hole hole2 && stat -c %b hole2
	find tree | sort | cpio -o -H newc 2>/dev/null >c && mkdir oc && (cd oc && cpio -id 2>/dev/null <../c) && diff -r --no-dereference tree oc/tree && cpio -t <c 2>/dev/null | wc -l
	seq 40000 >big && for z in gzip bzip2 xz 'xz -T2' zstd 'zstd -T2' 'gzip -1' 'xz -3'; do $z -c big | ${z%% *} -dc | cmp - big && echo "$z"; done
	gzip -k big && gzip -l big.gz | awk '{ print $2 }' && gzip -t big.gz && zcat big.gz | tail -n 1 && zgrep -c 99 big.gz && rm big && gunzip big.gz && wc -l big
	printf garbage | gzip -dc
	echo $?
	xz -k --check=sha256 big && xz -lv big.xz | grep -c SHA && unxz -c big.xz | md5sum && bzip2 -t t.bzip2 && zstd -q --rm big && zstd -q -d big.zst && md5sum big
}

case_comparing_and_patching() {
	files
	cp -r tree other && sed -i s/x/X/ other/one/x.c && echo added >other/new && rm other/three/numbers
	diff -r tree other
	diff -ru --label a --label b tree/one/x.c other/one/x.c
	diff -y -W 40 fruit other/new; diff -e tree/one/x.c other/one/x.c; diff -q tree/one/x.c other/one/x.c
	(cd tree && diff -ruN . ../other | sed 's/\t.*//' >../p); (cp -r tree patched && cd patched && patch -s -p0 <../p); diff -r --no-dereference patched other && echo patched
	patch -p0 -d tree --dry-run <p >/dev/null && patch -R -s -p0 -d other <p && diff -r --no-dereference tree other && echo reversed
	cmp -l tree/one/x.c fruit | head -n 3; sdiff -s fruit fruit; diff3 -m fruit fruit fruit | wc -l
}

case_make_m4_bc() {
	mkdir -p src && for i in 1 2 3 4 5 6; do echo "part $i" >src/$i.in; done
	cat >Makefile <<'END'
parts := $(patsubst src/%.in,out/%.txt,$(wildcard src/*.in))
all: result
out/%.txt: src/%.in | out
	@tr a-z A-Z <$< >$@
	@echo made $@
result: $(parts)
	@cat $(sort $^) >$@
	@wc -l <$@
out: ; @mkdir -p $@
fail: ; @exit 3
sub: ; @$(MAKE) -s --no-print-directory -C . clean
clean: ; @rm -rf out result; echo cleaned
.PHONY: all clean fail sub
$(info shell says $(shell seq 3 | tr '\n' ' '))
END
	make -j4 | sort
	make -s -j4
	touch src/3.in && make -j2
	make fail
	echo $?
	make sub
	make -n all | sort | head -n 3
	make -j3 --output-sync all | sort | tail -n 2
	m4 <<'END'
define(`f', `ifelse($1, 0, 1, `eval($1 * f(decr($1)))')')f(10) syscmd(echo sys) esyscmd(echo esys) translit(abc, a-c, x-z)
END
	echo 'scale=50; 4*a(1)' | bc -l
	echo '2^500 % 1000007' | bc
	echo '10k 2v p' | dc 2>/dev/null || echo no dc
}

case_editors() {
	files
	printf '1d\n$a\nlast\n.\nw\nq\n' | ed -s fruit && cat fruit
	vim.tiny -es -u NONE -c '%s/a/A/g' -c '$put =\"appended\"' -c 'g/fig/d' -c 'wq' fruit
	echo $?
	cat fruit
	seq 5000 >many && vim.tiny -es -u NONE -c 'g/7$/m0' -c '%!sort -n' -c 'w! sorted' -c 'q!' many && cmp many sorted && echo sorted
	vim.tiny -es -u NONE -c 'exe "normal ggdwiinserted\<Esc>yyGp"' -c wq fruit && cat fruit
	ex -s fruit <<END
1,2j
wq
END
	cat fruit
	printf 'ihello \033:wq\r' >keys
	script -qec 'vim.tiny -u NONE -N -s keys fruit' /dev/null </dev/null >/dev/null 2>&1
	cat fruit
}

case_pagers_and_lists() {
	seq 100 >hundred
	less hundred | tail -n 1
	column -t <<END
a bbb c
aaaa b c
END
	rev hundred | head -n 12 | tail -n 3
	hexdump -C hundred | tail -n 1
	look apple /dev/null
	col -b <<END
abc
END
	file /bin/bash | cut -d, -f1-2
	file hundred /dev/null . /bin/sh /usr/share/base-passwd/passwd.master
	printf '\037\213\010' | file -
	ls -la | script -qec 'cat' /dev/null </dev/null
}

# Waits, for as long as a loaded machine may need, until process $1 is program $2 in state $3.
becomes() {
	for i in $(seq 300); do
		grep -q "^State:.$3" "/proc/$1/status" && [ "$(cat "/proc/$1/comm")" = "$2" ] && return
		sleep 0.1
	done
	echo "process $2 is not in state $3"
}

case_processes_seen() {
	sleep 1000 &
	p=$!
	becomes $p sleep S
	ps -p $p -o comm,stat,nice,ppid --no-headers | awk -v pp=$$ '{ print $1, $2, $3 }'
	pgrep -x sleep >/dev/null && echo found
	pgrep -P $$ sleep >/dev/null && echo mine
	ps -ef | grep -c '[s]leep 1000'
	ps aux | awk 'NR == 1 { $1 = $1; print }'
	tr '\0' ' ' </proc/$p/cmdline && echo
	cat /proc/$p/comm
	readlink /proc/$p/exe
	readlink /proc/$p/cwd
	awk '/^(Name|State|Threads|Uid)/' /proc/$p/status
	kill -STOP $p && becomes $p sleep T && ps -o stat= -p $p && kill -CONT $p
	pkill -x sleep
	# dash says "Terminated" if it is "wait" that meets the end of the process, and nothing if it
	# was met while another program ran: so it is met here, before which tail does not end.
	timeout 60 tail --pid=$p -s 0.1 -f /dev/null
	wait $p
	echo $?
	free | awk 'NR == 1 { print $1, $2 }' && uptime >/dev/null && echo up && top -b -n 1 | grep -c PID && w -h | wc -l
	findmnt -n -o FSTYPE /proc && mountpoint /proc && unshare --uts sh -c 'hostname other; hostname' 2>/dev/null
	getopt -o ab: -l long -- -a -b x --long y; flock lock -c 'echo locked'; (flock -n 9 && (flock -n lock true || echo busy)) 9>lock
	setsid -w sh -c 'exit 4'; echo $?; nsenter --help >/dev/null && ipcs -l >/dev/null; prlimit --nofile=100 sh -c 'ulimit -n'; taskset -c 0 echo pinned; chrt -b 0 echo batch; renice -n 5 -p $$ >/dev/null; nice; mcookie | wc -c; rename.ul x y nothing; whereis -b sh | cut -d: -f1; cal 2 2024; logger -s x 2>&1 | wc -l; lslocks >/dev/null; fincore --version >/dev/null; hardlink --version >/dev/null; namei -m /bin/sh | head -n 1
}

case_git() {
	export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b
	export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z' GIT_PAGER=cat
	files
	git init -q -b main . && git add -A && git commit -q -m first && git log --format='%H %s'
	for i in $(seq 30); do echo $i >>fruit; git commit -q -am "change $i" || break; done
	git log --oneline | wc -l && git rev-parse HEAD && git diff HEAD~5 --stat && git status --short
	git checkout -q -b side HEAD~10 && echo side >side && git add side && git commit -q -m side && git checkout -q main && git merge -q side -m merged && git log --graph --oneline | head -n 3
	git gc -q && git fsck && git count-objects -v | awk '/in-pack|packs/' && git tag -a v1 -m one && git describe && git clone -q . clone && git -C clone log -1 --format=%H
	git rebase -q HEAD~3 2>&1 | tail -n 1; git stash -q 2>&1; echo dirt >>fruit && git stash -q && git stash pop -q && git diff --numstat && git checkout -q fruit && git grep -c apple && git blame fruit | tail -n 1 | cut -c1-8,30- && git archive HEAD | tar t | sort && git worktree add -q ../wt-$$ 2>/dev/null && git worktree list | wc -l; rm -rf ../wt-$$
	git cat-file -p HEAD | head -n 1 && git ls-files -s | sha256sum && git bundle create -q b --all && git bundle verify -q b && git show --stat HEAD | tail -n 1 && git config --list --local | sort | head -n 3
}
