/*
 * Workers: processes that begin together. See workers.h.
 *
 * Workers are pinned to cores, most in turn, and meet: each says over a pipe that it is ready and
 * waits for another pipe, once before operations that only warm its caches, once before those that
 * are measured. Opening a gate takes longer the more there are, so the second one says when they
 * are to begin; and who has done them waits in shared memory for the others, so that nobody is
 * disturbed while he works.
 */
#include "workers.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* The gate of the start says when. So long, and so much more for each worker, they have to hear of
 * it and to go to sleep; and then, so that nobody else is awake, as long is left to count messages.
 */
#define HEAR_NS        300000u
#define HEAR_WORKER_NS 50000u
/* So long before, they are to be awake. */
#define START_AWAKE_NS 20000u

/* A worker that waits for the others lets its core run others after so many looks. */
#define SPINS 1000

/* Says that it is ready, and waits until nobody can write to @go any more. */
static void meet(int ready, int go)
{
	char byte = 0;

	send_all(ready, &byte, 1);
	(void)!read(go, &byte, 1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
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

uint32_t core_of(const struct plan *p, uint32_t worker)
{
	return p->mode->core ? p->mode->core(p, worker) : worker % p->cores;
}

/* What a worker has. */
struct job {
	uint32_t worker;
	int ready, go[GATES], out; /* its ends of the pipes */
	struct finish *finish;
};

static void work(const struct plan *p, const struct job *job)
{
	uint32_t room = p->ops > p->warm ? p->ops : p->warm;
	uint64_t *took = calloc(room, sizeof(*took)), start = 0;
	struct report r = {0};
	char byte = 0;

	if (!took)
		die(-ENOMEM, "worker %u", job->worker);
	r.error = pin(core_of(p, job->worker));
	if (!r.error && p->mode->prepare)
		r.error = p->mode->prepare(p, job->worker);
	atomic_fetch_add(&job->finish->done, 0); /* the page is there from now on */
	meet(job->ready, job->go[GATE_WARM]);
	if (!r.error)
		r.error = run_some(p, took, p->warm);
	send_all(job->ready, &byte, 1);
	receive_all(job->go[GATE_START], &start, sizeof(start));
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
	send_all(job->out, &r, sizeof(r));
	send_all(job->out, took, p->ops * sizeof(*took));
	exit(0);
}

void start_workers(const struct plan *p, struct crew *crew)
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

void all_ready(const struct plan *p, const struct crew *crew)
{
	char byte;

	for (uint32_t i = 0; i < p->workers; i++)
		receive_all(crew->ready, &byte, 1);
}

/* In a while, but at once if there is only one to hear it. */
long start_all(const struct plan *p, const struct crew *crew)
{
	uint64_t start = 0, hear;

	if (p->workers == 1) {
		long sent = messages();

		send_all(crew->go[GATE_START], &start, sizeof(start));
		return sent;
	}
	hear = HEAR_NS + p->workers * HEAR_WORKER_NS;
	start = now_ns() + 2 * hear;
	for (uint32_t i = 0; i < p->workers; i++)
		send_all(crew->go[GATE_START], &start, sizeof(start));
	sleep_until(start, hear);
	return messages();
}
