# Lua, Perl and Python: interpreters that use memory, processes, signals and threads in their own ways.

case_lua_coroutines_and_collection() {
	cat >co.lua <<'END'
local function gen(n)
  return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end)
end
local s = 0
for i in gen(100000) do s = s + i end
print(s)
local cos = {}
for i = 1, 2000 do cos[i] = coroutine.create(function(a) local b = coroutine.yield(a + 1); return a * b end) end
local t = 0
for i = 1, 2000 do local _, v = coroutine.resume(cos[i], i); t = t + v end
for i = 1, 2000 do local _, v = coroutine.resume(cos[i], 2); t = t + v end
print(t, coroutine.status(cos[1]))
collectgarbage("generational")
local keep = setmetatable({}, { __mode = "v" })
for r = 1, 20 do
  local big = {}
  for i = 1, 20000 do big[i] = { i, tostring(i), {} } end
  keep[r] = big
end
collectgarbage() collectgarbage()
local n = 0
for _ in pairs(keep) do n = n + 1 end
print(n < 20, collectgarbage("count") < 50000)
local x = {}
for i = 1, 200000 do x[#x + 1] = string.format("%d:%x", i, i) end
print(#table.concat(x, ","))
print(pcall(string.rep, "x", 1 << 40))
local ok, e = pcall(function() local function f() return 1 + f() end return f() end)
print(ok, (tostring(e):match("stack overflow")))
print(string.pack("<i4", 100):byte(1, -1))
print(math.type(3), 7 // 2, 7 % -3, 2^53, 1e308 * 10)
END
	lua5.4 co.lua
}

case_lua_processes_and_files() {
	cat >p.lua <<'END'
local p = io.popen("seq 5; exit 3")
for l in p:lines() do io.write(l, " ") end
print(p:close())
print(os.execute("exit 7"))
print(os.execute("kill -9 $$"))
print(os.execute())
local w = io.popen("tr a-z A-Z", "w")
w:write("written to a pipe\n")
w:close()
local f = assert(io.open("data", "w+"))
f:setvbuf("full", 4096)
for i = 1, 1000 do f:write(i, "\n") end
f:seek("set", 10)
print(f:read("l"), f:read("n"), f:seek("end"))
f:close()
print(io.open("missing"))
print(os.rename("data", "moved"), os.remove("moved"), os.remove("moved"))
print(os.getenv("HOME"), os.getenv("NOPE"))
print(type(os.time()), os.date("!%F %T", 86400))
print(os.clock() >= 0)
local t = os.tmpname(); print(t:match("^/tmp/lua_") ~= nil); os.remove(t)
os.exit(5)
END
	lua5.4 p.lua
	echo $?
	echo 'print(...)' >args.lua
	lua5.4 args.lua a b
	lua5.4 -e 'error("thrown")'
	echo $?
	echo 'return 1 +' | lua5.4 -
	echo $?
}

case_perl() {
	cat >p.pl <<'END'
use strict; use warnings;
my %h = map { $_ => length } qw(apple fig banana);
print join(",", map { "$_=$h{$_}" } sort keys %h), "\n";
my $pid = fork() // die;
if (!$pid) { exit 7 }
waitpid($pid, 0); print $? >> 8, "\n";
pipe(my $r, my $w); if (!fork) { close $r; print $w "from child\n"; exit 0 }
close $w; print <$r>; wait;
local $SIG{ALRM} = sub { die "alarm\n" };
eval { alarm 1; select(undef, undef, undef, 10); alarm 0; };
print "got $@";
$SIG{USR1} = sub { print "usr1\n" }; kill USR1 => $$;
$SIG{CHLD} = 'IGNORE'; if (!fork) { exit 0 } select(undef, undef, undef, 0.2);
print wait(), "\n"; $SIG{CHLD} = 'DEFAULT';
open(my $p, "-|", "echo piped; exit 2") or die; print <$p>; close $p; print $? >> 8, "\n";
print `echo backticks`; system("exit 3"); print $? >> 8, "\n";
open(my $f, "+>", "file") or die; print $f "x" x 10; seek $f, 5, 0; print $f "Y"; seek $f, 0, 0; print <$f>, "\n";
truncate $f, 3; print -s $f, "\n"; close $f;
open($f, "<", "missing") or print "$!\n";
mkdir "d" or die; opendir(my $d, "."); print join(" ", sort grep { !/^\./ } readdir $d), "\n";
print join(" ", sort glob("*")), "\n";
symlink "file", "link"; print readlink("link"), "\n";
my @s = stat "file"; printf "%o %d\n", $s[2] & 07777, $s[7];
utime 1000, 2000, "file"; print((stat "file")[9], "\n");
use Fcntl qw(:flock F_GETFD F_SETFD FD_CLOEXEC); open($f, "<", "file"); print flock($f, LOCK_EX | LOCK_NB) ? "locked\n" : "no\n";
use POSIX qw(:sys_wait_h setsid dup2 ttyname uname strftime sigprocmask);
print strftime("%F", gmtime 0), " ", (uname)[0], "\n";
my $s = join "", map { chr(65 + $_ % 26) } 0 .. 100000; my $c = () = $s =~ /ABC/g; print "$c\n";
printf "%.3f %s %s\n", atan2(1, 1) * 4, 1e15 + 0.5, 2 ** 64;
my @sorted = sort { $a <=> $b } map { ($_ * 7919) % 10007 } 1 .. 10000; print "@sorted[0..3]\n";
print "$0 @ARGV $$\n" =~ s/\d+$/N/r;
use Socket; print defined(inet_aton("127.0.0.1")) ? "aton\n" : "no\n";
use IO::Select; pipe($r, $w); print IO::Select->new($r)->can_read(0.1) ? "ready\n" : "not ready\n";
syswrite $w, "z"; print IO::Select->new($r)->can_read(1) ? "ready\n" : "not ready\n";
use Time::HiRes qw(sleep ualarm); my $t = Time::HiRes::time(); sleep 0.05; print Time::HiRes::time() - $t >= 0.05 ? "slept\n" : "short\n";
exec "echo", "exec ed";
END
	perl p.pl a b
	echo $?
	perl -MDigest::SHA=sha256_hex -e 'print sha256_hex("abc"), "\n"'
	perl -MData::Dumper -e '$Data::Dumper::Sortkeys = 1; print Dumper({ a => [1, 2], b => \"x" })'
	perl -MFile::Find -e 'find(sub { $n++ if /\.pm$/ }, "/usr/share/perl"); print $n, "\n"'
	perl -MFile::Temp=tempfile -e '($f, $n) = tempfile(UNLINK => 1); print -e $n ? "there\n" : "gone\n"'
	perl -MStorable=freeze,thaw -e 'print thaw(freeze({ k => 5 }))->{k}, "\n"'
	perl -Mthreads -e 'my @t = map { my $n = $_; threads->create(sub { $n * $n }) } 1 .. 8; print join(" ", map { $_->join } @t), "\n"'
	perl -e 'kill 9, $$'
	echo $?
	seq 1000 | perl -ne '$s += $_; END { print "$s\n" }'
	echo abc >f; perl -i.bak -pe 's/b/B/' f; cat f f.bak
	perl -V:archname
}

case_python_basics() {
	cat >b.py <<'END'
import sys, os, json, re, hashlib, zlib, struct, random, decimal, datetime, collections, itertools, functools, math
print(sys.version_info[0], sys.platform, os.name)
print(hashlib.sha256(b"abc").hexdigest(), zlib.crc32(b"abc"))
print(len(zlib.compress(b"x" * 1000000)))
print(json.dumps({"a": [1, 2.5, None, True]}), re.findall(r"(\w)=(\d)", "a=1 b=2"))
random.seed(5); print(random.randrange(10**9))
print(decimal.Decimal(1) / 7, math.factorial(30), 2 ** 200)
print(datetime.datetime.fromtimestamp(0, datetime.timezone.utc))
print(sum(i * i for i in range(200000)))
d = collections.Counter("mississippi"); print(d.most_common(2))
def rec(n): return 0 if n == 0 else 1 + rec(n - 1)
try: rec(100000)
except RecursionError as e: print("recursion")
try: open("missing")
except FileNotFoundError as e: print(e)
try: bytearray(1 << 60)
except MemoryError: print("no memory")
x = [bytearray(1 << 20) for _ in range(50)]; print(sum(len(b) for b in x)); del x
with open("f", "w") as f:
    for i in range(10000): print(i, file=f)
print(os.stat("f").st_size, sum(map(int, open("f"))))
os.rename("f", "g"); print(sorted(os.listdir(".")), os.path.exists("f"))
for root, dirs, files in os.walk("/usr/lib/python3"): break
import tempfile, shutil, glob, pathlib
with tempfile.TemporaryDirectory() as t: pathlib.Path(t, "a").write_text("x"); print(os.listdir(t))
shutil.copytree("/etc", "etc", symlinks=True); print(len(os.listdir("etc")) > 5); shutil.rmtree("etc"); print(os.path.exists("etc"))
print(os.getcwd(), os.cpu_count() >= 1, os.getuid(), os.umask(0o22))
print(sorted(os.sched_getaffinity(0))[0], os.get_terminal_size.__name__)
import locale, platform; print(platform.system(), platform.machine(), platform.libc_ver()[0])
import sqlite3; c = sqlite3.connect("t.db"); c.execute("create table t(a)"); c.executemany("insert into t values(?)", [(i,) for i in range(1000)]); c.commit(); print(c.execute("select sum(a) from t").fetchone())
import csv, io, base64, bz2, lzma, gzip, pickle
print(bz2.decompress(bz2.compress(b"q" * 1000)) == b"q" * 1000, lzma.decompress(lzma.compress(b"z" * 1000)) == b"z" * 1000, pickle.loads(pickle.dumps([1, {"a": 2}])))
END
	python3 b.py
	echo $?
	python3 -c 'import sys; sys.exit(3)'
	echo $?
	python3 -c 'raise ValueError("x")' 2>&1 | tail -n 1
	echo 'print(input()[::-1])' >i.py
	echo olleh | python3 i.py
	python3 -c 'import os; os.abort()'
	echo $?
	echo '{"a":1}' | python3 -m json.tool
}

case_python_threads() {
	cat >t.py <<'END'
import threading, queue, time, concurrent.futures as cf, os
q = queue.Queue(10); out = []
def worker():
    while (i := q.get()) is not None: out.append(i * i)
ts = [threading.Thread(target=worker) for _ in range(8)]
for t in ts: t.start()
for i in range(2000): q.put(i)
for t in ts: q.put(None)
for t in ts: t.join()
print(sum(out), len(out))
with cf.ThreadPoolExecutor(16) as ex: print(sum(ex.map(lambda x: x + 1, range(1000))))
l = threading.Lock(); n = 0
def inc():
    global n
    for _ in range(20000):
        with l: n += 1
ts = [threading.Thread(target=inc) for _ in range(4)]
[t.start() for t in ts]; [t.join() for t in ts]; print(n)
e = threading.Event(); threading.Timer(0.1, e.set).start(); print(e.wait(10))
print(e.is_set(), threading.Event().wait(0.05))
b = threading.Barrier(5); r = []
ts = [threading.Thread(target=lambda: r.append(b.wait())) for _ in range(5)]
[t.start() for t in ts]; [t.join() for t in ts]; print(sorted(r))
c = threading.Condition(); s = []
def cons():
    with c:
        while not s: c.wait()
        print("got", s.pop())
t = threading.Thread(target=cons); t.start(); time.sleep(0.05)
with c: s.append(5); c.notify()
t.join()
print(threading.local() is not None, len(os.listdir("/proc/self/task")))
e = threading.Event(); ts = [threading.Thread(target=e.wait) for _ in range(100)]
[t.start() for t in ts]; print(len(os.listdir("/proc/self/task"))); e.set(); [t.join() for t in ts]; print(threading.active_count())
def boom(): raise ValueError("in a thread")
threading.excepthook = lambda a: print("hook", a.exc_value)
t = threading.Thread(target=boom); t.start(); t.join()
END
	python3 t.py
}

case_python_processes() {
	cat >p.py <<'END'
import multiprocessing as mp, subprocess as sp, os, signal, time, sys
def sq(x): return x * x
def child(c): c.send([1, "two"]); print(c.recv(), flush=True)
def inc(v, l):
    for _ in range(500):
        with l: v.value += 1
if __name__ == "__main__":
    mp.set_start_method("fork")
    with mp.Pool(4) as p: print(sum(p.map(sq, range(1000))))
    v = mp.Value("i", 0, lock=False); l = mp.Lock()
    ps = [mp.Process(target=inc, args=(v, l)) for _ in range(4)]
    [p.start() for p in ps]; [p.join() for p in ps]; print(v.value)
    q = mp.Queue(); p = mp.Process(target=q.put, args=({"k": 1},)); p.start(); print(q.get(timeout=60)); p.join()
    a, b = mp.Pipe(duplex=False)
    p = mp.Process(target=b.send, args=("one way",)); p.start(); print(a.recv()); p.join()
    print(p.exitcode)
    p = mp.Process(target=time.sleep, args=(100,)); p.start(); p.terminate(); p.join(); print(p.exitcode)
    print(sp.run(["echo", "hi"], capture_output=True, text=True))
    print(sp.run("exit 3", shell=True).returncode, sp.run(["sh", "-c", "kill -9 $$"]).returncode)
    p = sp.Popen(["tr", "a-z", "A-Z"], stdin=sp.PIPE, stdout=sp.PIPE); print(p.communicate(b"abc" * 50000)[0][-3:])
    try: sp.run(["sleep", "10"], timeout=0.2)
    except sp.TimeoutExpired as e: print("timeout")
    try: sp.run(["nonexistent"])
    except FileNotFoundError as e: print(e)
    p1 = sp.Popen(["seq", "10000"], stdout=sp.PIPE); p2 = sp.Popen(["wc", "-l"], stdin=p1.stdout, stdout=sp.PIPE, text=True); p1.stdout.close(); print(p2.communicate()[0].strip())
    print(sp.check_output("echo $X; pwd", shell=True, env={"X": "y"}, cwd="/", text=True).split())
    print(sp.Popen(["cat"], stdin=sp.DEVNULL, start_new_session=True, preexec_fn=os.getpid).wait())
    r, w = os.pipe(); pid = os.fork()
    if pid == 0: os.write(w, b"fork"); os._exit(4)
    print(os.read(r, 10), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 9"], os.environ); print(os.waitid(os.P_PID, pid, os.WEXITED).si_status)
    pid, fd = __import__("pty").fork()
    if pid == 0: os.execlp("sh", "sh", "-c", "tty >/dev/null && echo on a tty")
    print(os.read(fd, 100)); os.waitpid(pid, 0)
    fd = os.pidfd_open(os.getpid()); print(fd > 2); signal.pidfd_send_signal(fd, 0)
END
	python3 p.py
	echo $?
}

case_python_memory_and_signals() {
	cat >m.py <<'END'
import mmap, os, signal, select, time, ctypes, fcntl, resource, threading, struct, sys, termios, errno
m = mmap.mmap(-1, 1 << 20); m[:5] = b"hello"; print(m[:5], m.find(b"lo"))
if os.fork() == 0: m[5:7] = b"!!"; os._exit(0)
os.wait(); print(m[:7])
with open("f", "wb") as f: f.write(b"a" * 10000)
f = open("f", "r+b"); g = mmap.mmap(f.fileno(), 0); g[0:3] = b"XYZ"; g.flush(); print(open("f", "rb").read(4), len(g))
f.write(b"W"); f.flush(); print(g[0:2]); g.resize(20000); print(os.stat("f").st_size); g.close()
p = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY); p[0:1] = b"c"; print(open("f", "rb").read(1))
got = []
signal.signal(signal.SIGUSR1, lambda s, fr: got.append(s)); os.kill(os.getpid(), signal.SIGUSR1); print(got)
signal.signal(signal.SIGALRM, lambda s, fr: got.append("alrm")); signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(0.2); print(got)
print(signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})); os.kill(os.getpid(), signal.SIGUSR2); print(signal.sigpending(), signal.sigwait({signal.SIGUSR2}))
os.kill(os.getpid(), signal.SIGUSR2); print(signal.sigtimedwait({signal.SIGUSR2}, 1).si_signo, signal.sigtimedwait({signal.SIGUSR2}, 0.01))
r, w = os.pipe(); print(select.select([r], [w], [], 0)[1] == [w], select.select([r], [], [], 0.05)[0]); os.write(w, b"x"); print(select.select([r], [], [], 1)[0] == [r])
po = select.poll(); po.register(r, select.POLLIN); print(po.poll(0)[0][1]); os.close(w); os.read(r, 1); print(po.poll(0)[0][1])
os.set_blocking(r, False); print(os.read(r, 1))
try: signal.signal(signal.SIGINT, signal.default_int_handler); os.kill(os.getpid(), signal.SIGINT); time.sleep(1)
except KeyboardInterrupt: print("interrupted")
rr, ww = os.pipe(); os.set_blocking(ww, False); signal.set_wakeup_fd(ww); os.kill(os.getpid(), signal.SIGUSR1); print(os.read(rr, 5))
print(fcntl.fcntl(0, fcntl.F_GETFD), fcntl.fcntl(rr, fcntl.F_GETFL)); fcntl.lockf(f, fcntl.LOCK_EX); fcntl.flock(f, fcntl.LOCK_SH)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 1000, time.process_time() > 0)
libc = ctypes.CDLL(None, use_errno=True); print(libc.getpid() == os.getpid(), libc.open(b"/missing", 0), os.strerror(ctypes.get_errno()))
cb = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda a, b: ctypes.cast(a, ctypes.POINTER(ctypes.c_int))[0] - ctypes.cast(b, ctypes.POINTER(ctypes.c_int))[0])
arr = (ctypes.c_int * 5)(5, 1, 4, 2, 3); libc.qsort(arr, 5, 4, cb); print(list(arr))
pid = os.fork()
if pid == 0: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); ctypes.string_at(0)
print(os.WTERMSIG(os.wait()[1]))
pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))
    try: bytearray(500 << 20)
    except MemoryError: os._exit(11)
print(os.waitstatus_to_exitcode(os.wait()[1]))
print(os.sysconf("SC_PAGESIZE"), os.sysconf("SC_OPEN_MAX") > 0, os.pathconf("/", "PC_NAME_MAX"), os.getloadavg() is not None)
print(len(os.urandom(10)), len(os.getrandom(5)), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0))
fd = os.open(".", os.O_TMPFILE | os.O_RDWR); os.write(fd, b"tmp"); print(os.fstat(fd).st_nlink)
fd = os.open("cp", os.O_RDWR | os.O_CREAT); print(os.copy_file_range(f.fileno(), fd, 100, 0, 0), os.sendfile(fd, f.fileno(), 0, 10), os.preadv(f.fileno(), [bytearray(3)], 0))
print(os.statvfs(".").f_bsize, os.path.samefile("f", "./f"))
os.setxattr("f", "trusted.k", b"v"); print(os.getxattr("f", "trusted.k"), os.listxattr("f"))
ev = os.eventfd(3); print(os.eventfd_read(ev))
ep = select.epoll(); ep.register(rr, select.EPOLLIN); os.write(ww, b"e"); print(ep.poll(1) == [(rr, 1)])
END
	python3 m.py
	echo $?
}
