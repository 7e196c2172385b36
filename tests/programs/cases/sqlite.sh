# SQLite: transactions, journals of all kinds, locks between processes, and what kill -9 leaves.

# A table of $1 rows in the file db.
fill() {
	sqlite3 db "create table t(id integer primary key, k text, v real);
		with recursive n(i) as (select 1 union all select i + 1 from n where i < $1)
		insert into t select i, printf('key-%08d', (i * 7919) % 1000003), i * 0.5 from n;
		create index tk on t(k);"
}

case_queries() {
	fill 20000
	sqlite3 db "select count(*), sum(id), min(k), max(k), total(v) from t; pragma integrity_check;"
	sqlite3 db "select k from t where k > 'key-00500000' order by k limit 3;"
	sqlite3 -header -column db "select id % 7 as d, count(*) as n, avg(v) as a from t group by d;"
	sqlite3 -json db "select * from t limit 2;"
	sqlite3 db "update t set v = v + 1 where id % 2; delete from t where id % 5 = 0; vacuum; select count(*), sum(v) from t;"
	sqlite3 db "explain query plan select * from t where k = 'x';"
	sqlite3 db "pragma integrity_check; pragma freelist_count; pragma page_size;"
	sqlite3 db .dump | sha256sum
	sqlite3 db "select no such"
	echo "$?"
	sqlite3 :memory: "create virtual table f using fts5(x); insert into f values ('the quick fox'), ('lazy dog'); select * from f where f match 'quick';
		select json_extract('{\"a\":[1,2]}', '\$.a[1]'); select date('2024-02-29', '+1 year');"
}

case_import_and_export() {
	seq 1 30000 | awk '{ print $1 ",name" $1 "," $1 % 97 }' >in.csv
	sqlite3 db "create table c(a int, b text, c int)" ".mode csv" ".import in.csv c" "select count(*), sum(a), sum(c) from c"
	sqlite3 -csv db "select * from c order by a" | tr -d '\r' | cmp - in.csv && echo same
	sqlite3 db ".backup copy" && sqlite3 copy "select count(*) from c; pragma integrity_check"
	sqlite3 db ".schema" ".tables" ".output out" "select 1"
	cat out
	sqlite3 db .dump | sqlite3 again
	sqlite3 again "select sum(c) from c"
}

case_journals() {
	for mode in delete truncate persist memory off wal; do
		rm -f db db-*
		sqlite3 db "pragma journal_mode = $mode" "create table t(a)" "begin" \
			"insert into t select value from json_each('[1,2,3]')" "rollback" \
			"begin" "insert into t values (4)" "savepoint s" "insert into t values (5)" "rollback to s" "commit" \
			"select group_concat(a) from t" "pragma integrity_check"
		ls
	done
	for sync in off normal full extra; do
		sqlite3 db "pragma synchronous = $sync; insert into t values (9); select count(*) from t"
	done
	for size in 512 1024 65536; do
		rm -f p
		sqlite3 p "pragma page_size = $size; create table t(a); insert into t values (zeroblob(100000)); pragma page_size; select length(a) from t"
		stat -c %s p
	done
	sqlite3 db "pragma mmap_size = 100000000; select count(*) from t"
	sqlite3 db "pragma locking_mode = exclusive; insert into t values (1); select count(*) from t"
}

case_many_writers() {
	sqlite3 db "pragma journal_mode = wal; create table t(w, n)"
	for w in 1 2 3 4; do
		(
			n=0
			while [ $n -lt 25 ]; do
				n=$((n + 1))
				echo "insert into t values ($w, $n);"
			done | sqlite3 -cmd ".timeout 60000" db
		) &
	done
	wait
	sqlite3 db "select count(*), count(distinct w), sum(n) from t; pragma integrity_check; pragma wal_checkpoint(truncate)"
	ls
}

case_locked_out() {
	sqlite3 db "create table t(a); insert into t values (1)"
	mkfifo go
	sqlite3 db <go &
	exec 3>go
	echo "begin exclusive; insert into t values (2); select 'inside';" >&3
	sleep 1
	sqlite3 db "insert into t values (3)"
	sqlite3 db "select * from t"
	echo "commit;" >&3
	exec 3>&-
	wait
	sqlite3 db "select group_concat(a) from t"
}

# The writer is killed at some point of its work; what was committed is there, and nothing of the rest.
case_killed_in_the_middle() {
	for mode in delete wal; do
		rm -f db db-*
		sqlite3 db "pragma journal_mode = $mode; create table t(a, b); create table done(n)" >/dev/null
		for round in 1 2 3; do
			(
				echo ".timeout 10000"
				i=0
				while [ $i -lt 100000 ]; do
					i=$((i + 1))
					echo "begin; insert into t select $i, value from generate_series(1, 50); insert into done values ($i); commit;"
				done
			) 2>/dev/null | sqlite3 -cmd "pragma synchronous = off" db >/dev/null 2>&1 &
			sleep 1
			kill -9 $!
			wait $! 2>/dev/null
			sqlite3 db "pragma integrity_check; select (select count(*) from t) = 50 * (select count(*) from done), (select count(*) from done) > 0"
		done
		sqlite3 db "begin; delete from t; select count(*) from t; rollback; select count(*) > 0 from t"
	done
}

case_hot_journal_is_rolled_back() {
	fill 5000
	before=$(sqlite3 db .dump | sha256sum)
	mkfifo go
	sqlite3 db <go >said &
	exec 3>go
	echo "pragma cache_size = 5; begin immediate; update t set v = v + 1; select 'updated';" >&3
	while ! grep -q updated said; do sleep 0.1; done
	ls
	kill -9 $!
	wait $! 2>/dev/null
	exec 3>&-
	sqlite3 db "pragma integrity_check"
	[ "$before" = "$(sqlite3 db .dump | sha256sum)" ] && echo as before
	ls db*
}
