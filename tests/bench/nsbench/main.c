/*
 * nsbench: workers, and what came out. See nsbench.h.
 *
 * Workers are processes pinned to cores in turn, started together: each says over a pipe that it is
 * ready and waits for another pipe, once before operations that only warm its caches, once before
 * those that are measured. Opening a gate takes longer the more there are, so the second one says
 * when they are to begin; and who has done them waits in shared memory for the others, so that
 * nobody is disturbed while he works. Times are CLOCK_MONOTONIC, which under the timing model is
 * simulated (hake/timing); markers tell the model what is measured.
 *
 * Not here: what is to be measured (options.c), the namespace (world.c), the modes (modes.c).
 */
#include "nsbench.h"
#include "abi.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct plan *current; /* what is being measured, or NULL */

static void print_plan(const char *word)
{
	printf("@%s mode=%s cores=%u mounts=%u tree=%u placement=%s readers=%u kept=%u workers=%u "
	       "seed=%u ",
	       word, current->mode->name, current->cores, current->mounts, current->tree,
	       current->crowded ? "crowded" : "own", current->readers, current->kept,
	       current->workers, current->round);
}

_Noreturn void die(int error, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fflush(stdout);
	fprintf(stderr, "nsbench: %s%s%s\n", text, error ? ": " : "",
		error ? strerror(-error) : "");
	if (current) {
		print_plan("nsbench_failed");
		printf("why=\"%s%s%s\"\n", text, error ? ": " : "", error ? strerror(-error) : "");
		fflush(stdout);
	}
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* So long after the world was made, and after a system's start, it is measured. */
#define SETTLE_US 50000
#define START_US  1000000

/* A word to the timing model (hake/timing/timing.h); a NOP elsewhere. */
#define MARKER(number) __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long " #number ::: "memory")
#define MODEL_ON()     MARKER(0x53540001)
#define MODEL_REPORT() MARKER(0x53540002)
#define MODEL_OFF()    MARKER(0x53540003)
#define MODEL_SEED()   MARKER(0x53540004)
#define MODEL_BEGIN()  MARKER(0x53540005)

/* A sysfs that is mounted nowhere, so that no namespace has it; -1: there is none. */
static int sysfs = -1;

static void open_sysfs(void)
{
	int fs = (int)syscall(SYS_fsopen, "sysfs", FSOPEN_CLOEXEC);

	if (fs < 0)
		return;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		sysfs = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
}

/* Messages between cores so far; -1 where nobody counts them. A line of the file is an area, what
 * all cores have sent, what all have received. Reading the file is itself an area: control. */
static long messages(void)
{
	int fd = sysfs < 0 ? -1 : openat(sysfs, "kernel/skerry/messages", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char area[32];
	long sent, sum = 0;

	if (!f)
		return -1;
	while (fscanf(f, "%31s %ld %*d", area, &sent) == 2)
		sum += strcmp(area, "control") ? sent : 0;
	fclose(f);
	return sum;
}

static int pin(uint32_t core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* --- Workers --- */

/* Where the workers meet over pipes: before the first operation, when all are warm, at the end. */
enum gate { GATE_WARM, GATE_START, GATE_END, GATES };

/* The gate of the start says when. So long, and so much more for each worker, they have to hear of
 * it and to go to sleep; and then, so that nobody else is awake, as long is left to count messages.
 */
#define HEAR_NS        300000u
#define HEAR_WORKER_NS 50000u
/* So long before, they are to be awake. */
#define START_AWAKE_NS 20000u

/* Where they meet after the last operation: in memory they share, without a call or a message. */
struct finish {
	_Atomic uint32_t done;    /* workers that are there */
	_Atomic uint32_t counted; /* not 0: worker 0 has seen them all, and counted */
	long sent;                /* messages by then; -1: nobody counts them */
};

#define SPINS 1000 /* before others of its core may run */

/* What a worker sends: this, then one number an operation, in nanoseconds. */
struct report {
	uint32_t core;
	int32_t error;
	uint64_t begin, end;
};

static void send(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0)
			die(-errno, "worker's pipe");
		p += n;
		len -= (size_t)n;
	}
}

static void receive(int fd, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n <= 0)
			die(n ? -errno : 0, "a worker ended early");
		p += n;
		len -= (size_t)n;
	}
}

/* Says that it is ready, and waits until nobody can write to @go any more. */
static void meet(int ready, int go)
{
	char byte = 0;

	send(ready, &byte, 1);
	(void)!read(go, &byte, 1);
}

/* Sleep until it is @before ns before @ns. Who comes late does not wait. */
static void sleep_until(uint64_t ns, uint64_t before)
{
	uint64_t awake = ns > before ? ns - before : 0;
	struct timespec ts = {.tv_sec = (time_t)(awake / 1000000000u),
			      .tv_nsec = (long)(awake % 1000000000u)};

	prctl(PR_SET_TIMERSLACK, 1);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static void spin_until(_Atomic uint32_t *word, uint32_t value)
{
	for (uint32_t n = 1; atomic_load(word) < value; n++) {
		__builtin_ia32_pause();
		if (n % SPINS == 0)
			sched_yield();
	}
}

/* Worker @worker has done its operations: until all have. */
static void finish(const struct plan *p, uint32_t worker, struct finish *f)
{
	atomic_fetch_add(&f->done, 1);
	if (worker) {
		spin_until(&f->counted, 1);
		return;
	}
	spin_until(&f->done, p->workers);
	MODEL_REPORT();
	f->sent = messages();
	atomic_store(&f->counted, 1);
}

static int run_some(const struct plan *p, uint64_t *took, uint32_t n)
{
	int error = 0;

	for (uint32_t i = 0; i < n && !error; i++) {
		uint64_t start = now_ns();

		error = p->mode->run();
		took[i] = now_ns() - start;
	}
	return error;
}

/* What a worker has. */
struct job {
	uint32_t worker;
	int ready, go[GATES], out; /* its ends of the pipes */
	struct finish *finish;
};

static void work(const struct plan *p, const struct job *job)
{
	uint32_t core = job->worker % p->cores, room = p->ops > p->warm ? p->ops : p->warm;
	uint64_t *took = calloc(room, sizeof(*took)), start = 0;
	struct report r = {.core = core};
	char byte = 0;

	if (!took)
		die(-ENOMEM, "worker %u", core);
	r.error = pin(core);
	atomic_fetch_add(&job->finish->done, 0); /* the page is there from now on */
	meet(job->ready, job->go[GATE_WARM]);
	if (!r.error)
		r.error = run_some(p, took, p->warm);
	send(job->ready, &byte, 1);
	receive(job->go[GATE_START], &start, sizeof(start));
	sleep_until(start, START_AWAKE_NS);
	while (now_ns() < start)
		__builtin_ia32_pause();
	if (job->worker == 0)
		MODEL_BEGIN();
	r.begin = now_ns();
	if (!r.error)
		r.error = run_some(p, took, p->ops);
	r.end = now_ns();
	finish(p, job->worker, job->finish);
	meet(job->ready, job->go[GATE_END]);
	send(job->out, &r, sizeof(r));
	send(job->out, took, p->ops * sizeof(*took));
	exit(0);
}

static pid_t start_reader(void)
{
	char buf[65536];
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;) {
		int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

		while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
			;
		if (fd < 0)
			exit(1);
		close(fd);
	}
}

/* A process that holds a namespace until it is killed. */
static pid_t keep_namespace(void)
{
	int pipe_fd[2];
	char byte = 0;
	pid_t pid;

	if (pipe(pipe_fd))
		die(-errno, "pipe");
	pid = fork();
	if (pid < 0)
		die(-errno, "fork");
	if (pid == 0) {
		byte = unshare(CLONE_NEWNS) ? 1 : 0;
		send(pipe_fd[1], &byte, 1);
		for (;;)
			pause();
	}
	receive(pipe_fd[0], &byte, 1);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	if (byte)
		die(0, "a namespace to be kept could not be made");
	return pid;
}

/* --- What came out --- */

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t percentile(const uint64_t *sorted, size_t n, uint32_t percent)
{
	return sorted[(n - 1) * percent / 100];
}

/* @sent: messages between cores, or -1. */
static void show(const struct plan *p, uint64_t *took, const struct report *all, long sent)
{
	size_t n = (size_t)p->workers * p->ops;
	uint64_t begin = UINT64_MAX, end = 0;
	double seconds;

	for (uint32_t i = 0; i < p->workers; i++) {
		begin = all[i].begin < begin ? all[i].begin : begin;
		end = all[i].end > end ? all[i].end : end;
	}
	qsort(took, n, sizeof(*took), by_size);
	seconds = (double)(end - begin) / 1e9;
	print_plan("nsbench");
	printf("ops=%zu seconds=%.9f rate=%.1f p50_ns=%llu p99_ns=%llu max_ns=%llu", n, seconds,
	       seconds > 0 ? (double)n / seconds : 0, (unsigned long long)percentile(took, n, 50),
	       (unsigned long long)percentile(took, n, 99), (unsigned long long)took[n - 1]);
	if (sent >= 0)
		printf(" messages=%ld", sent);
	putchar('\n');
}

/* The workers, and what belongs to them. */
struct crew {
	int ready, go[GATES]; /* our ends */
	int out[MAX_WORKERS];
	struct finish *finish;
	pid_t others[MAX_OTHERS];
	uint32_t nothers;
};

static void start_workers(const struct plan *p, struct crew *crew)
{
	int ready[2], go[2], results[2];
	struct job job;

	crew->finish = mmap(NULL, sizeof(*crew->finish), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crew->finish == MAP_FAILED)
		die(-errno, "shared memory");
	for (int i = 0; i < GATES; i++) {
		if (pipe(go))
			die(-errno, "pipes");
		job.go[i] = go[0];
		crew->go[i] = go[1];
	}
	if (pipe(ready))
		die(-errno, "pipes");
	job.ready = ready[1];
	job.finish = crew->finish;
	for (uint32_t i = 0; i < p->workers; i++) {
		pid_t pid;

		if (pipe(results))
			die(-errno, "pipe");
		job.worker = i;
		job.out = results[1];
		pid = fork();
		if (pid < 0)
			die(-errno, "fork");
		if (pid == 0) {
			for (int k = 0; k < GATES; k++)
				close(crew->go[k]);
			for (uint32_t k = 0; k < i; k++)
				close(crew->out[k]);
			work(p, &job);
		}
		close(results[1]);
		crew->out[i] = results[0];
	}
	close(ready[1]);
	crew->ready = ready[0];
	for (int i = 0; i < GATES; i++)
		close(job.go[i]);
}

/* Before there are pipes that they would hold open. */
static void start_others(const struct plan *p, struct crew *crew)
{
	for (uint32_t i = 0; i < p->kept; i++)
		crew->others[crew->nothers++] = keep_namespace();
	for (uint32_t i = 0; i < p->readers; i++)
		crew->others[crew->nothers++] = start_reader();
}

static void all_ready(const struct plan *p, const struct crew *crew)
{
	char byte;

	for (uint32_t i = 0; i < p->workers; i++)
		receive(crew->ready, &byte, 1);
}

/* Opens the gate that says when: in a while, but at once if there is only one to hear it. Returns
 * how many messages had been sent shortly before. */
static long start_all(const struct plan *p, const struct crew *crew)
{
	uint64_t start = 0, hear;

	if (p->workers == 1) {
		long sent = messages();

		send(crew->go[GATE_START], &start, sizeof(start));
		return sent;
	}
	hear = HEAR_NS + p->workers * HEAR_WORKER_NS;
	start = now_ns() + 2 * hear;
	for (uint32_t i = 0; i < p->workers; i++)
		send(crew->go[GATE_START], &start, sizeof(start));
	sleep_until(start, hear);
	return messages();
}

static void end_others(const struct crew *crew)
{
	for (uint32_t i = 0; i < crew->nothers; i++)
		kill(crew->others[i], SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

/* In a process of its own, whose namespace it is. */
static void measure(const struct plan *p)
{
	static struct report all[MAX_WORKERS];
	static struct crew crew;
	uint64_t *took = calloc((size_t)p->workers * p->ops, sizeof(*took));
	long before;

	if (!took)
		die(-ENOMEM, "results");
	world_make(p, "/proc/self/exe");
	start_others(p, &crew);
	start_workers(p, &crew);
	all_ready(p, &crew);
	/* What making the world has left to be done later is not to be measured. */
	usleep(SETTLE_US);
	MODEL_ON();
	close(crew.go[GATE_WARM]);
	all_ready(p, &crew);
	before = start_all(p, &crew);
	all_ready(p, &crew);
	MODEL_OFF();
	close(crew.go[GATE_END]);
	for (uint32_t i = 0; i < p->workers; i++) {
		receive(crew.out[i], &all[i], sizeof(all[i]));
		receive(crew.out[i], took + (size_t)i * p->ops, p->ops * sizeof(*took));
		if (all[i].error)
			die(all[i].error, "%s on core %u", p->mode->name, i % p->cores);
	}
	show(p, took, all, before < 0 ? -1 : crew.finish->sent - before);
	end_others(&crew);
	free(took);
}

/* Returns whether it could be measured. */
static bool measure_in_child(const struct plan *p)
{
	int status;
	pid_t pid;

	fflush(stdout);
	current = p;
	pid = fork();
	if (pid < 0)
		die(-errno, "fork");
	if (pid == 0) {
		measure(p);
		exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	current = NULL;
	/* After a failure it may still be on. */
	MODEL_OFF();
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	static struct plan plans[MAX_PLANS];
	uint32_t rounds, n;
	bool good = true;

	/* The program that modes execute. */
	if (argc == 2 && strcmp(argv[1], "--true") == 0)
		return 0;
	open_sysfs();
	n = read_plans(argc, argv, plans, &rounds);
	usleep(START_US);
	for (uint32_t round = 0; round < rounds; round++) {
		if (round)
			MODEL_SEED();
		for (uint32_t i = 0; i < n; i++) {
			plans[i].round = round;
			good &= measure_in_child(&plans[i]);
		}
	}
	return !good;
}
