/*
 * What jobs have written, as rows. See scale.h.
 *
 * The model writes a report for each measurement that came to its end, in the order of the
 * program's lines: so the n-th of one belongs to the n-th of the other.
 */
#include "scale.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "../guest.h"

static double number_of(const char *line, const char *key, double none)
{
	char *text = line_value(line, key);

	return text ? atof(text) : none;
}

static u32 count_of(const char *line, const char *key)
{
	return (u32)number_of(line, key, 0);
}

/* The number behind "key": in a line of JSON. */
static double json_number(const char *line, const char *key)
{
	const char *at = line ? strstr(line, strf("\"%s\":", key)) : NULL;

	return at ? atof(at + strlen(key) + 3) : -1;
}

static struct strv lines_of(const char *path)
{
	struct strv lines = {0};
	struct buf b = {0};

	if (file_read(path, &b))
		return lines;
	for (const char *at = b.v; *at;) {
		int n = (int)strcspn(at, "\r\n");

		if (n)
			strv_addf(&lines, "%.*s", n, at);
		at += n + (at[n] != 0);
	}
	return lines;
}

static void add_row(struct scale_results *r, const struct scale_row *row)
{
	r->v = realloc(r->v, (r->n + 1) * sizeof(*row));
	if (!r->v)
		die("out of memory");
	r->v[r->n++] = *row;
}

/* A measurement, or why there is none; false: another line. */
static bool read_row(const char *program, const char *line, struct scale_row *row)
{
	const char *placement = line_value(line, "placement"), *mode = line_value(line, "mode");
	bool good = line_is(line, program);

	if ((!good && !line_is(line, strf("%s_failed", program))) || !placement || !mode)
		return false;
	row->point = (struct scale_point){.mode = mode,
					  .mounts = count_of(line, "mounts"),
					  .tree = count_of(line, "tree"),
					  .readers = count_of(line, "readers"),
					  .kept = count_of(line, "kept"),
					  .crowded = strcmp(placement, "crowded") == 0};
	row->workers = count_of(line, "workers");
	if (row->workers > row->cores)
		row->point.workers = row->workers;
	row->seed = count_of(line, "seed");
	row->why = good ? NULL : line_value(line, "why");
	row->ops = number_of(line, "ops", 0);
	row->rate = number_of(line, "rate", 0);
	row->p50_ns = number_of(line, "p50_ns", 0);
	row->p99_ns = number_of(line, "p99_ns", 0);
	row->max_ns = number_of(line, "max_ns", 0);
	row->messages = number_of(line, "messages", -1);
	row->instructions = row->moved = -1;
	/* A line that was cut off, or nothing measured. */
	return !good || (row->ops > 0 && row->rate > 0 && line_value(line, "max_ns"));
}

static void read_job(struct scale_results *r, const char *path, char *const ids[SCALE_SYSTEMS])
{
	struct strv lines = lines_of(path), reports;
	struct scale_row row = {0};
	const char *system, *build, *program;
	size_t n = 0;

	if (!lines.n || !line_is(lines.v[0], "job"))
		return;
	system = line_value(lines.v[0], "system");
	build = line_value(lines.v[0], "build");
	program = line_value(lines.v[0], "program");
	row.machine = line_value(lines.v[0], "machine");
	row.cores = count_of(lines.v[0], "cores");
	if (!system || !build || !row.machine)
		return;
	row.system =
		strcmp(system, scale_system_keys[SCALE_LINUX]) == 0 ? SCALE_LINUX : SCALE_SKERRY;
	if (ids && *ids[row.system] && !strstr(ids[row.system], build))
		return;
	reports = lines_of(strf("%.*s.timing", (int)strlen(path) - 4, path));
	for (size_t i = 1; i < lines.n; i++) {
		if (!read_row(program ? program : scale_questions[SCALE_NAMESPACES].program,
			      lines.v[i], &row))
			continue;
		if (!row.why) {
			const char *report = n < reports.n ? reports.v[n] : NULL;
			n++;
			row.instructions = json_number(report, "sum_instructions");
			row.moved = json_number(report, "sum_near");
			row.moved += row.moved >= 0 ? json_number(report, "sum_far") : 0;
			row.releases = json_number(report, "releases");
		}
		add_row(r, &row);
	}
	strv_add(&r->hows, lines.v[0]);
}

struct scale_results scale_read(const char *dir, char *const ids[SCALE_SYSTEMS])
{
	struct scale_results r = {0};
	struct strv names = {0};
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));) {
		if (ends_with(e->d_name, ".log"))
			strv_add(&names, strf("%s", e->d_name));
	}
	if (d)
		closedir(d);
	strv_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		read_job(&r, strf("%s/%s", dir, names.v[i]), ids);
	return r;
}

static bool is_of(const struct scale_row *row, enum scale_system system, const char *machine,
		  u32 cores, const struct scale_point *pt)
{
	return row->system == system && row->cores == cores && strcmp(row->machine, machine) == 0 &&
	       scale_same_point(&row->point, pt);
}

const struct scale_row *scale_find(const struct scale_results *r, const struct scale_job *job,
				   const struct scale_point *pt, u32 seed)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].seed == seed &&
		    is_of(&r->v[i], job->system, job->machine, job->cores, pt))
			return &r->v[i];
	}
	return NULL;
}

static void add_seed(struct scale_cell *c, const struct scale_row *row)
{
	c->rate += row->rate;
	c->rate_min = c->n ? MIN(c->rate_min, row->rate) : row->rate;
	c->rate_max = c->n ? MAX(c->rate_max, row->rate) : row->rate;
	c->p50_ns += row->p50_ns;
	c->p99_ns += row->p99_ns;
	c->max_ns = MAX(c->max_ns, row->max_ns);
	c->messages += row->messages / row->ops;
	c->instructions += row->instructions / row->ops;
	c->moved += row->moved / row->ops;
	c->n++;
}

struct scale_cell scale_cell_of(const struct scale_results *r, enum scale_system system,
				const char *machine, u32 cores, const struct scale_point *pt)
{
	struct scale_cell c = {0};
	u64 seeds = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct scale_row *row = &r->v[i];

		if (!is_of(row, system, machine, cores, pt))
			continue;
		if (row->why)
			c.why = row->why;
		else if (row->seed < 64 && !(seeds >> row->seed & 1))
			add_seed(&c, row);
		if (!row->why && row->seed < 64)
			seeds |= 1ull << row->seed;
	}
	if (!c.n)
		return c;
	c.rate /= c.n;
	c.p50_ns /= c.n;
	c.p99_ns /= c.n;
	c.messages /= c.n;
	c.instructions /= c.n;
	c.moved /= c.n;
	return c;
}
