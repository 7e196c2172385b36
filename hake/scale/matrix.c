/*
 * Which points are measured, in which jobs. See scale.h.
 *
 * Both systems have the same operations of the same number. A point with more mounts, or a mode
 * that does more, has fewer operations: what is to be known is a mean, and the host's time is
 * short.
 */
#include "scale.h"

#include <stdlib.h>
#include <string.h>

#define TIMED_MACHINES "2socket 8socket"
/* Measured on the host: seconds until a system is up, at one core and for each further one. */
#define SKERRY_START 5.0
#define SKERRY_CORE  0.3
#define LINUX_START  12.0
#define LINUX_CORE   2.5
/* A point takes about so long with one seed. */
#define POINT_SECONDS 0.5

const char *const scale_system_keys[SCALE_SYSTEMS] = {"skerry", "linux"};
const char *const scale_system_names[SCALE_SYSTEMS] = {"Skerry", "Linux"};

const struct scale_question scale_questions[SCALE_QUESTIONS] = {
	[SCALE_NAMESPACES] = {"nsbench",
			      "scale",
			      {{"throughput", "throughput against cores"},
			       {"latency", "latency"},
			       {"mounts", "cost against mounts"}}},
	[SCALE_PROCESSES] = {"corebench",
			     "cores",
			     {{"processes", "throughput against cores"},
			      {"pipes", "there and back over a pipe"}}},
};

/* The most telling first: a job may be cut short. */
static const struct scale_point usual[] = {
	{.mode = "open_tree", .mounts = 30},   {.mode = "enter", .mounts = 30},
	{.mode = "unshare", .mounts = 30},     {.mode = "open_tree", .mounts = 1000},
	{.mode = "unshare", .mounts = 1000},   {.mode = "enter", .mounts = 1000},
	{.mode = "container", .mounts = 30},   {.mode = "classic", .mounts = 30},
	{.mode = "empty", .mounts = 30},       {.mode = "clone", .mounts = 30},
	{.mode = "container", .mounts = 1000}, {.mode = "empty", .mounts = 1000},
	{.mode = "clone", .mounts = 1000},     {.mode = "classic", .mounts = 1000},
};

/* At one core: where the folder of the tree lies on the mount that has all others. */
static const struct scale_point crowded[] = {
	{.mode = "open_tree", .mounts = 30, .crowded = true},
	{.mode = "open_tree", .mounts = 1000, .crowded = true},
};

/* What --full has beside those. */
static const char *const all_modes[] = {"open_tree", "enter", "unshare", "container",
					"classic",   "empty", "clone"};
static const u32 more_mounts[] = {1, 264, 5000};
static const struct scale_point more[] = {
	{.mode = "open_tree", .mounts = 5000, .crowded = true},
	{.mode = "open_tree", .mounts = 1000, .tree = 30},
	{.mode = "open_tree", .mounts = 1000, .tree = 264},
	{.mode = "clone", .mounts = 1000, .tree = 264},
	{.mode = "open_tree", .mounts = 30, .readers = 4},
	{.mode = "unshare", .mounts = 264, .readers = 4},
	{.mode = "open_tree", .mounts = 30, .kept = 1000},
	{.mode = "unshare", .mounts = 30, .kept = 1000},
};

/* What others have published: so many times what "unshare -m true" does, at once. */
static const struct scale_point published = {.mode = "published", .mounts = 264, .workers = 256};

/* What processes do. Two cores of a node, or of two, each of some points takes. */
static const struct scale_point processes[] = {
	{.mode = "spawn"},        {.mode = "pipe-core"}, {.mode = "files-own"},
	{.mode = "files-shared"}, {.mode = "pipe-node"}, {.mode = "pipe-far"},
};

static const u32 skerry_cores[] = {1, 16, 64, 4, 8, 32, 2};
static const u32 linux_cores[] = {1, 16, 4, 8, 2};
static const u32 full_cores[] = {128, 255};

/* How far each system goes when processes are asked about. */
static const u32 most_with_processes[SCALE_SYSTEMS] = {32, 8};

const char *scale_program(const char *name)
{
	for (size_t i = 0; i < SCALE_QUESTIONS; i++) {
		if (strcmp(name, scale_questions[i].program) == 0)
			return scale_questions[i].program;
	}
	die("--program: expected nsbench or corebench, not \"%s\"", name);
}

bool scale_same_point(const struct scale_point *a, const struct scale_point *b)
{
	return strcmp(a->mode, b->mode) == 0 && a->mounts == b->mounts && a->tree == b->tree &&
	       a->readers == b->readers && a->kept == b->kept && a->crowded == b->crowded &&
	       a->workers == b->workers;
}

static bool is_light(const char *mode)
{
	return strcmp(mode, "open_tree") == 0 || strcmp(mode, "clone") == 0 ||
	       starts_with(mode, "pipe-") || starts_with(mode, "files-");
}

static bool copies_all(const char *mode)
{
	return strcmp(mode, "unshare") == 0 || strcmp(mode, "classic") == 0 ||
	       strcmp(mode, "published") == 0;
}

u32 scale_ops(const struct scale_point *pt, u32 cores, u32 *warm)
{
	u32 all = is_light(pt->mode) ? 256 : strcmp(pt->mode, "container") == 0 ? 32 : 64;
	u32 least; /* of each worker: what is to be known is how they work, not how they begin */

	if (pt->workers) {
		*warm = 0;
		return 1;
	}
	*warm = 3;
	least = is_light(pt->mode) ? 32 : 8;
	if (copies_all(pt->mode) && pt->mounts > 500) {
		all = pt->mounts > 2000 ? 2 : 8;
		*warm = 1;
		least = 2;
	}
	return MAX(all / cores, least);
}

char *scale_point_text(const struct scale_point *pt, u32 cores)
{
	struct buf text = {0};
	u32 warm, ops = scale_ops(pt, cores, &warm);

	buf_addf(&text, "%s,ops=%u,warm=%u", pt->mode, ops, warm);
	if (pt->mounts)
		buf_addf(&text, ",mounts=%u", pt->mounts);
	if (pt->tree)
		buf_addf(&text, ",tree=%u", pt->tree);
	if (pt->readers)
		buf_addf(&text, ",readers=%u", pt->readers);
	if (pt->kept)
		buf_addf(&text, ",kept=%u", pt->kept);
	if (pt->workers)
		buf_addf(&text, ",workers=%u", pt->workers);
	if (pt->crowded)
		buf_addf(&text, ",crowded");
	return text.v;
}

char *scale_job_key(const struct scale_job *job)
{
	return strf("%s-%s-%u", scale_system_keys[job->system], job->machine, job->cores);
}

struct strv scale_job_words(const struct scale_job *job, const char *prefix)
{
	struct strv words = {0};

	strv_addf(&words, "--program=%s", job->program);
	strv_addf(&words, "--system=%s", scale_system_keys[job->system]);
	strv_addf(&words, "--machine=%s", job->machine);
	strv_addf(&words, "--cores=%u", job->cores);
	strv_addf(&words, "--seeds=%u", job->seeds);
	strv_addf(&words, "--out=%s", prefix);
	for (size_t i = 0; i < job->npoints; i++)
		strv_add(&words, scale_point_text(&job->points[i], job->cores));
	return words;
}

static void add_point(struct scale_job *job, struct scale_point pt)
{
	for (size_t i = 0; i < job->npoints; i++) {
		if (scale_same_point(&job->points[i], &pt))
			return;
	}
	job->points = realloc(job->points, (job->npoints + 1) * sizeof(pt));
	if (!job->points)
		die("out of memory");
	job->points[job->npoints++] = pt;
}

static void add_points(struct scale_job *job, const struct scale_point *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_point(job, v[i]);
}

/* What was asked of @job about namespaces. */
static void add_namespaces(struct scale_job *job, const struct scale_options *o)
{
	if (o->published) {
		add_point(job, published);
	} else {
		add_points(job, usual, 3);
		if (job->cores == 1 || o->full)
			add_points(job, crowded, ARRAY_SIZE(crowded));
		add_points(job, usual, ARRAY_SIZE(usual));
	}
	if (!o->full)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(more_mounts); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(all_modes); k++)
			add_point(job, (struct scale_point){.mode = all_modes[k],
							    .mounts = more_mounts[i]});
	}
	add_points(job, more, ARRAY_SIZE(more));
	add_point(job, published);
}

/* What was asked of @job about processes: a machine may have no two cores of a node, or one node.
 */
static void add_processes(struct scale_job *job)
{
	u32 nodes = scale_sockets(job->machine, job->cores);

	for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
		const char *mode = processes[i].mode;

		if ((strcmp(mode, "pipe-node") == 0 && job->cores / nodes % 2) ||
		    (strcmp(mode, "pipe-far") == 0 && nodes < 2))
			continue;
		add_point(job, processes[i]);
	}
}

static void add_job(struct scale_matrix *m, const struct scale_options *o, enum scale_system system,
		    const char *machine, u32 cores)
{
	struct scale_job job = {.program = scale_questions[o->asked].program,
				.system = system,
				.machine = machine,
				.cores = cores,
				.seeds = o->seeds};
	double start = system == SCALE_LINUX ? LINUX_START + LINUX_CORE * cores
					     : SKERRY_START + SKERRY_CORE * cores;

	if (o->most_cores && cores > o->most_cores)
		return;
	if (o->asked == SCALE_PROCESSES && cores > most_with_processes[system])
		return;
	if (o->asked == SCALE_PROCESSES)
		add_processes(&job);
	else
		add_namespaces(&job, o);
	job.weight = start + (double)job.npoints * job.seeds * POINT_SECONDS *
				     (system == SCALE_LINUX ? 2 : 1);
	m->jobs = realloc(m->jobs, (m->njobs + 1) * sizeof(job));
	if (!m->jobs)
		die("out of memory");
	m->jobs[m->njobs++] = job;
}

struct scale_matrix scale_matrix_of(const struct scale_options *o)
{
	struct scale_matrix m = {.asked = o->asked};

	if (o->wall)
		strv_add(&m.machines, SCALE_WALL);
	else if (o->machine)
		strv_add(&m.machines, o->machine);
	else
		strv_split(&m.machines, TIMED_MACHINES);
	for (size_t i = 0; i < ARRAY_SIZE(skerry_cores); i++) {
		for (size_t k = 0; k < m.machines.n; k++) {
			const char *machine = m.machines.v[k];

			add_job(&m, o, SCALE_SKERRY, machine, skerry_cores[i]);
			if (i < ARRAY_SIZE(linux_cores))
				add_job(&m, o, SCALE_LINUX, machine, linux_cores[i]);
		}
	}
	for (size_t i = 0; o->full && i < ARRAY_SIZE(full_cores); i++) {
		for (size_t k = 0; k < m.machines.n; k++)
			add_job(&m, o, SCALE_SKERRY, m.machines.v[k], full_cores[i]);
	}
	return m;
}

static int by_number(const void *a, const void *b)
{
	return *(const u32 *)a < *(const u32 *)b ? -1 : *(const u32 *)a > *(const u32 *)b;
}

size_t scale_core_counts(const struct scale_matrix *m, const char *machine, u32 *v, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < m->njobs; i++) {
		bool known = strcmp(m->jobs[i].machine, machine) != 0;

		for (size_t k = 0; k < n; k++)
			known |= v[k] == m->jobs[i].cores;
		if (!known && n < room)
			v[n++] = m->jobs[i].cores;
	}
	qsort(v, n, sizeof(*v), by_number);
	return n;
}

struct scale_point *scale_points(const struct scale_matrix *m, size_t *n)
{
	struct scale_job all = {0};

	for (size_t i = 0; i < m->njobs; i++)
		add_points(&all, m->jobs[i].points, m->jobs[i].npoints);
	*n = all.npoints;
	return all.points;
}
