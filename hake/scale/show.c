/*
 * Tables of the main job, for a terminal and for README.md. See scale.h.
 */
#include "scale.h"

#include <stdlib.h>
#include <string.h>

#define MOST_COUNTS 16

const char *scale_time_text(double ns)
{
	if (ns < 1000)
		return strf("%.0f ns", ns);
	if (ns < 1e6)
		return strf("%.*f us", ns < 1e5 ? 1 : 0, ns / 1000);
	return strf("%.*f ms", ns < 1e8 ? 1 : 0, ns / 1e6);
}

static const char *point_words(const struct scale_point *pt)
{
	struct buf text = {0};

	buf_addf(&text, "%s", pt->mode);
	if (pt->mounts)
		buf_addf(&text, ", %u mounts", pt->mounts);
	if (pt->tree)
		buf_addf(&text, ", %u in the tree", pt->tree);
	if (pt->readers)
		buf_addf(&text, ", %u readers", pt->readers);
	if (pt->kept)
		buf_addf(&text, ", %u namespaces kept", pt->kept);
	if (pt->workers)
		buf_addf(&text, ", %u workers at once", pt->workers);
	if (pt->crowded)
		buf_addf(&text, ", tree on the mount with all others");
	return text.v;
}

/* @v, or a dash where it is not known. */
static const char *number(double v, int digits)
{
	return v < 0 ? "-" : strf("%.*f", digits, v);
}

static const char *range(const struct scale_cell *c)
{
	double most = MAX(c->rate_max - c->rate, c->rate - c->rate_min);

	return c->n > 1 ? strf("%.0f%%", 100 * most / c->rate) : "-";
}

/* The cores that gain is counted from: some points take two. */
static u32 fewest_cores(const struct scale_results *r, enum scale_system system,
			const char *machine, const struct scale_point *pt)
{
	u32 least = 1;

	while (least < 1024 && !scale_cell_of(r, system, machine, least, pt).n)
		least++;
	return least;
}

/* The part of a row that is @system's. */
static void add_system(struct buf *out, const struct scale_results *r, enum scale_system system,
		       const char *machine, u32 cores, const struct scale_point *pt)
{
	u32 least = fewest_cores(r, system, machine, pt);
	struct scale_cell c = scale_cell_of(r, system, machine, cores, pt);
	struct scale_cell one = scale_cell_of(r, system, machine, least, pt);
	double gain = one.n && c.n ? c.rate / one.rate : -1;

	if (!c.n) {
		buf_addf(out, " | %-78.78s", c.why ? c.why : "not measured");
		return;
	}
	buf_addf(out, " | %9.0f %5s %6s %5s %8s %8s %8s %7s %6s %6s", c.rate, range(&c),
		 number(gain, 2), number(gain < 0 ? -1 : gain * least / cores, 2),
		 scale_time_text(c.p50_ns), scale_time_text(c.p99_ns), scale_time_text(c.max_ns),
		 number(c.instructions, 0), number(c.moved, 1), number(c.messages, 1));
}

static bool is_empty(const struct scale_results *r, const char *machine,
		     const struct scale_point *pt)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->v[i].machine, machine) == 0 && scale_same_point(&r->v[i].point, pt))
			return false;
	}
	return true;
}

static void add_table(struct buf *out, const struct scale_matrix *m, const struct scale_results *r,
		      const char *machine, const struct scale_point *pt)
{
	u32 counts[MOST_COUNTS];
	size_t n = scale_core_counts(m, machine, counts, MOST_COUNTS);
	bool alone = pt->crowded; /* at one core only, but with --full */

	buf_addf(out, "\n%s: %s\n", machine, point_words(pt));
	buf_addf(out, "  cores");
	for (enum scale_system s = 0; s < SCALE_SYSTEMS; s++)
		buf_addf(out, " | %9s %5s %6s %5s %8s %8s %8s %7s %6s %6s", scale_system_names[s],
			 "+-", "gain", "eff.", "p50", "p99", "max", "insns", "lines", "msgs");
	buf_addf(out, "\n");
	for (size_t i = 0; i < n; i++) {
		struct scale_cell any = scale_cell_of(r, SCALE_SKERRY, machine, counts[i], pt);

		if (alone && counts[i] > 1 && !any.n)
			continue;
		buf_addf(out, "  %5u", counts[i]);
		for (enum scale_system s = 0; s < SCALE_SYSTEMS; s++)
			add_system(out, r, s, machine, counts[i], pt);
		buf_addf(out, "\n");
	}
}

void scale_show(const struct scale_matrix *m, const struct scale_results *r, struct buf *out)
{
	size_t n;
	struct scale_point *points = scale_points(m, &n);

	for (size_t k = 0; k < m->machines.n; k++) {
		for (size_t i = 0; i < n; i++) {
			if (!is_empty(r, m->machines.v[k], &points[i]))
				add_table(out, m, r, m->machines.v[k], &points[i]);
		}
	}
	buf_addf(out,
		 "\nops/s, and how far seeds are from their mean; gain: against the fewest "
		 "cores; eff.: gain by\ncores;\ninsns, lines, msgs: of one operation, instructions "
		 "of all cores, lines of "
		 "memory that went\nfrom core to core, and messages between cores (Skerry counts "
		 "them).\n");
}

static void add_markdown_cell(struct buf *out, const struct scale_results *r, enum scale_system s,
			      const char *machine, u32 cores, const struct scale_point *pt)
{
	struct scale_cell c = scale_cell_of(r, s, machine, cores, pt);

	if (c.n)
		buf_addf(out, " %.0f", c.rate);
	else
		buf_addf(out, " -");
	buf_addf(out, " |");
}

/* Operations a second, a line for each machine, point and system. */
static void add_rates(struct buf *out, const struct scale_matrix *m, const struct scale_results *r,
		      const char *machine)
{
	u32 counts[MOST_COUNTS];
	size_t n = scale_core_counts(m, machine, counts, MOST_COUNTS), npoints;
	struct scale_point *points = scale_points(m, &npoints);

	buf_addf(out, "| %s, operations/s on cores: |", machine);
	for (size_t i = 0; i < n; i++)
		buf_addf(out, " %u |", counts[i]);
	buf_addf(out, " instructions at 1 |\n| --- |");
	for (size_t i = 0; i <= n; i++)
		buf_addf(out, " ---: |");
	buf_addf(out, "\n");
	for (size_t i = 0; i < npoints; i++) {
		for (enum scale_system s = 0;
		     s < SCALE_SYSTEMS && !is_empty(r, machine, &points[i]); s++) {
			struct scale_cell one = scale_cell_of(r, s, machine, 1, &points[i]);

			buf_addf(out, "| %s: %s |", point_words(&points[i]), scale_system_names[s]);
			for (size_t k = 0; k < n; k++)
				add_markdown_cell(out, r, s, machine, counts[k], &points[i]);
			buf_addf(out, " %s |\n", one.n ? number(one.instructions, 0) : "-");
		}
	}
	buf_addf(out, "\n");
}

/* Each reason once. */
static void add_reasons(struct buf *out, const struct scale_results *r)
{
	struct strv seen = {0};

	for (size_t i = 0; i < r->n; i++) {
		const char *why = r->v[i].why;

		if (!why || strv_has(&seen, why))
			continue;
		strv_add(&seen, why);
		buf_addf(out, "- %s: \"%s\" (%s)\n", scale_system_names[r->v[i].system], why,
			 r->v[i].machine);
	}
	if (seen.n)
		buf_addf(out, "\n");
}

void scale_markdown(const struct scale_matrix *m, const struct scale_results *r,
		    const char *command, struct buf *out)
{
	const struct scale_question *q = &scale_questions[m->asked];
	struct buf goals = {0};

	buf_addf(out, "`%s`; a dash: not measured, or it failed:\n\n", command);
	add_reasons(out, r);
	for (size_t k = 0; k < m->machines.n; k++) {
		add_rates(out, m, r, m->machines.v[k]);
		for (size_t i = 0; i < ARRAY_SIZE(q->plots) && q->plots[i].file; i++)
			buf_addf(out, "![%s](" SCALE_PLOTS "/%s-%s.svg)\n", q->plots[i].about,
				 q->plots[i].file, m->machines.v[k]);
		buf_addf(out, "\n");
	}
	scale_goals(m, r, &goals);
	buf_addf(out, "```\n%s```\n", goals.v ? goals.v : "");
}
