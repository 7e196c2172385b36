/*
 * The main job of hake/bench: how the creation of mount namespaces scales, on Skerry and on Linux;
 * and with --cores, how processes on several cores do.
 *
 * A point is one measurement: a system on a machine with so many cores, a mode of its program and
 * its numbers, a seed. A job is one boot that measures several points, one after the other. What a
 * job says goes to two files, PREFIX.log (a line "@job ...", then the console) and PREFIX.timing
 * (the model's reports), as it comes: a job may be stopped at any time, and what it has measured
 * stays. Everything shown is read back from such files, wherever they were made.
 *
 *   matrix.c    which points, in which jobs, in which order
 *   job.c       one job: a boot
 *   schedule.c  jobs, some at a time, within a budget
 *   results.c   what jobs have written, as rows
 *   show.c      tables; goals.c: what the project wants of them
 *   keep.c      CSV, JSON, plots
 *   emit.c      jobs for other machines
 *
 * Where a system cannot do something, a row says why; there is never a figure for it.
 */
#ifndef HAKE_SCALE_H
#define HAKE_SCALE_H

#include "../model.h"
#include "../util.h"

enum scale_system { SCALE_SKERRY, SCALE_LINUX, SCALE_SYSTEMS };

/* As options and files have them, and as people read them. */
extern const char *const scale_system_keys[SCALE_SYSTEMS];
extern const char *const scale_system_names[SCALE_SYSTEMS];

/* "Without the model": the time is the host's. */
#define SCALE_WALL "wall"

/* Where the plots that README.md shows are kept. */
#define SCALE_PLOTS "tests/bench/plots"

/* What is asked: a program of tests/bench, and what stands in the names of folders and files. */
struct scale_question {
	const char *program; /* "nsbench" */
	const char *name;    /* "scale": the folder of results, the place in README.md */
	struct {
		const char *file, *about; /* "throughput": one "throughput-MACHINE.svg" a machine */
	} plots[4];                       /* until one without a file */
};

enum scale_asked { SCALE_NAMESPACES, SCALE_PROCESSES, SCALE_QUESTIONS };
extern const struct scale_question scale_questions[SCALE_QUESTIONS];

/* What is measured, but for the system, the machine and the seed. */
struct scale_point {
	const char *mode;
	u32 mounts, tree, readers, kept;
	u32 workers; /* at once; 0: one on each core */
	bool crowded;
};

/* One boot. */
struct scale_job {
	const char *program; /* of a question */
	enum scale_system system;
	const char *machine; /* hake/timing/machines, or SCALE_WALL */
	u32 cores, seeds;
	struct scale_point *points;
	size_t npoints;
	const char *skipped; /* why it was not run, NULL: it was, or will be */
	double weight;       /* what it may take of the budget, relative to others */
};

/* What is wanted. */
struct scale_options {
	enum scale_asked asked;
	bool full, wall, write_readme, fresh, published;
	u32 minutes, seeds, at_once;
	u32 most_cores;      /* 0: as many as there are */
	const char *machine; /* this one only, or NULL */
};

/* What came of a point with one seed. */
struct scale_row {
	enum scale_system system;
	const char *machine;
	u32 cores, seed, workers;
	struct scale_point point;
	const char *why; /* it failed; NULL: the figures are there */
	double rate, p50_ns, p99_ns, max_ns, ops;
	double messages, instructions, moved; /* of all operations; below 0: not known */
	double releases;                      /* of the model's watchdog */
};

struct scale_results {
	struct scale_row *v;
	size_t n;
	struct strv hows; /* the "@job" lines */
};

/* Several seeds of a point together. */
struct scale_cell {
	u32 n; /* seeds; 0: see @why */
	const char *why;
	double rate, rate_min, rate_max, p50_ns, p99_ns, max_ns;
	double messages, instructions, moved; /* of one operation; below 0: not known */
};

/* --- matrix.c --- */

struct scale_matrix {
	enum scale_asked asked;
	struct scale_job *jobs; /* the most telling first */
	size_t njobs;
	struct strv machines;
};

struct scale_matrix scale_matrix_of(const struct scale_options *o);
bool scale_same_point(const struct scale_point *a, const struct scale_point *b);
/** Operations of each of @cores workers, and those before that are not measured. */
u32 scale_ops(const struct scale_point *pt, u32 cores, u32 *warm);
/** As nsbench's command line has it. */
char *scale_point_text(const struct scale_point *pt, u32 cores);
/** What the files of a job begin with: "skerry-2socket-16". */
char *scale_job_key(const struct scale_job *job);
/** The words behind "hake bench-job" for @job, with files that begin with @prefix. */
struct strv scale_job_words(const struct scale_job *job, const char *prefix);

/* --- job.c --- */

/** "hake bench-job ...": runs one job; called by hake bench, and by jobs for other machines. */
int scale_job_main(int argc, char **argv);
/** The program that @name names; ends hake if there is none. */
const char *scale_program(const char *name);
/** What must be built. */
void scale_targets(const struct project *p, bool wall, bool with_linux, struct strv *targets);
/** What a result of @program on @system hangs on, as a short text: rows of another are of another
 * time. */
char *scale_build_id(const struct project *p, const char *program, enum scale_system system,
		     const char *machine);
/** Sockets of @machine, those that it has with @cores. */
u32 scale_sockets(const char *machine, u32 cores);

/* --- schedule.c --- */

/** Runs jobs of @m that have points without a row in @before. Returns false if interrupted. */
bool scale_run(const struct scale_matrix *m, const struct scale_options *o, const char *dir,
	       const struct scale_results *before);

/* --- results.c --- */

/** All rows in @dir, of the builds @ids of each system ("": of any). */
struct scale_results scale_read(const char *dir, char *const ids[SCALE_SYSTEMS]);
/** The row of these, or NULL. */
const struct scale_row *scale_find(const struct scale_results *r, const struct scale_job *job,
				   const struct scale_point *pt, u32 seed);
struct scale_cell scale_cell_of(const struct scale_results *r, enum scale_system system,
				const char *machine, u32 cores, const struct scale_point *pt);

/* --- show.c, goals.c, keep.c, emit.c --- */

/** A nanosecond figure for people: "2.8 us". */
const char *scale_time_text(double ns);
void scale_show(const struct scale_matrix *m, const struct scale_results *r, struct buf *out);
/** The block of the top folder's README.md, between its markers. */
void scale_markdown(const struct scale_matrix *m, const struct scale_results *r,
		    const char *command, struct buf *out);
void scale_goals(const struct scale_matrix *m, const struct scale_results *r, struct buf *out);
/** Writes rows to @base.csv and @base.json. */
void scale_keep(const struct scale_results *r, const char *base, const char *command);
/** Draws what there is into @dir, as SVG and PNG. */
void scale_plot(const struct scale_matrix *m, const struct scale_results *r, const char *dir);
/** Writes the jobs of @m as work of @kind ("slurm", "parallel") to the folder @dir. */
void scale_emit(const struct scale_matrix *m, const char *kind, const char *dir);

/** The core counts in @m of @machine, ascending, at most @room. */
size_t scale_core_counts(const struct scale_matrix *m, const char *machine, u32 *v, size_t room);
/** The points in @m, each once. */
struct scale_point *scale_points(const struct scale_matrix *m, size_t *n);

/* --- main.c --- */

/** The main job; @argv as the person typed it. */
int scale_main(const struct project *p, int argc, char **argv);

#endif
