/*
 * Running jobs, some at a time, within a budget of time. See scale.h.
 *
 * A job gets a share of what is left of the budget by its weight, but what it is likely to need;
 * what it does not use is there for the others. At the end of its share it is stopped: what it has
 * measured stays, and the next call goes on with what is missing. A system that measured nothing
 * with N cores is not asked with more.
 */
#include "scale.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 200
#define MOST    64  /* jobs at once */
#define LEAST   1.5 /* of what a job takes on a host of its own */

struct running {
	struct scale_job job; /* with the points that are missing only */
	size_t index;
	char *prefix;
	pid_t pid; /* 0: free */
	u64 end_ms;
	bool stopped;
};

static struct {
	const struct scale_matrix *m;
	const struct scale_options *o;
	const char *dir;
	struct running slots[MOST];
	bool *begun;
	u64 start_ms, end_ms; /* end 0: no budget */
	struct scale_results before;
} state;

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static double seconds_left(void)
{
	u64 now = now_ms();

	return now >= state.end_ms ? 0 : (double)(state.end_ms - now) / 1000;
}

/* How long @job may take, in ms: its share, but enough to have something of it. */
static u64 share_of(const struct scale_job *job)
{
	double waiting = job->weight, busy = 0, share;

	for (size_t i = 0; i < state.m->njobs; i++)
		waiting += state.begun[i] ? 0 : state.m->jobs[i].weight;
	for (u32 i = 0; i < state.o->at_once; i++) {
		u64 now = now_ms();

		if (state.slots[i].pid && state.slots[i].end_ms > now)
			busy += (double)(state.slots[i].end_ms - now) / 1000;
	}
	share = MAX(0.0, seconds_left() * state.o->at_once - busy) * job->weight / waiting;
	return (u64)(1000 * MIN(seconds_left(), MAX(share, LEAST * job->weight)));
}

/* @job with just the points that are missing. */
static struct scale_job missing_of(const struct scale_job *job)
{
	struct scale_job left = *job;

	left.points = alloc((job->npoints + 1) * sizeof(*job->points));
	left.npoints = 0;
	for (size_t i = 0; i < job->npoints; i++) {
		bool have = true;

		for (u32 seed = 0; seed < job->seeds; seed++)
			have &= scale_find(&state.before, job, &job->points[i], seed) != NULL;
		if (!have)
			left.points[left.npoints++] = job->points[i];
	}
	return left;
}

static void start(struct running *r, u32 slot)
{
	struct strv argv = {0}, words;

	r->prefix = strf("%s/%s.%ld", state.dir, scale_job_key(&r->job), (long)time(NULL));
	words = scale_job_words(&r->job, r->prefix);
	strv_addf(&argv, "%s/hake", build_dir());
	strv_add(&argv, "bench-job");
	if (sysconf(_SC_NPROCESSORS_ONLN) >= (long)state.o->at_once && !state.o->wall)
		strv_addf(&argv, "--cpu=%u", slot + 1);
	strv_cat(&argv, &words);
	r->end_ms = state.end_ms ? now_ms() + share_of(&r->job) : UINT64_MAX;
	r->stopped = false;
	fflush(NULL);
	r->pid = fork();
	if (r->pid < 0)
		die("cannot start a job: %s", strerror(errno));
	if (r->pid == 0) {
		signal(SIGINT, SIG_IGN); /* the one above decides */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(argv.v[0], strv_argv(&argv));
		_exit(127);
	}
}

/* The figures of the job that has ended, in a line; and what it says about further ones. */
static void told(struct running *r)
{
	struct scale_results now = scale_read(state.dir, NULL);
	const char *why = NULL;
	size_t good = 0;

	for (size_t i = 0; i < now.n; i++) {
		const struct scale_row *row = &now.v[i];

		if (row->system != r->job.system || row->cores != r->job.cores ||
		    strcmp(row->machine, r->job.machine) != 0)
			continue;
		good += !row->why;
		why = row->why ? row->why : why;
	}
	printf("  %-22s %zu measurements%s%s%s\n", scale_job_key(&r->job), good,
	       r->stopped ? ", then its time was over" : "", good || !why ? "" : ": ",
	       good || !why ? "" : why);
	if (good || !why)
		return;
	for (size_t i = 0; i < state.m->njobs; i++) {
		struct scale_job *later = &state.m->jobs[i];

		if (!state.begun[i] && later->system == r->job.system &&
		    later->cores >= r->job.cores) {
			state.begun[i] = true;
			later->skipped = strf("as with %u cores: %s", r->job.cores, why);
			printf("  %-22s left out, %s\n", scale_job_key(later), later->skipped);
		}
	}
}

static void stop(struct running *r)
{
	r->stopped = true;
	kill(r->pid, SIGKILL); /* QEMU goes with it */
}

/* Looks after those that run; returns how many still do. */
static u32 look_after(void)
{
	u32 n = 0;

	for (u32 i = 0; i < state.o->at_once; i++) {
		struct running *r = &state.slots[i];
		int status;

		if (!r->pid)
			continue;
		if ((interrupted || now_ms() >= r->end_ms) && !r->stopped)
			stop(r);
		if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
			r->pid = 0;
			told(r);
		} else {
			n++;
		}
	}
	return n;
}

/* The next job that has something to measure, in a free slot. Returns false if there is none. */
static bool start_next(u32 slot)
{
	struct running *r = &state.slots[slot];

	for (size_t i = 0; i < state.m->njobs; i++) {
		if (state.begun[i])
			continue;
		state.begun[i] = true;
		r->index = i;
		r->job = missing_of(&state.m->jobs[i]);
		if (!r->job.npoints)
			continue;
		start(r, slot);
		return true;
	}
	return false;
}

static void progress(void)
{
	size_t left = 0;

	for (size_t i = 0; i < state.m->njobs; i++)
		left += !state.begun[i];
	if (!isatty(STDOUT_FILENO))
		return;
	printf("  %zu jobs wait", left);
	if (state.end_ms)
		printf(", %.0f s left", seconds_left());
	printf("; Ctrl-C keeps what is done   \r");
	fflush(stdout);
}

bool scale_run(const struct scale_matrix *m, const struct scale_options *o, const char *dir,
	       const struct scale_results *before)
{
	bool more = true;

	state.m = m;
	state.o = o;
	state.dir = dir;
	state.before = *before;
	state.begun = alloc((m->njobs + 1) * sizeof(bool));
	state.start_ms = now_ms();
	state.end_ms = o->minutes ? state.start_ms + 60000ul * o->minutes : 0;
	signal(SIGINT, on_interrupt);
	signal(SIGTERM, on_interrupt);
	while (look_after() || more) {
		bool over = interrupted || (state.end_ms && seconds_left() <= 0);

		for (u32 i = 0; i < o->at_once && more && !over; i++)
			more = state.slots[i].pid || start_next(i);
		more &= !over;
		progress();
		nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000l}, NULL);
	}
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	return !interrupted;
}
