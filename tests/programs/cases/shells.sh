# Scripts in dash and bash: what a shell asks of processes, pipes, signals and descriptors.

case_dash_basics() {
	cat >script <<'END'
f() { local x=$1; echo "f $x"; [ "$x" -gt 0 ] && f $((x - 1)); }
f 4
cat <<-HERE | tr a-z A-Z
	here $((2 * 21)) $(echo sub)
	HERE
cat <<'HERE'
quoted $x `y`
HERE
x=$(false; echo v; exit 3); echo "$x $?"
(exit 5) || echo "$?"
set -- a 'b c' d
for i; do echo "<$i>"; done
shift 2; echo "$1 $#"
case abc in a*c) echo match;; esac
while read -r a b; do echo "$b $a"; done <<HERE
1 2
3 4
HERE
echo "${x:-d} ${y:-d} ${x#v} ${#x} ${y+set}"
i=0; until [ $i = 3 ]; do i=$((i + 1)); [ $i = 2 ] && continue; echo $i; done
exec 3>file; echo to3 >&3; exec 3>&-; cat file
exec 4<file; read -r l <&4; echo "$l"; exec 4<&-
{ echo out; echo err >&2; } 2>&1 | sort
command -v cd; type echo
eval 'echo "$((1 + 1))"'
umask; umask 077; >private; ls -l private | cut -c1-10
getopts ab: o -b val; echo "$o $OPTARG"
printf '%5d|%-5s|%x\n' 42 ab 255
readonly r=1; (r=2) 2>/dev/null || echo readonly
trap 'echo bye' EXIT
END
	dash script
	echo "status $?"
	sh -c 'nosuchcommand'
	echo "status $?"
	sh -c './script'
	echo "status $?"
	sh -c 'cd /nonexistent'
	echo "status $?"
}

case_pipes_of_many_programs() {
	seq 1 20000 | grep 7 | sed 's/7/x/' | sort -r | uniq | head -n 5
	seq 1 100000 | cat | cat | cat | cat | cat | tail -n 1
	yes | head -n 100000 | wc -l
	seq 1000 | while read -r n; do echo $((n * 2)); done | awk '{ s += $1 } END { print s }'
	dd if=/dev/zero bs=64k count=100 2>/dev/null | cat | md5sum
	(sleep 0.1; echo late) | cat
	true | false | true
	echo "$?"
	bash -c 'set -o pipefail; true | false | true; echo $? "${PIPESTATUS[@]}"'
	bash -c 'false | true | exit 3; echo "${PIPESTATUS[@]}"'
	bash -c 'yes | head -1; echo "${PIPESTATUS[@]}"'
}

case_traps() {
	cat >script <<'END'
trap 'echo got term' TERM
trap 'echo got usr1' USR1
trap '' INT
kill -TERM $$; kill -USR1 $$; kill -INT $$
echo alive
sh -c 'kill -INT $$; echo "ignored is inherited"'
trap - TERM
(trap 'echo sub exit' EXIT; exit 2)
echo $?
trap 'echo chld' CHLD
sh -c 'kill -SEGV $$'; echo $?
sh -c 'kill -KILL $$'; echo $?
sh -c 'kill -PIPE $$'; echo $?
END
	dash script 2>/dev/null
	bash script 2>/dev/null
	bash -c 'trap "echo err \$?" ERR; false; (exit 4); true'
	bash -c 'trap "echo debug" DEBUG; :; :'
	bash -c 'trap "echo int; exit 9" INT; kill -INT $$; echo not here'
	echo $?
	bash -c 'sleep 100 & p=$!; trap "echo term; kill $p" TERM; (sleep 0.3; kill -TERM $$) & wait $p; echo $?; wait $p; echo $?' 2>/dev/null
}

case_background_and_wait() {
	cat >script <<'END'
sleep 0.3 & a=$!
(exit 7) & b=$!
wait $b; echo "b $?"
wait $a; echo "a $?"
for i in 1 2 3; do (sleep 0.$i; exit $i) & done
for i in 1 2 3; do wait -n; echo "next $?"; done
wait -n; echo "none $?"
(exit 3) & (sleep 0.5; exit 4) &
wait; echo "all $?"
sleep 100 & kill %1; wait %1; echo "killed $?"
jobs
sleep 100 & disown; kill $!
coproc { read -r l; echo "co $l"; }
echo hello >&"${COPROC[1]}"; read -r l <&"${COPROC[0]}"; echo "$l"
exec {fd}>out; echo text >&$fd; exec {fd}>&-; cat out
wait 2>/dev/null
END
	bash script 2>/dev/null
	dash -c 'sleep 0.1 & wait $!; echo $?; wait 99999; echo $?'
}

case_bash_features() {
	cat >script <<'END'
diff <(seq 3) <(seq 4)
tee >(tr a-z A-Z >upper) <<<"here string" >/dev/null; sleep 0.3; cat upper
declare -A m=([a]=1 [b]=2); for k in a b; do echo "$k ${m[$k]}"; done
arr=(x y z); echo "${arr[@]:1} ${#arr[@]} ${arr[-1]}"
[[ abc =~ a(.)c ]] && echo "${BASH_REMATCH[1]}"
echo {1..5} {a..c}{1,2}
s=hello; echo "${s^^} ${s:1:3} ${s/l/L} ${s//l/L}"
printf -v v '%03d' 7; echo "$v"
mapfile -t lines < <(seq 3); echo "${lines[2]}"
shopt -s nullglob extglob
echo *.none end; touch a.x b.x; echo @(a|b).x
read -t 0.1 -r x < <(sleep 5); echo "timeout $(($? > 128))"
echo $((2**40)) $((5 % 3)) $((~0))
f() { echo "${FUNCNAME[0]} $LINENO" >/dev/null; return 3; }; f; echo $?
(ulimit -n 50; ulimit -n)
select x in a b; do echo "$x"; break; done <<<1 2>/dev/null
{ time -p true; } 2>&1 | sed 's/[0-9.]*$//'
echo "$BASH_SUBSHELL $(echo $BASH_SUBSHELL)"
exec 5<>both; echo rw >&5; cat both
echo $(<both)
printf '%(%Y)T\n' 0
echo "${!arr[@]}"
history | wc -l
kill -l USR1
help true | head -n 1
cat <(echo one) <(echo two) <(echo three)
END
	bash script 2>&1
	echo "status $?"
	bash --norc -i -c 'echo interactive' 2>/dev/null
	bash -c 'echo "$0 $1 $#"' name a b
	bash -r -c 'cd /' 2>&1
	echo 'echo from stdin' | bash -s x
	bash --version | head -n 1
}

case_processes_many() {
	i=0
	while [ $i -lt 100 ]; do
		/bin/true
		i=$((i + 1))
	done
	echo "$i programs"
	for i in $(seq 60); do (sleep 0.2; exit 0) & done
	wait
	echo 60 at once
	bash -c 'f() { [ $1 = 0 ] && echo deep || (f $(($1 - 1))); }; f 40'
	sh -c 'sh -c "sh -c \"echo nested; exit 6\""'
	echo $?
	find /usr/bin -name 'z*' -print0 | sort -z | xargs -0 -n 1 basename
	seq 50 | xargs -P 8 -n 1 sh -c 'echo $0' | sort -n | md5sum
}

case_environment_and_exec() {
	env -i A=1 B=2 env
	env -u HOME sh -c 'echo "${HOME-unset}"'
	cat >prog <<'END'
#!/usr/bin/env bash
echo "args $# <$1> <$2>"
END
	chmod +x prog
	./prog a 'b c'
	printf '#!/bin/sh -x\necho traced\n' >traced
	chmod +x traced
	./traced 2>&1
	printf '#!/nonexistent/interp\n' >bad
	chmod +x bad
	./bad
	echo $?
	: >empty
	chmod +x empty
	./empty
	echo $?
	sh -c 'exec -a other sh -c "echo \$0"' 2>/dev/null || bash -c 'exec -a other sh -c "echo \$0"'
	head -c 200000 /dev/zero | tr '\0' a >big
	sh -c 'x=$(cat big); /bin/echo "$x"' | wc -c
	sh -c 'x=$(cat big); export x; env' 2>&1
	nice -n 7 nice
	nohup echo nohup 2>/dev/null
	timeout 0.2 sleep 5
	echo $?
	timeout -s KILL 0.2 sleep 5
	echo $?
	setsid sh -c 'ps -o pid= -p $$ >/dev/null && echo own session'
	(cd / && exec sh -c pwd)
	stdbuf -oL echo buffered
	chroot / /bin/sh -c 'echo chrooted'
	sh -c 'ulimit -c; ulimit -s' | head -n 1
	sh -c 'ulimit -f 1; head -c 100000 /dev/zero >limited; echo $?' 2>/dev/null
	sh -c 'ulimit -v 100; /bin/true; echo $?' 2>/dev/null | grep -vc '^0$'
}

case_redirections() {
	echo a >f
	echo b >>f
	cat <f
	cat f missing 2>err
	cat err
	cat missing >both 2>&1
	cat both
	(set -C; echo x >f) 2>/dev/null || echo noclobber
	: >f
	wc -c <f
	echo fd3 3>&1 >&3
	cat <<A <<B
first
A
second
B
	sh -c 'echo closed >&-' 2>/dev/null
	echo $?
	sh -c 'cat <&-' 2>/dev/null
	echo $?
	echo dev >>/dev/stdout
	echo x | cat /dev/stdin
	echo y | cat /dev/fd/0
	: >/dev/full || echo none
	echo full >/dev/full
	echo "$?"
	cat /dev/null | wc -c
	head -c 10 /dev/zero | od -An -tx1
	head -c 1000 /dev/urandom | wc -c
	mkfifo p
	(echo through >p) &
	cat p
	wait
	bash -c 'echo tcp >/dev/tcp/0/1' 2>/dev/null
	[ $? -ne 0 ] && echo no tcp
}

case_terminals() {
	script -qec 'tty | sed s,[0-9]*$,N,; stty size; echo typed' /dev/null </dev/null | tr -d '\r'
	echo 'exit 3' | script -qec 'sh' /dev/null >/dev/null
	echo $?
	script -qec 'stty -a | tr ";" "\n" | grep -E "intr|echo |icanon|speed" | sort' /dev/null </dev/null | tr -d '\r'
	script -qec 'bash -ic "sleep 0.2 & jobs; wait; set -o | grep monitor"' /dev/null </dev/null | tr -d '\r' | grep -v '^\[1\] [0-9]*$'
	(sleep 1; printf '\003'; sleep 0.3; printf 'echo after\r'; sleep 0.3; printf 'exit\r') | script -qec 'bash --norc -i' /dev/null | tr -d '\r' | grep -c '^after'
	(sleep 0.5; printf 'sleep 100\r'; sleep 0.5; printf '\032'; sleep 0.3; printf 'jobs; kill %%1; wait; echo done\r'; sleep 0.3; printf 'exit\r') | script -qec 'bash --norc -i' /dev/null | tr -d '\r' | grep -E '^(done|\[1\]\+  Stopped)' | head -n 2
}
