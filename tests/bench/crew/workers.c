/*
 * Workers: processes that begin together. See workers.h.
 *
 * Workers are pinned to cores, most in turn: each says over a pipe that it is ready and waits for
 * another pipe; then it does operations that only warm its caches, and at once those that are
 * measured. Before these and after them the workers meet in memory they share: no gate takes longer
 * the more there are, nobody sleeps and finds his caches cold, and nobody is disturbed while he
 * works.
 */
#include "workers.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* So long, and so much more for each worker, they have to see when it starts. */
#define SEE_NS        20000u
#define SEE_WORKER_NS 1000u

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

static void spin_until(_Atomic uint32_t *word, uint32_t value)
{
	for (uint32_t n = 1; atomic_load(word) < value; n++) {
		__builtin_ia32_pause();
		if (n % SPINS == 0)
			sched_yield();
	}
}

/* Worker @worker is warm: until all are, and it is time. */
static void start_together(const struct plan *p, uint32_t worker, struct meeting *m)
{
	atomic_fetch_add(&m->warm, 1);
	if (worker) {
		spin_until(&m->told, 1);
	} else {
		spin_until(&m->warm, p->workers);
		m->before = messages();
		MODEL_BEGIN();
		m->start = now_ns() + (p->workers > 1 ? SEE_NS + p->workers * SEE_WORKER_NS : 0);
		atomic_store(&m->told, 1);
	}
	while (now_ns() < m->start)
		__builtin_ia32_pause();
}

/* Worker @worker has done its operations: until all have. */
static void end_together(const struct plan *p, uint32_t worker, struct meeting *m)
{
	atomic_fetch_add(&m->done, 1);
	if (worker) {
		spin_until(&m->counted, 1);
		return;
	}
	spin_until(&m->done, p->workers);
	MODEL_REPORT();
	m->sent = m->before < 0 ? -1 : messages() - m->before;
	atomic_store(&m->counted, 1);
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
	struct meeting *meeting;
};

static void work(const struct plan *p, const struct job *job)
{
	uint32_t room = p->ops > p->warm ? p->ops : p->warm;
	uint64_t *took = calloc(room, sizeof(*took));
	struct report r = {0};

	if (!took)
		die(-ENOMEM, "worker %u", job->worker);
	r.error = pin(core_of(p, job->worker));
	if (!r.error && p->mode->prepare)
		r.error = p->mode->prepare(p, job->worker);
	atomic_fetch_add(&job->meeting->done, 0); /* the page is there from now on */
	meet(job->ready, job->go[GATE_WARM]);
	for (int i = 0; i < 2 && !r.error; i++) {
		if (i)
			usleep(SETTLE_US);
		r.error = run_some(p, took, p->warm);
	}
	start_together(p, job->worker, job->meeting);
	r.begin = now_ns();
	if (!r.error)
		r.error = run_some(p, took, p->ops);
	r.end = now_ns();
	end_together(p, job->worker, job->meeting);
	meet(job->ready, job->go[GATE_END]);
	send_all(job->out, &r, sizeof(r));
	send_all(job->out, took, p->ops * sizeof(*took));
	exit(0);
}

void start_workers(const struct plan *p, struct crew *crew)
{
	int ready[2], go[2], results[2];
	struct job job;

	crew->meeting = mmap(NULL, sizeof(*crew->meeting), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crew->meeting == MAP_FAILED)
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
	job.meeting = crew->meeting;
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
