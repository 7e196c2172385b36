/*
 * A child of the fuzzer: makes calls whose arguments are of the kinds that the table of calls names
 * (services/linux/syscalls.h), mostly; so that they get beyond the first check.
 *
 * A timer ends what blocks. A call that makes a process gives it little to do.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NUMBERS       512
#define ARENA_BYTES   65536ul
#define PATHS         24
#define GRAND_CALLS   8    /* of a process that a child made */
#define TICK_US       2000 /* what blocks is interrupted so often */
#define REARM_EVERY   8
#define REFILL_EVERY  128
#define CLONE_VM_MASK 0x100ul
#define RARE          64 /* one of so many of the calls that most often end the child is made */

struct call {
	const char *args;
	int absent;
};

#define WHOLE(number, name, args, test)           [number] = {args, 0},
#define PARTLY(number, name, args, test, missing) [number] = {args, 0},
#define ABSENT(number, name)                      [number] = {"", 1},
#define NONE(number, name)                        [number] = {"", 1},
static const struct call table[NUMBERS] = {
#include "../../services/linux/syscalls.h"
};

static const char *const paths[PATHS] = {
	".",
	"..",
	"a",
	"b",
	"d",
	"d/a",
	"d/x",
	"l",
	"loop",
	"/",
	"",
	"fifo",
	"/dev/null",
	"/dev/zero",
	"/dev/full",
	"/proc",
	"/tmp",
	"/proc/self/mem",
	"/proc/1/maps",
	"/proc/self/fd/3",
	"/proc/self/status",
	"/bin/linux-hello",
	"/etc/../tmp/linux-fuzz.d/a",
	"/sys/kernel",
};

static uint64_t state;
static uint8_t *arena;     /* guard pages before and behind it */
static uint8_t *read_only; /* a page */
static uint64_t gone;      /* the address of one that is no more */
static char names[PATHS][64];

uint64_t fuzz_mix(uint64_t n)
{
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9ul;
	n = (n ^ n >> 27) * 0x94d049bb133111ebul;
	return (n ^ n >> 31) | 1;
}

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dul;
}

static uint64_t below(uint64_t n)
{
	return next() % n;
}

/* ---- arguments ---- */

static uint64_t any_number(void)
{
	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return -below(200);
	case 2:
		return next();
	case 3:
		return 1ul << below(64);
	case 4:
		return (1ul << below(64)) - 1;
	case 5:
		return 0x7fffffff + below(3);
	default:
		return below(256);
	}
}

static uint64_t pointer(void)
{
	switch (below(24)) {
	case 0:
		return 0;
	case 1:
		return any_number();
	case 2:
		return (uint64_t)arena + ARENA_BYTES - below(256); /* the guard is near */
	case 3:
		return (uint64_t)arena - below(64);
	case 4:
		return (uint64_t)read_only + below(4096);
	case 5:
		return gone + below(4096);
	case 6:
		return 0x7ffffffff000 - below(3) * 4096 + below(64);
	case 7:
		return 0xffff800000000000 + below(1ul << 47);
	case 8:
		return (uint64_t)arena + below(ARENA_BYTES);
	default:
		return (uint64_t)arena + below(ARENA_BYTES / 64) * 64;
	}
}

static uint64_t size(void)
{
	static const uint16_t usual[] = {0, 1, 4, 8, 16, 24, 32, 64, 88, 128, 144, 256, 4096};

	if (below(8) == 0)
		return any_number();
	if (below(4) == 0)
		return below(ARENA_BYTES);
	return usual[below(sizeof(usual) / sizeof(usual[0]))];
}

static uint64_t flags(void)
{
	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return 0x5400 + below(96); /* terminals' */
	case 2:
		return 1024 + below(16); /* fcntl's */
	case 3:
		return 1ul << below(32) | 1ul << below(32);
	case 4:
		return next();
	default:
		return below(64);
	}
}

static uint64_t descriptor(void)
{
	if (below(8) == 0)
		return any_number();
	return below(6) ? below(24) : (uint64_t)AT_FDCWD;
}

static uint64_t number(void)
{
	switch (below(6)) {
	case 0:
		return any_number();
	case 1:
		return (uint64_t)getpid();
	default:
		return below(72);
	}
}

static uint64_t argument(char kind)
{
	if (below(32) == 0)
		return below(2) ? pointer() : any_number();
	switch (kind) {
	case 'f':
		return descriptor();
	case 's':
		return below(8) ? (uint64_t)names[below(PATHS)] : pointer();
	case 'p':
	case 'b':
		return pointer();
	case 'z':
		return size();
	case 'x':
	case 'o':
		return flags();
	case 'd':
	case 'u':
		return number();
	default:
		return any_number();
	}
}

/* What structures may hold: small numbers, sizes, addresses, now and then anything. */
static void refill(void)
{
	uint64_t *word = (uint64_t *)arena;

	for (uint64_t i = 0; i < ARENA_BYTES / sizeof(*word); i++) {
		uint64_t r = next();

		if (r % 4 == 0)
			word[i] = (uint64_t)arena + r % ARENA_BYTES;
		else if (r % 4 == 1)
			word[i] = r >> 32 & 0xff;
		else if (r % 4 == 2)
			word[i] = (r >> 32 & 0xff) | (r >> 16 & 0x1f) << 32;
		else
			word[i] = r % 64 ? 0 : r;
	}
}

/* ---- calls ---- */

/* Inline: the child of a vfork must not return over its parent's stack. */
static inline __attribute__((always_inline)) long make(long nr, const uint64_t *a)
{
	const uint64_t a3 = a[3], a4 = a[4], a5 = a[5];
	register uint64_t r10 __asm__("r10") = a3;
	register uint64_t r8 __asm__("r8") = a4;
	register uint64_t r9 __asm__("r9") = a5;
	long result = nr;

	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static int makes_process(long nr)
{
	return nr == SYS_fork || nr == SYS_vfork || nr == SYS_clone || nr == SYS_clone3;
}

static int is_rare(long nr)
{
	return nr == SYS_exit || nr == SYS_exit_group || nr == SYS_rt_sigreturn ||
	       nr == SYS_munmap || nr == SYS_kill || nr == SYS_tgkill || nr == SYS_tkill;
}

static void tick(int signal)
{
	(void)signal;
}

/* The timer and its handler, whatever the last calls have done to them. */
static void rearm(void)
{
	struct sigaction action = {.sa_handler = tick};
	struct itimerval every = {{0, TICK_US}, {0, TICK_US}};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

static long choose(void)
{
	for (;;) {
		long nr = (long)below(NUMBERS);

		if ((table[nr].absent || !table[nr].args) && below(16))
			continue;
		if ((is_rare(nr) || makes_process(nr)) && below(RARE))
			continue;
		return nr;
	}
}

/* One call. In a process that it made: never returns. */
static void one_call(int grandchild)
{
	long nr = choose();
	const char *kinds = table[nr].args ? table[nr].args : "";
	uint64_t a[6];

	for (int i = 0; i < 6; i++)
		a[i] = argument(*kinds ? *kinds++ : '?');
	if (nr == SYS_clone && below(2)) /* a plain one */
		a[0] &= 0xff | CLONE_VM_MASK, a[1] = 0;
	if (grandchild && makes_process(nr))
		return;
	if (make(nr, a) != 0 || !makes_process(nr))
		return;
	if (nr == SYS_vfork || (nr == SYS_clone && a[0] & CLONE_VM_MASK))
		make(SYS_exit, a);
	alarm(1);
	for (int i = 0; i < GRAND_CALLS; i++)
		one_call(1);
	make(SYS_exit_group, a);
}

/* ---- what it has ---- */

static void limit(int which, rlim_t value)
{
	struct rlimit l = {value, value};

	setrlimit(which, &l);
}

static void make_files(void)
{
	int fds[2], fd = open("/dev/null", O_RDWR);

	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	mkdir("d", 0755);
	open("a", O_RDWR | O_CREAT, 0644);
	open("d/a", O_RDWR | O_CREAT | O_APPEND, 0600);
	open("d", O_RDONLY | O_DIRECTORY);
	open("/proc/self/maps", O_RDONLY);
	open("/dev/zero", O_RDWR);
	if (symlink("a", "l") || symlink("loop", "loop") || mkfifo("fifo", 0600))
		errno = 0; /* another child has made them */
	open("fifo", O_RDWR | O_NONBLOCK);
	if (pipe(fds) || write(fds[1], "some bytes", 10) < 0)
		_exit(1);
}

static void make_memory(void)
{
	uint8_t *all =
		mmap(NULL, ARENA_BYTES + 8 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	arena = all + 4096;
	read_only = arena + ARENA_BYTES + 4096;
	gone = (uint64_t)read_only + 2 * 4096;
	mprotect(arena, ARENA_BYTES, PROT_READ | PROT_WRITE);
	mprotect(read_only, 4096, PROT_READ);
	munmap((void *)gone, 4096);
	for (int i = 0; i < PATHS; i++)
		strcpy(names[i], paths[i]);
}

_Noreturn void fuzz_child(uint64_t seed, volatile struct progress *progress)
{
	limit(RLIMIT_NPROC, 32);
	limit(RLIMIT_AS, 300 << 20);
	limit(RLIMIT_FSIZE, 1 << 20);
	limit(RLIMIT_CPU, 5);
	limit(RLIMIT_CORE, 0);
	if (chdir(FOLDER) || (getuid() == 0 && (setgid(FUZZER) || setuid(FUZZER))))
		_exit(2);
	state = seed;
	setpgid(0, 0);
	make_files();
	make_memory();
	for (int i = 0; i < FUZZ_CALLS; i++) {
		if (i % REFILL_EVERY == 0)
			refill();
		if (i % REARM_EVERY == 0)
			rearm();
		one_call(0);
		progress->calls = (uint64_t)i + 1;
	}
	_exit(0);
}
