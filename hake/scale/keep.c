/*
 * Figures for programs, CSV and JSON, and plots by gnuplot. See scale.h.
 */
#include "scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../guest.h"

/* NAME=value pairs that CSV and JSON have of each row, in this order; NULL: not known. */
#define NFIELDS 21

static const char *const field_names[NFIELDS] = {
	"system",  "machine",  "cores",        "mode",        "mounts",  "tree",     "placement",
	"readers", "kept",     "seed",         "ops",         "rate",    "p50_ns",   "p99_ns",
	"max_ns",  "messages", "instructions", "lines_moved", "workers", "releases", "failed"};

static const char *known(double v)
{
	return v < 0 ? NULL : strf("%.10g", v);
}

static void fields_of(const struct scale_row *r, const char *v[NFIELDS])
{
	const char *all[NFIELDS] = {scale_system_keys[r->system],
				    r->machine,
				    strf("%u", r->cores),
				    r->point.mode,
				    strf("%u", r->point.mounts),
				    strf("%u", r->point.tree),
				    r->point.crowded ? "crowded" : "own",
				    strf("%u", r->point.readers),
				    strf("%u", r->point.kept),
				    strf("%u", r->seed),
				    known(r->why ? -1 : r->ops),
				    known(r->why ? -1 : r->rate),
				    known(r->why ? -1 : r->p50_ns),
				    known(r->why ? -1 : r->p99_ns),
				    known(r->why ? -1 : r->max_ns),
				    known(r->messages),
				    known(r->instructions),
				    known(r->moved),
				    strf("%u", r->workers),
				    known(r->why ? -1 : r->releases),
				    r->why};

	memcpy(v, all, sizeof(all));
}

static bool is_text(size_t field)
{
	return field == 0 || field == 1 || field == 3 || field == 6 || field == NFIELDS - 1;
}

/* As JSON and CSV both have them, but for quotes. */
static const char *plain(const char *text)
{
	char *out = strf("%s", text);

	for (char *c = out; *c; c++) {
		if (*c == '"' || *c == '\\' || (unsigned char)*c < 0x20)
			*c = '\'';
	}
	return out;
}

static void add_csv(struct buf *csv, const struct scale_row *r)
{
	const char *v[NFIELDS];

	fields_of(r, v);
	for (size_t i = 0; i < NFIELDS; i++)
		buf_addf(csv, i + 1 == NFIELDS && v[i] ? "%s\"%s\"" : "%s%s", i ? "," : "",
			 v[i] ? plain(v[i]) : "");
	buf_addf(csv, "\n");
}

static void add_json(struct buf *json, const struct scale_row *r, bool first)
{
	const char *v[NFIELDS];

	fields_of(r, v);
	buf_addf(json, "%s\n    {", first ? "" : ",");
	for (size_t i = 0; i < NFIELDS; i++) {
		buf_addf(json, "%s\"%s\": ", i ? ", " : "", field_names[i]);
		buf_addf(json, v[i] && is_text(i) ? "\"%s\"" : "%s", v[i] ? plain(v[i]) : "null");
	}
	buf_addf(json, "}");
}

/* Everything of the "@job" lines, and the descriptions of the machines. */
static void add_how(struct buf *json, const struct scale_results *r)
{
	static const char *const keys[] = {"program", "system", "machine", "cores",
					   "seeds",   "date",   "build",   "skerry",
					   "linux",   "qemu",   "jitter",  "command"};
	struct strv machines = {0};

	buf_addf(json, "  \"jobs\": [");
	for (size_t i = 0; i < r->hows.n; i++) {
		buf_addf(json, "%s\n    {", i ? "," : "");
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			const char *v = line_value(r->hows.v[i], keys[k]);

			buf_addf(json, "%s\"%s\": \"%s\"", k ? ", " : "", keys[k],
				 v ? plain(v) : "");
		}
		buf_addf(json, "}");
	}
	buf_addf(json, "\n  ],\n  \"machines\": {");
	for (size_t i = 0; i < r->n; i++) {
		struct buf text = {0};

		if (strv_has(&machines, r->v[i].machine))
			continue;
		strv_add(&machines, r->v[i].machine);
		buf_addf(json, "%s\n    \"%s\": [", machines.n > 1 ? "," : "", r->v[i].machine);
		file_read(strf("hake/timing/machines/%s.machine", r->v[i].machine), &text);
		for (const char *at = text.v ? text.v : ""; *at;) {
			int n = (int)strcspn(at, "\n");

			buf_addf(json, "%s\n      \"%s\"", at == text.v ? "" : ",",
				 plain(strf("%.*s", n, at)));
			at += n + (at[n] != 0);
		}
		buf_addf(json, "]");
	}
	buf_addf(json, "\n  },\n");
}

void scale_keep(const struct scale_results *r, const char *base, const char *command)
{
	struct buf csv = {0}, json = {0};

	for (size_t i = 0; i < NFIELDS; i++)
		buf_addf(&csv, "%s%s", i ? "," : "", field_names[i]);
	buf_addf(&csv, "\n");
	buf_addf(&json, "{\n  \"command\": \"%s\",\n", plain(command));
	add_how(&json, r);
	buf_addf(&json, "  \"rows\": [");
	for (size_t i = 0; i < r->n; i++) {
		add_csv(&csv, &r->v[i]);
		add_json(&json, &r->v[i], i == 0);
	}
	buf_addf(&json, "\n  ]\n}\n");
	file_write(strf("%s.csv", base), csv.v, csv.n);
	file_write(strf("%s.json", base), json.v, json.n);
}

/* --- Plots --- */

/* A script for gnuplot that draws @body twice. */
static void draw(const char *dir, const char *name, const char *body)
{
	struct strv argv = {0};
	char *script = strf("%s/%s.gnuplot", dir, name);
	struct buf text = {0};

	buf_addf(
		&text,
		"set terminal svg noenhanced size 760,520 font 'sans-serif,13' background 'white'\n"
		"set output '%s/%s.svg'\n%s"
		"set terminal png noenhanced size 760,520\nset output '%s/%s.png'\nreplot\n",
		dir, name, body, dir, name);
	file_write(script, text.v, text.n);
	strv_add(&argv, "gnuplot");
	strv_add(&argv, script);
	if (run_program(&argv) != 0)
		warn("gnuplot could not draw %s (package gnuplot-nox)", script);
}

/* The columns of a data block, by core count or mounts. */
struct curve {
	const char *title;
	struct buf data; /* "x y low high" */
	size_t n;
};

static void add_curves(struct buf *body, struct curve *v, size_t n, const char *style)
{
	struct strv parts = {0};

	for (size_t i = 0; i < n; i++) {
		if (!v[i].n)
			continue;
		buf_addf(body, "$d%zu << E\n%sE\n", i, v[i].data.v);
		strv_addf(&parts, "$d%zu using 1:2 with linespoints lw 2 lc %zu pt %zu title '%s'",
			  i, i + 1, i + 4, v[i].title);
		if (*style)
			strv_addf(&parts,
				  "$d%zu using 1:2:3:4 with yerrorbars lc 'grey' pt 0 notitle", i);
	}
	buf_addf(body, "plot ");
	for (size_t i = 0; i < parts.n; i++)
		buf_addf(body, "%s%s", i ? ", \\\n  " : "", parts.v[i]);
	buf_addf(body, "\n");
}

static bool any_curve(const struct curve *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].n)
			return true;
	}
	return false;
}

/* A plot against cores: a curve for each system and mode, or for each of its percentiles. */
struct by_cores {
	const char *file, *title, *ylabel;
	u32 mounts;
	const char *const *modes;
	size_t nmodes;
	bool latency; /* else throughput */
};

static void add_at_cores(struct curve *v, const struct scale_cell *c, u32 cores,
			 const struct by_cores *b, u32 percent)
{
	if (!c->n)
		return;
	if (b->latency)
		buf_addf(&v->data, "%u %g\n", cores,
			 (percent == 99 ? c->p99_ns : c->p50_ns) / 1000);
	else
		buf_addf(&v->data, "%u %g %g %g\n", cores, c->rate, c->rate_min, c->rate_max);
	v->n++;
}

static void plot_by_cores(const struct scale_matrix *m, const struct scale_results *r,
			  const char *machine, const char *dir, const struct by_cores *b)
{
	struct curve v[16] = {0};
	struct buf body = {0};
	u32 counts[16];
	size_t n = scale_core_counts(m, machine, counts, ARRAY_SIZE(counts)), nv = 0;
	size_t kinds = b->latency ? 2 : 1;

	for (size_t k = 0; k < b->nmodes * SCALE_SYSTEMS * kinds; k++, nv++) {
		enum scale_system s = k / kinds % SCALE_SYSTEMS;
		struct scale_point pt = {.mode = b->modes[k / kinds / SCALE_SYSTEMS],
					 .mounts = b->mounts};
		u32 percent = k % kinds ? 99 : 50;

		v[nv].title = strf("%s, %s%s", scale_system_names[s], pt.mode,
				   !b->latency     ? ""
				   : percent == 99 ? ", 99 %"
						   : ", median");
		for (size_t i = 0; i < n; i++) {
			struct scale_cell c = scale_cell_of(r, s, machine, counts[i], &pt);

			add_at_cores(&v[nv], &c, counts[i], b, percent);
		}
	}
	if (!any_curve(v, nv))
		return;
	buf_addf(&body,
		 "set title '%s, %s'\nset logscale xy\nset xlabel 'cores'\nset ylabel '%s'\n"
		 "set key outside below\nset xtics (1,2,4,8,16,32,64,128,255)\nset grid\n",
		 b->title, machine, b->ylabel);
	add_curves(&body, v, nv, b->latency ? "" : "bars");
	draw(dir, strf("%s-%s", b->file, machine), body.v);
}

static void mounts_cost(const struct scale_results *r, const char *machine, const char *dir)
{
	static const char *const modes[] = {"open_tree", "unshare"};
	static const u32 mounts[] = {1, 30, 264, 1000, 5000};
	struct curve v[ARRAY_SIZE(modes) * SCALE_SYSTEMS] = {0};
	struct buf body = {0};
	size_t nv = 0;

	for (size_t k = 0; k < ARRAY_SIZE(modes); k++) {
		for (enum scale_system s = 0; s < SCALE_SYSTEMS; s++, nv++) {
			v[nv].title = strf("%s, %s", scale_system_names[s], modes[k]);
			for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
				struct scale_point pt = {.mode = modes[k], .mounts = mounts[i]};
				struct scale_cell c = scale_cell_of(r, s, machine, 1, &pt);

				if (!c.n || c.instructions <= 0)
					continue;
				buf_addf(&v[nv].data, "%u %g\n", mounts[i], c.instructions);
				v[nv].n++;
			}
		}
	}
	if (!any_curve(v, nv))
		return;
	buf_addf(&body, "set title 'What one costs at one core, by the mounts there are'\n"
			"set logscale xy\nset xlabel 'mounts'\nset ylabel 'instructions'\n"
			"set key outside below\nset grid\n");
	add_curves(&body, v, nv, "");
	draw(dir, strf("mounts-%s", machine), body.v);
}

static const char *const creating[] = {"open_tree", "enter", "unshare"};
static const char *const working[] = {"spawn", "files-own", "files-shared"};
static const char *const talking[] = {"pipe-core", "pipe-node", "pipe-far"};

#define MODES(list, n) .modes = (list), .nmodes = (n)

static const struct by_cores plots[SCALE_QUESTIONS][2] = {
	[SCALE_NAMESPACES] = {{.file = "throughput",
			       .title = "Mount namespaces created, 30 mounts",
			       .ylabel = "operations/s, simulated",
			       .mounts = 30,
			       MODES(creating, 3)},
			      {.file = "latency",
			       .title = "Latency of open_tree(OPEN_TREE_NAMESPACE) and close",
			       .ylabel = "us, simulated",
			       .mounts = 30,
			       MODES(creating, 1),
			       .latency = true}},
	[SCALE_PROCESSES] = {{.file = "processes",
			      .title = "Programs run; files created and unlinked",
			      .ylabel = "operations/s, simulated",
			      MODES(working, 3)},
			     {.file = "pipes",
			      .title = "A byte over a pipe to another process, and back",
			      .ylabel = "us, simulated",
			      MODES(talking, 3),
			      .latency = true}},
};

void scale_plot(const struct scale_matrix *m, const struct scale_results *r, const char *dir)
{
	for (size_t i = 0; i < m->machines.n; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(plots[m->asked]); k++)
			plot_by_cores(m, r, m->machines.v[i], dir, &plots[m->asked][k]);
		if (m->asked == SCALE_NAMESPACES)
			mounts_cost(r, m->machines.v[i], dir);
	}
}
