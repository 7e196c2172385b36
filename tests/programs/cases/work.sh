# What people do all day, over a tree of 20,000 files: looking for things, counting, sorting, editing,
# copying, packing, comparing, building, removing. The tree is the same wherever it is made.

# A tree of 20 x 20 folders of 50 files, each of a few lines; made once for all cases.
make_tree() {
	mkdir "$1"
	gawk -v top="$1" 'BEGIN {
		srand(5)
		split("alpha beta gamma delta needle omega kappa sigma", word, " ")
		for (a = 0; a < 20; a++) for (b = 0; b < 20; b++) {
			dir = sprintf("%s/d%02d/e%02d", top, a, b)
			system("mkdir -p " dir)
			for (c = 0; c < 50; c++) {
				n = a * 1000 + b * 50 + c
				file = sprintf("%s/f%05d.%s", dir, n, c % 5 ? "txt" : "c")
				for (l = 0; l <= n % 13; l++)
					print n, l, word[(n * 7 + l * 3) % 8 + 1], (n * 7919 + l) % 10007 > file
				close(file)
			}
		}
	}'
	ln -s ../../d00/e00/f00001.txt "$1/d05/e05/link"
	find "$1" -name '*5.c' -exec chmod 600 {} +
}

# A copy of it as "t".
grow() {
	[ -d /tmp/work/tree ] || make_tree /tmp/work/tree
	cp -a /tmp/work/tree t
}

case_looking_counting_editing() {
	grow
	find t -type f | wc -l
	find t -type f -print0 | sort -z | xargs -0 cat | sha256sum
	echo find
	find t | sort | sha256sum
	find t -name '*99*.txt' -size -2 | sort | md5sum
	find t -type f -perm 600 | wc -l
	find t -type f -newer t/d00 -o -type d -links +2 | wc -l
	find t -mindepth 2 -maxdepth 2 -type d | wc -l
	find t -type f -printf '%s\n' | awk '{ s += $1 } END { print s, NR }'
	ls -R t | wc -l
	ls -lR t | awk '/^[-ld]/ { n++ } END { print n }'
	du -s --apparent-size --block-size=1 t/d03 | wc -l
	du -k t | wc -l
	echo grep
	grep -r needle t | wc -l
	grep -rl 'needle 1' t | sort | md5sum
	grep -rc omega t --include='*.c' | awk -F: '{ s += $2 } END { print s }'
	busybox grep -rl sigma t/d01 | sort | md5sum
	echo sort and awk
	find t -type f | sort | xargs cat >all
	wc all
	head -n 40000 all | sort -k3,3 -k4,4n | md5sum
	awk '{ n[$3]++; s[$3] += $4 } END { for (w in n) print w, n[w], s[w] }' all | sort
	cut -d' ' -f3 all | sort | uniq -c | sort -rn
	tr a-z A-Z <all | sed 's/ALPHA/omega/' | md5sum
	split -l 10000 all part. && cat part.* | cmp - all && rm part.*
	echo edit
	find t/d02 -name '*.txt' | xargs sed -i 's/needle/pin/'
	grep -rc pin t/d02 | awk -F: '{ s += $2 } END { print s }'
	vim.tiny -es -u NONE -c 'g/gamma/d' -c '%s/delta/DELTA/' -c 'w! edited' -c 'q!' all && md5sum <edited
	printf 'g/alpha/d\n,s/beta/BETA/\nw edited2\nq\n' | ed -s all && md5sum <edited2
	for f in t/d04/e04/*.c; do
		while read -r n l w v; do
			echo "$v $w"
		done <"$f"
	done | md5sum
}

case_copies_and_archives() {
	grow
	cp -a t u && diff -r --no-dereference t u && echo copied
	echo changed >>u/d09/e09/f09477.txt && rm u/d08/e01/f08051.txt && echo new >u/d07/new
	diff -rq t u | sort
	(cd u && find . -type f | sort | xargs md5sum) >sums && (cd t && md5sum -c --quiet ../sums 2>/dev/null | sort)
	mv u/d10 u/moved && rm -rf u/d1* && ls u && find u -type f | wc -l && rm -rf u && ls -d u 2>&1
	tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf t.tar t && sha256sum <t.tar
	tar tf t.tar | wc -l
	mkdir x && tar xf t.tar -C x && diff -r --no-dereference t x/t && echo unpacked && rm -rf x
	tar czf t.tgz t && gzip -t t.tgz && mkdir x && tar xzf t.tgz -C x && diff -r --no-dereference t x/t && echo gzipped && rm -rf x
	busybox tar cf b.tar t/d00 t/d01 && mkdir x && busybox tar xf b.tar -C x && diff -r t/d00 x/t/d00 && echo busybox && rm -rf x
	find t/d03 | sort | cpio -o -H newc --quiet >c && mkdir x && (cd x && cpio -id --quiet <../c) && diff -r t/d03 x/t/d03 && echo cpio
	cp -al t/d04 hard && find hard -type f -links 2 | wc -l && rm -rf hard && find t/d04 -type f -links 1 | wc -l
}

case_building_and_databases() {
	grow
	cat >Makefile <<'END'
sources := $(sort $(wildcard t/d00/e*/*.c))
objects := $(sources:.c=.o)
all: library
%.o: %.c
	@awk '{ s += $$4 } END { print FILENAME, s }' $< >$@
library: $(objects)
	@cat $^ >$@
END
	make -s -j4 && md5sum <library && make && touch t/d00/e03/f00150.c && make -n | wc -l && make -s && md5sum <library
	find t -type f -printf '%p,%s,%m\n' | sort >list.csv
	sqlite3 db "create table f(path text, size int, mode text)" ".mode csv" ".import list.csv f" \
		"select count(*), sum(size) from f; create index i on f(path); select mode, count(*) from f group by mode; pragma integrity_check;
		select path from f where path like 't/d19/%' order by size desc, path limit 3"
	find t -type f | sort | xargs -n 500 -P 4 md5sum | sort -k2 | md5sum
	export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b
	export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
	git init -q -b main . && git add t/d00 t/d01 t/d02 && git commit -q -m tree && git status --short t/d00 | wc -l && git rev-parse HEAD^{tree}
	python3 -c '
import os, hashlib
h = hashlib.sha256(); n = 0
for d, dirs, files in os.walk("t"):
    dirs.sort()
    for f in sorted(files):
        p = os.path.join(d, f)
        if p.endswith(".o") or os.path.islink(p): continue
        h.update(open(p, "rb").read()); n += 1
print(n, h.hexdigest())'
	lua5.4 -e 'local n, s = 0, 0; for f in io.popen("find t -name \"*.txt\" | sort"):lines() do for l in io.lines(f) do n = n + 1; s = s + tonumber(l:match("%d+$")) end end print(n, s)'
	perl -MFile::Find -e 'find({ no_chdir => 1, wanted => sub { return unless -f; open F, "<", $_; $n++ while <F>; close F } }, "t"); print "$n\n"'
	rm -rf t
	ls
}
