/*
 * The simulator's command line.
 *
 * Schedules are numbered; the number is the seed, and --seed N runs one again with a trace. They
 * are divided among processes, which tell their totals through pipes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

#define STEP_LIMIT 200000u

static struct sim world;

static const char usage[] =
	"usage: agree-sim [--schedules N] [--first SEED] [--jobs N] [--soak SECONDS]\n"
	"       agree-sim --seed N        run one schedule with a trace\n"
	"Simulates agreement between cores that stall and die. Exit status 1 if something that\n"
	"must hold did not.\n";

struct options {
	u64 schedules, first, jobs, soak_s, seed;
	bool one;
};

static void run_schedule(const struct sim_config *cfg, struct sim_totals *t)
{
	struct sim *s = &world;

	sim_start(s, cfg, t);
	while (!s->failure && sim_step(s, t)) {
		if (s->steps > STEP_LIMIT)
			sim_fail(s, "no end", "%u requests open", s->unanswered);
	}
	if (!s->failure)
		sim_check_end(s, t);
	sim_end(s, t);
	if (!s->failure)
		return;
	printf("schedule %lu failed: %s: %s (%u cores)\n", cfg->seed, s->failure, s->detail,
	       s->ncores);
	if (!t->failures++)
		t->first_seed = cfg->seed;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add_totals(struct sim_totals *to, const struct sim_totals *t)
{
	to->schedules += t->schedules;
	to->lines += t->lines;
	to->steps += t->steps;
	to->ops += t->ops;
	to->acked += t->acked;
	to->kills += t->kills;
	to->fenced += t->fenced;
	to->stalls += t->stalls;
	to->lost += t->lost;
	to->views += t->views;
	if (t->failures && !to->failures)
		to->first_seed = t->first_seed;
	to->failures += t->failures;
}

static void run_share(const struct options *o, u32 job, int out)
{
	double end = o->soak_s ? seconds() + (double)o->soak_s : 0;
	struct sim_totals t = {0};

	for (u64 i = job; end ? seconds() < end : i < o->schedules; i += o->jobs) {
		run_schedule(&(struct sim_config){.seed = o->first + i}, &t);
		if (t.failures >= 5)
			break;
	}
	fflush(stdout);
	if (write(out, &t, sizeof(t)) != sizeof(t))
		_exit(1);
	_exit(0);
}

static int run_all(const struct options *o)
{
	struct sim_totals total = {0}, t;
	double start = seconds();
	int fd[2];

	if (pipe(fd))
		return 1;
	for (u32 job = 0; job < o->jobs; job++) {
		fflush(stdout);
		if (fork() == 0)
			run_share(o, job, fd[1]);
	}
	close(fd[1]);
	for (u32 job = 0; job < o->jobs; job++) {
		if (read(fd[0], &t, sizeof(t)) != sizeof(t)) {
			printf("a process of the simulator died\n");
			total.failures++;
		} else {
			add_totals(&total, &t);
		}
	}
	while (wait(NULL) > 0)
		;
	printf("%lu schedules in %.1f s: %lu requests (%lu done), %lu messages, %lu kills, %lu "
	       "cores "
	       "fenced on suspicion, %lu stalls, %lu objects lost with all replicas\n",
	       total.schedules, seconds() - start, total.ops, total.acked, total.lines, total.kills,
	       total.fenced, total.stalls, total.lost);
	if (total.failures)
		printf("%lu FAILED; the first: agree-sim --seed %lu\n", total.failures,
		       total.first_seed);
	else if (total.kills == 0 || total.fenced == 0 || total.acked == 0)
		printf("FAILED: the schedules were too tame to prove anything\n");
	return total.failures || !total.kills || !total.fenced || !total.acked;
}

static bool read_option(struct options *o, const char *name, const char *value)
{
	char *end;
	u64 n = strtoul(value, &end, 0);

	if (!*value || *end)
		return false;
	if (!strcmp(name, "--schedules"))
		o->schedules = n;
	else if (!strcmp(name, "--first"))
		o->first = n;
	else if (!strcmp(name, "--jobs"))
		o->jobs = n;
	else if (!strcmp(name, "--soak"))
		o->soak_s = n;
	else if (!strcmp(name, "--seed"))
		o->seed = n;
	else
		return false;
	o->one |= !strcmp(name, "--seed");
	return true;
}

int main(int argc, char **argv)
{
	struct options o = {.schedules = 200000, .first = 1, .jobs = 2};
	struct sim_totals t = {0};

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc || !read_option(&o, argv[i], argv[i + 1])) {
			fprintf(stderr, "agree-sim: cannot use \"%s\"\n%s", argv[i], usage);
			return 2;
		}
	}
	if (!o.jobs || o.jobs > 64) {
		fprintf(stderr, "agree-sim: --jobs must be 1 to 64\n");
		return 2;
	}
	if (!o.one)
		return run_all(&o);
	run_schedule(&(struct sim_config){.seed = o.seed, .trace = true}, &t);
	if (!t.failures)
		printf("schedule %lu passed\n", o.seed);
	return t.failures != 0;
}
