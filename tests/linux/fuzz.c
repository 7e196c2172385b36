/*
 * Random system calls with random arguments, as an unprivileged user: nobody but the process that
 * makes them may be harmed.
 *
 *   linux-fuzz [SEED [SECONDS [CALLS [CHILD]]]]     CHILD: make this child's calls only
 *
 * Some children at a time (fuzz-child.c) make some thousand calls each; what a child does follows
 * from the seed and its number. Who makes no progress is killed. Beside them lives a witness, of
 * another user, whose memory, identity, files and pipes must stay as they are; and in the end so
 * must those of the whole system.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN     4          /* at a time */
#define WITNESS      61235      /* whose user that is */
#define STUCK_NS     200000000l /* without progress: killed */
#define LOOK_NS      20000000l
#define CLEAN_EVERY  64  /* children, after which the folder is made anew */
#define SPEAK_EVERY  512 /* children */
#define PATTERN_SIZE 65536

struct slot {
	pid_t pid;
	uint64_t number;
	uint64_t seen; /* calls, when it was looked at last ... */
	long seen_ns;  /* ... and when they had changed */
};

static struct slot slots[CHILDREN];
static volatile struct progress *progress; /* of each slot, shared with the child */
static uint64_t seed, started, calls, killed;
static struct {
	pid_t pid;
	int ask, answer;
} witness;

static long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- the witness ---- */

static char state_of_witness(const unsigned char *pattern, uid_t uid, pid_t pid)
{
	struct utsname uts;
	struct stat st;
	char text[8] = "";
	int fd;

	for (int i = 0; i < PATTERN_SIZE; i++) {
		if (pattern[i] != (unsigned char)(i * 7))
			return 'm';
	}
	if (getuid() != uid || geteuid() != uid || getpid() != pid)
		return 'u';
	if (uname(&uts) || strcmp(uts.sysname, "Linux") != 0)
		return 'n';
	fd = open(WITNESS_FILE, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text)) != 5 || memcmp(text, "still", 5) != 0 ||
	    fstat(fd, &st) || (st.st_mode & 07777) != 0600 || st.st_uid != uid)
		return 'f';
	close(fd);
	return '+';
}

static void witness_main(int ask, int answer)
{
	unsigned char *pattern = malloc(PATTERN_SIZE);
	uid_t uid = getuid() ? getuid() : WITNESS;
	int fd;
	char c;

	if (!getuid() && (setgid(WITNESS) || setuid(WITNESS)))
		_exit(1);
	fd = open(WITNESS_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, "still", 5) != 5)
		_exit(1);
	close(fd);
	for (int i = 0; i < PATTERN_SIZE; i++)
		pattern[i] = (unsigned char)(i * 7);
	while (read(ask, &c, 1) == 1) {
		c = state_of_witness(pattern, uid, getpid());
		if (write(answer, &c, 1) != 1)
			break;
	}
	_exit(0);
}

static int witness_start(void)
{
	int to[2], from[2];

	if (pipe(to) || pipe(from))
		return -1;
	witness.pid = fork();
	if (witness.pid == 0) {
		close(to[1]);
		close(from[0]);
		witness_main(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	fcntl(to[1], F_SETFD, FD_CLOEXEC);
	fcntl(from[0], F_SETFD, FD_CLOEXEC);
	witness.ask = to[1];
	witness.answer = from[0];
	return witness.pid < 0 ? -1 : 0;
}

/* '+': nothing has happened to it. */
static char witness_ask(void)
{
	char c = '?';

	if (write(witness.ask, "?", 1) != 1 || read(witness.answer, &c, 1) != 1)
		return '!';
	return c;
}

/* ---- cleaning up ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)kind;
	if (S_ISDIR(st->st_mode))
		chmod(path, 0700);
	if (where->level > 0 && remove(path) && errno != ENOENT)
		return 0; /* it will show up again */
	return 0;
}

static void make_folder(void)
{
	nftw(FOLDER, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	mkdir(FOLDER, 0700);
	if (chown(FOLDER, FUZZER, FUZZER))
		return; /* not root: the user's own */
	chmod(FOLDER, 0700);
}

/* End whatever children have left behind: a process of their user may signal just those. */
static void kill_leftovers(void)
{
	pid_t pid = getuid() ? -1 : fork();

	if (pid == 0) {
		if (setgid(FUZZER) || setuid(FUZZER))
			_exit(1);
		kill(-1, SIGKILL);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* ---- children ---- */

static void start_child(int i, uint64_t number)
{
	struct slot *s = &slots[i];
	uint64_t child_seed = fuzz_mix(seed * 7919 + number);

	progress[i].calls = 0;
	*s = (struct slot){.number = number, .seen_ns = now_ns()};
	s->pid = fork();
	if (s->pid == 0) {
		close(witness.ask);
		close(witness.answer);
		fuzz_child(child_seed, &progress[i]);
	}
	if (s->pid < 0)
		s->pid = 0;
	else
		started++;
}

static void child_ended(int i)
{
	uint64_t made = progress[i].calls;

	calls += made <= FUZZ_CALLS ? made : 0; /* it is the child's to write */
	slots[i].pid = 0;
}

static void reap(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (int i = 0; i < CHILDREN; i++) {
			if (slots[i].pid == pid)
				child_ended(i);
		}
		if (pid == witness.pid)
			witness.pid = 0;
	}
}

static void kill_stuck(void)
{
	long now = now_ns();

	for (int i = 0; i < CHILDREN; i++) {
		struct slot *s = &slots[i];

		if (s->pid == 0)
			continue;
		if (s->seen != progress[i].calls) {
			s->seen = progress[i].calls;
			s->seen_ns = now;
		} else if (now - s->seen_ns > STUCK_NS) {
			kill(s->pid, SIGKILL);
			s->seen_ns = now;
			killed++;
		}
	}
}

static int busy(void)
{
	int n = 0;

	for (int i = 0; i < CHILDREN; i++)
		n += slots[i].pid != 0;
	return n;
}

/* Sleep until a child ends, or somebody may be stuck. */
static void wait_a_little(void)
{
	struct timespec t = {0, LOOK_NS};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigtimedwait(&set, NULL, &t);
}

static void drain(void)
{
	while (busy()) {
		wait_a_little();
		reap();
		kill_stuck();
	}
	kill_leftovers();
	reap();
}

/* ---- all of it ---- */

/* Whether a child can still tell its parent something through a pipe. */
static int still_works(void)
{
	int fds[2], status;
	char c = 0;
	pid_t pid;

	if (pipe(fds))
		return 0;
	pid = fork();
	if (pid == 0)
		_exit(write(fds[1], "x", 1) == 1 ? 7 : 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 7 << 8)
		return 0;
	return read(fds[0], &c, 1) == 1 && c == 'x';
}

static void refill(uint64_t *number)
{
	for (int i = 0; i < CHILDREN; i++) {
		if (slots[i].pid == 0)
			start_child(i, (*number)++);
	}
}

/* Until @seconds are over or @limit calls are made; returns what the witness says at last. */
static char fuzz(long seconds, uint64_t limit)
{
	long end = now_ns() + seconds * 1000000000;
	uint64_t number = 1, cleaned = 0, spoken = 0;
	char state = '+';

	while (state == '+' && now_ns() < end && calls < limit) {
		refill(&number);
		wait_a_little();
		reap();
		kill_stuck();
		if (number - cleaned >= CLEAN_EVERY) {
			drain();
			make_folder();
			state = witness_ask();
			cleaned = number;
		}
		if (number - spoken >= SPEAK_EVERY) {
			printf("fuzz: at child %lu, %lu calls\n", number, calls);
			spoken = number;
		}
	}
	drain();
	return state == '+' ? witness_ask() : state;
}

static char fuzz_one(uint64_t number)
{
	start_child(0, number);
	drain();
	return witness_ask();
}

int main(int argc, char **argv)
{
	long seconds = argc > 2 ? atol(argv[2]) : 15;
	uint64_t limit = argc > 3 ? strtoull(argv[3], NULL, 0) : UINT64_MAX;
	sigset_t set;
	char state;

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	mkdir("/tmp", 01777);
	make_folder();
	printf("fuzz: seed %lu\n", seed);
	if (progress == MAP_FAILED || witness_start())
		return 2;
	state = argc > 4 ? fuzz_one(strtoull(argv[4], NULL, 0)) : fuzz(seconds, limit);
	printf("fuzz: %lu children made %lu calls; %lu were stuck\n", started, calls, killed);
	if (state != '+')
		printf("fuzz: the witness says %c\n", state);
	printf("@test name=random_calls_harm_nobody_else result=%s\n",
	       state == '+' && calls && still_works() ? "pass" : "fail");
	return 0;
}
