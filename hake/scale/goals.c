/*
 * What the project wants of the main job's figures, each met, NOT MET, or not measured. See
 * scale.h.
 */
#include "scale.h"

#include <string.h>

struct judge {
	const struct scale_matrix *m;
	const struct scale_results *r;
	struct buf *out;
};

static void say(const struct judge *j, const char *what, bool known, bool met, const char *figures)
{
	buf_addf(j->out, "  %-12s %s%s%s\n",
		 !known ? "not measured"
		 : met  ? "met"
			: "NOT MET",
		 what, known ? ": " : "", known ? figures : "");
}

static struct scale_cell cell(const struct judge *j, enum scale_system s, const char *machine,
			      u32 cores, const char *mode, u32 mounts, bool crowded)
{
	struct scale_point pt = {.mode = mode, .mounts = mounts, .crowded = crowded};

	return scale_cell_of(j->r, s, machine, cores, &pt);
}

static void efficiency(const struct judge *j, const char *machine, const char *mode, u32 cores,
		       double goal)
{
	struct scale_cell one = cell(j, SCALE_SKERRY, machine, 1, mode, 30, false);
	struct scale_cell all = cell(j, SCALE_SKERRY, machine, cores, mode, 30, false);
	double got = one.n && all.n ? all.rate / one.rate / cores : 0;

	say(j, strf("%s, %s: efficiency of at least %.2f at %u cores", machine, mode, goal, cores),
	    one.n && all.n, got >= goal, strf("%.3f", got));
}

/* At the largest number of cores of which they are known. */
static void no_message(const struct judge *j, const char *machine, const char *mode, u32 mounts)
{
	u32 counts[16];
	size_t n = scale_core_counts(j->m, machine, counts, ARRAY_SIZE(counts));
	const char *what = strf("%s, %s: no message between cores", machine, mode);

	for (size_t i = n; i-- > 0 && counts[i] > 1;) {
		struct scale_cell c =
			cell(j, SCALE_SKERRY, machine, counts[i], mode, mounts, false);

		if (c.n && c.messages >= 0) {
			say(j, what, true, c.messages == 0,
			    strf("%.2f an operation at %u cores", c.messages, counts[i]));
			return;
		}
	}
	say(j, what, false, false, "");
}

static void flat(const struct judge *j, const char *machine, const char *mode, u32 mounts)
{
	struct scale_cell few = cell(j, SCALE_SKERRY, machine, 1, mode, 30, false);
	struct scale_cell many = cell(j, SCALE_SKERRY, machine, 1, mode, mounts, false);
	double got = few.n && many.n ? few.rate / many.rate - 1 : 0;

	say(j,
	    strf("%s, %s: costs at most 5 %% more with %u mounts than with 30", machine, mode,
		 mounts),
	    few.n && many.n, got <= 0.05, strf("%+.1f %%", 100 * got));
}

static void instructions(const struct judge *j, const char *machine, u32 mounts, bool crowded)
{
	struct scale_cell s = cell(j, SCALE_SKERRY, machine, 1, "open_tree", mounts, crowded);
	struct scale_cell l = cell(j, SCALE_LINUX, machine, 1, "open_tree", mounts, crowded);
	bool known = s.n && s.instructions >= 0;

	say(j,
	    strf("open_tree, %u mounts, %s: at most 10,000 instructions at one core", mounts,
		 crowded ? "the folder on the mount with all others"
			 : "the folder a mount of its own"),
	    known, s.instructions <= 10000,
	    strf("%.0f; Linux %s", s.instructions, l.n ? strf("%.0f", l.instructions) : "-"));
}

static void times_linux(const struct judge *j, const char *machine, const char *mode)
{
	struct scale_cell s = cell(j, SCALE_SKERRY, machine, 16, mode, 30, false);
	struct scale_cell l = cell(j, SCALE_LINUX, machine, 16, mode, 30, false);
	double got = s.n && l.n ? s.rate / l.rate : 0;

	say(j, strf("%s, %s: 10 times Linux's throughput at 16 cores", machine, mode), s.n && l.n,
	    got >= 10, strf("%.1f", got));
}

static void unshare_cost(const struct judge *j, const char *machine, u32 mounts)
{
	struct scale_cell s = cell(j, SCALE_SKERRY, machine, 1, "unshare", mounts, false);
	struct scale_cell l = cell(j, SCALE_LINUX, machine, 1, "unshare", mounts, false);

	say(j, strf("unshare, %u mounts: fewer instructions than Linux", mounts), s.n && l.n,
	    s.instructions < l.instructions,
	    strf("%.0f, Linux %.0f", s.instructions, l.instructions));
}

static void unshare_gain(const struct judge *j, const char *machine, u32 mounts)
{
	struct scale_cell one[SCALE_SYSTEMS], eight[SCALE_SYSTEMS];
	double gain[SCALE_SYSTEMS] = {0};
	bool known = true;

	for (enum scale_system s = 0; s < SCALE_SYSTEMS; s++) {
		one[s] = cell(j, s, machine, 1, "unshare", mounts, false);
		eight[s] = cell(j, s, machine, 8, "unshare", mounts, false);
		known &= one[s].n && eight[s].n;
		if (known)
			gain[s] = eight[s].rate / one[s].rate;
	}
	say(j, strf("%s, unshare, %u mounts: 8 cores gain more than Linux's", machine, mounts),
	    known, gain[SCALE_SKERRY] > gain[SCALE_LINUX],
	    strf("%.1f times, Linux %.1f", gain[SCALE_SKERRY], gain[SCALE_LINUX]));
}

static bool has_mounts(const struct judge *j, u32 mounts)
{
	for (size_t i = 0; i < j->r->n; i++) {
		if (j->r->v[i].point.mounts == mounts)
			return true;
	}
	return false;
}

/* At as many cores as both have been measured on. */
static void more_than_linux(const struct judge *j, const char *machine, const char *mode)
{
	u32 counts[16];
	size_t n = scale_core_counts(j->m, machine, counts, ARRAY_SIZE(counts));
	const char *what = strf("%s, %s: more than Linux on the same cores", machine, mode);

	for (size_t i = n; i-- > 0;) {
		struct scale_cell s = cell(j, SCALE_SKERRY, machine, counts[i], mode, 0, false);
		struct scale_cell l = cell(j, SCALE_LINUX, machine, counts[i], mode, 0, false);

		if (s.n && l.n) {
			say(j, what, true, s.rate > l.rate,
			    strf("%.2f times at %u cores", s.rate / l.rate, counts[i]));
			return;
		}
	}
	say(j, what, false, false, "");
}

static void processes_goals(const struct judge *j)
{
	size_t n;
	struct scale_point *points = scale_points(j->m, &n);

	for (size_t k = 0; k < j->m->machines.n; k++) {
		no_message(j, j->m->machines.v[k], "files-own", 0);
		for (size_t i = 0; i < n; i++)
			more_than_linux(j, j->m->machines.v[k], points[i].mode);
	}
}

void scale_goals(const struct scale_matrix *m, const struct scale_results *r, struct buf *out)
{
	static const char *const modes[] = {"open_tree", "enter"};
	static const u32 mounts[] = {30, 1000, 5000};
	struct judge j = {m, r, out};
	const char *first = m->machines.n ? m->machines.v[0] : "";

	buf_addf(out, "Goals\n");
	if (m->asked == SCALE_PROCESSES) {
		processes_goals(&j);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		if (mounts[i] > 1000 && !has_mounts(&j, mounts[i]))
			continue;
		instructions(&j, first, mounts[i], false);
		instructions(&j, first, mounts[i], true);
		unshare_cost(&j, first, mounts[i]);
	}
	for (size_t k = 0; k < m->machines.n; k++) {
		const char *machine = m->machines.v[k];

		for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
			efficiency(&j, machine, modes[i], 64, 0.95);
			efficiency(&j, machine, modes[i], 255, 0.90);
			no_message(&j, machine, modes[i], 30);
			flat(&j, machine, modes[i], has_mounts(&j, 5000) ? 5000 : 1000);
			times_linux(&j, machine, modes[i]);
		}
		unshare_gain(&j, machine, 30);
		unshare_gain(&j, machine, 1000);
	}
}
